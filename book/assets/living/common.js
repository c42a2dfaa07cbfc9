// What the living figures share. A figure is a function of its place and its data:
//
//   charlm.living("heat-map", (place, data, { svg, slider, ... }) => { ... })
//
// `place` is an empty element. Where a figure fails, its still picture stays.

const charlm = (globalThis.charlm = { models: {} })

charlm.figures = {}

charlm.living = (kind, draw) => {
  charlm.figures[kind] = draw
}

// element("p.note", { title: "…" }, "text", child) makes <p class="note" title="…">.
charlm.element = (what, attributes = {}, ...children) => {
  const [tag, ...classes] = what.split(".")
  const made = document.createElement(tag || "div")
  return fill(made, classes, attributes, children)
}

charlm.svg = (what, attributes = {}, ...children) => {
  const [tag, ...classes] = what.split(".")
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag)
  return fill(made, classes, attributes, children)
}

function fill(made, classes, attributes, children) {
  if (classes.length) made.setAttribute("class", classes.join(" "))
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value)
    else if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value)
  }
  made.append(...children)
  return made
}

let count = 0

function name(place, caption) {
  caption.id ||= `living-${++count}`
  place.setAttribute("role", "group")
  place.setAttribute("aria-labelledby", caption.id)
}

charlm.slider = ({ label, min, max, step, value, show = String, change }) => {
  const id = `living-${++count}`
  const out = charlm.element("output", { for: id, "aria-live": "off" })
  const input = charlm.element("input", { id, type: "range", min, max, step, value })
  const tell = () => {
    out.value = show(+input.value)
    input.setAttribute("aria-valuetext", out.value)
  }
  input.addEventListener("input", () => (tell(), change(+input.value)))
  tell()
  const made = charlm.element("div.living-slider", {}, charlm.element("label", { for: id }, label), input, out)
  made.set = to => ((input.value = to), tell()) // shows what came about otherwise, and changes nothing
  return made
}

charlm.button = (label, click) => charlm.element("button.living-button", { type: "button", onclick: click }, label)

// A choice of one: buttons that are radio buttons to a keyboard and a screen reader.
charlm.choice = ({ label, options, value, change }) => {
  const name = `living-${++count}`
  const legend = charlm.element("legend", {}, label)
  const radios = options.map(([key, text]) => {
    const input = charlm.element("input", { type: "radio", name, value: key, checked: key === value })
    input.addEventListener("change", () => change(key))
    return charlm.element("label", {}, input, charlm.element("span", {}, text))
  })
  return charlm.element("fieldset.living-choice", {}, legend, ...radios)
}

// A line that a screen reader reads once it has rested: a hidden copy of it follows later.
const REST = 800

charlm.status = () => {
  const line = charlm.element("p.living-status", { role: "status", "aria-live": "off" })
  const heard = charlm.element("span.living-heard", { "aria-live": "polite" })
  let timer
  const follow = () => {
    if (!heard.isConnected) return line.after(heard) // what the page opens with is not read out
    clearTimeout(timer)
    timer = setTimeout(() => (heard.textContent = line.textContent), REST)
  }
  new MutationObserver(follow).observe(line, { childList: true, characterData: true, subtree: true })
  return line
}

// A drawing that may be asked for at any time, and is made at most once a frame.
charlm.perFrame = draw => {
  let asked = false
  return () => {
    if (!asked) requestAnimationFrame(() => ((asked = false), draw()))
    asked = true
  }
}

charlm.calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches

// Random numbers that can be repeated: mulberry32, uniform in [0, 1).
charlm.random = seed => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}

// A figure is drawn once a reader comes near: two screens away. `charlm.drawAll` draws all
// at once, for who tries them.
const NEAR = "200% 0px"
const far = new Set()

function bring(figure) {
  if (!far.delete(figure)) return
  const still = figure.querySelector(".living-still")
  const text = figure.querySelector("script").textContent
  const place = charlm.element("div.living-place")
  try {
    charlm.figures[figure.dataset.living](place, text ? JSON.parse(text) : null, charlm)
  } catch (error) {
    return console.error(error)
  }
  const drawn = still.querySelector("figure")
  still.after(place) // the still is there for paper
  if (drawn) {  // its number and caption are those of the living figure, too
    figure.id ||= drawn.id
    drawn.removeAttribute("id")
    const caption = drawn.querySelector("figcaption")
    figure.append(caption ?? "")
    if (caption) name(place, caption)
  }
  figure.classList.add("living-ready")
}

charlm.drawAll = () => far.forEach(bring)

document.addEventListener("DOMContentLoaded", () => {
  const come = entries => entries.forEach(({ isIntersecting, target }) => isIntersecting && bring(target))
  const near = new IntersectionObserver(come, { rootMargin: NEAR })
  for (const figure of document.querySelectorAll("figure.living"))
    if (charlm.figures[figure.dataset.living]) {
      far.add(figure)
      near.observe(figure)
    }
})
