// What the theme leaves out for readers who use a keyboard or a screen reader.
// Each mend names the rule of axe (https://dequeuniversity.com/rules/axe) that it is for.
const all = (selector) => document.querySelectorAll(selector)

// region: the logo stands in no landmark, so the sidebar around it becomes one.
for (const sidebar of all("#pst-primary-sidebar")) {
  sidebar.setAttribute("role", "complementary")
  sidebar.setAttribute("aria-label", "Book")
}

// label-content-name-mismatch: labels that leave out what the eye reads on the button.
for (const e of all(".search-button-field, details.hide > summary"))
  e.removeAttribute("aria-label")
// And no bubble stays over the text after a click.
for (const e of all(".search-button-field")) {
  e.removeAttribute("title")
  e.removeAttribute("data-bs-toggle")
}
for (const icon of all(".theme-switch")) icon.removeAttribute("title")

// aria-deprecated-role, aria-required-children: the roles that docutils gives citations.
for (const e of all(".citation-list, .citation")) e.removeAttribute("role")

// Names in code lead to the reference with a click; forty of them are no stops for a key.
for (const e of all("a.sphinx-codeautolink-a")) e.tabIndex = -1

// scrollable-region-focusable: a box that scrolls must be reachable by keyboard, and
// say what it holds. Which boxes scroll depends on the width and on what is folded, so
// each is looked at again when its size changes.
const boxes = {
  pre: "Code or output",
  ".cell_output": "Output",
  ".katex-display": "Formula",
  table: "Table",
  ":is(div, figure):has(> img.wide)": "Figure",
}

// A wide box fades at the right edge, until it is scrolled to its end.
const fade = (box) =>
  box.classList.toggle("goes-on", box.scrollWidth - box.clientWidth - box.scrollLeft > 2)
document.addEventListener("scroll", ({ target }) => target.tabIndex === 0 && fade(target), {
  capture: true,
  passive: true,
})

const sizes = new ResizeObserver((entries) => {
  for (const { target: box } of entries) {
    const { overflowX, overflowY } = getComputedStyle(box)
    const scrolls =
      (overflowX !== "visible" && box.scrollWidth > box.clientWidth) ||
      (overflowY !== "visible" && box.scrollHeight > box.clientHeight)
    if (scrolls) box.tabIndex = 0
    else box.removeAttribute("tabindex")
    box.classList.remove("goes-on")
    if (scrolls) fade(box)
  }
})
const watched = []
for (const [selector, label] of Object.entries(boxes))
  for (const box of all(`.bd-article :is(${selector})`)) {
    if (box.localName !== "table") box.setAttribute("role", "group")
    box.setAttribute("aria-label", label)
    sizes.observe(box)
    watched.push(box)
  }

// A formula grows when its font comes, in a box that stays as it is: look again.
document.fonts.addEventListener("loadingdone", () => {
  for (const box of watched) {
    sizes.unobserve(box)
    sizes.observe(box)
  }
})
