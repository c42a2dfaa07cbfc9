// Where the reader is: the section in the bar and in the rail, and where to go on next time.
{
  const links = [...document.querySelectorAll(".rail-sections > li > a")]
  const sections = links.map((link) =>
    document.getElementById(decodeURIComponent(link.hash.slice(1))),
  )
  const count = document.querySelector(".bar-count")
  const here = document.querySelector(".bar-here")
  const progress = document.querySelector(".bar-progress")
  const rail = document.querySelector("#pst-primary-sidebar")
  const article = document.querySelector(".bd-article")
  const key = `charlm-place:${location.pathname}`
  let current = -1

  // The section whose heading was the last to pass a line at 30 % of the window; at the
  // very end of the page, the last.
  const find = () =>
    scrollY > 0 && scrollY + innerHeight >= document.documentElement.scrollHeight - 2
      ? sections.length - 1
      : sections.findLastIndex((s) => s.getBoundingClientRect().top < innerHeight * 0.3)

  function show(index) {
    current = index
    links.forEach((link, i) => {
      link.classList.toggle("read", i < index)
      if (i === index) link.setAttribute("aria-current", "location")
      else link.removeAttribute("aria-current")
    })
    count.textContent =
      index < 0 ? `${links.length} sections` : `${index + 1}/${links.length}`
    here.textContent = index < 0 ? "" : links[index].textContent
    const mark = links[Math.max(index, 0)]
    const { top, bottom } = mark.getBoundingClientRect()
    const frame = rail.getBoundingClientRect()
    if (top < frame.top + 40 || bottom > frame.bottom - 40)
      rail.scrollTop += (top + bottom) / 2 - (frame.top + frame.bottom) / 2
    const { hash, textContent: section } = links[index] ?? links[0]
    const page = document.querySelector(".bar-page").textContent.trim()
    const last = [location.pathname + hash, `${page}: ${section}`]
    try {
      if (index > 0) localStorage.setItem(key, hash)
      if (index > 0) localStorage.setItem("charlm-last", JSON.stringify(last))
    } catch {} // a reader may forbid it
  }

  function look() {
    const { top, height } = article.getBoundingClientRect()
    const share = Math.min(1, Math.max(0, -top / Math.max(1, height - innerHeight)))
    progress.style.transform = `scaleX(${share})`
    const index = find()
    if (index !== current) show(index)
  }

  function resume() {
    let hash
    try {
      hash = localStorage.getItem(key)
    } catch {
      return
    }
    const index = links.findIndex((link) => link.hash === hash)
    if (index < 1 || location.hash || scrollY > innerHeight) return
    const line = document.createElement("p")
    line.className = "resume"
    const link = document.createElement("a")
    link.href = hash
    link.textContent = `Continue with ${index + 1}/${links.length}, ${links[index].textContent}`
    line.append(link)
    article.querySelector("h1").after(line)
  }

  // The cover leads back to the section that was read last.
  function resumeFromCover(place) {
    let last
    try {
      last = JSON.parse(localStorage.getItem("charlm-last"))
    } catch {}
    if (!last) return
    const link = document.createElement("a")
    link.href = last[0]
    link.textContent = `Continue with ${last[1]}`
    place.append(" ", link)
  }
  const buttons = document.querySelector("section:has(> .hero) > h1 + p + p")
  if (buttons) resumeFromCover(buttons)

  // On a phone the rail is a drawer: it closes over the section that was chosen in it.
  for (const link of links)
    link.addEventListener("click", () => link.closest("dialog")?.close())

  // The search comes when somebody types into its dialog; its own page has it already.
  const base = document.documentElement.dataset.content_root
  const typed = document.querySelector("#pst-search-dialog input")
  const load = () => {
    for (const name of ["_static/language_data.js", "sections.js", "_static/search.js"]) {
      const script = document.createElement("script")
      script.src = base + name
      script.async = false // in this order
      document.head.append(script)
    }
  }
  if (!document.querySelector(".bd-search-container"))
    typed?.addEventListener("input", load, { once: true })

  // A fold that opens or closes stays under the finger. Left alone, the browser would hold
  // what comes after it, and near the top edge the fold itself would leave the window.
  const style = document.documentElement.style
  const release = () => style.removeProperty("overflow-anchor")
  document.addEventListener("click", (event) => {
    const summary = event.target.closest(".bd-article summary")
    if (!summary) return
    const { top } = summary.getBoundingClientRect()
    style.setProperty("overflow-anchor", "none")
    summary.parentElement.addEventListener(
      "toggle",
      () => {
        scrollBy({ top: summary.getBoundingClientRect().top - top, behavior: "instant" })
        requestAnimationFrame(() => requestAnimationFrame(release))
      },
      { once: true },
    )
  })

  if (links.length && count) {
    resume()
    let asked = false
    const ask = () => {
      if (asked) return
      asked = true
      requestAnimationFrame(() => {
        asked = false
        look()
      })
    }
    addEventListener("scroll", ask, { passive: true })
    addEventListener("resize", ask)
    look()
  }
}
