// A part has 15,000 elements, and a phone takes seconds to lay them out. So a page that is
// opened at its top lays out what is in view (page.css, .in-turn), and as the reader goes on
// what comes into view. With the reader's first step here begins the rest, section by
// section while the browser has nothing else to do. Then all is as if it had been there
// from the start: places, the scroll bar, printing.
{
  const root = document.documentElement
  const waiting = [...document.querySelectorAll(".bd-article > section section")]
  const soon = globalThis.requestIdleCallback ?? ((next) => setTimeout(next, 50))
  const steps = ["scroll", "wheel", "pointerdown", "keydown"]

  function finish() {
    waiting.length = 0
    root.classList.remove("in-turn")
  }

  function next() {
    waiting.shift()?.classList.add("laid-out")
    if (waiting.length) soon(next)
    else finish()
  }

  function begin() {
    for (const step of steps) removeEventListener(step, begin)
    soon(next)
  }

  if (root.classList.contains("in-turn")) {
    for (const step of steps) addEventListener(step, begin, { passive: true })
    addEventListener("beforeprint", finish)
    // A link to a place in the page: all that stands above it has its height first.
    addEventListener("click", ({ target }) => target.closest?.("a[href*='#']") && finish(), true)
    addEventListener("hashchange", finish)
  }
}
