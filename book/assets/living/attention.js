// What each head of each block looks at, from one letter of a name, and what the model
// expects there.
//
// Its data: the model, a name, and the number of letters after which to look:
//
//   :models: gpt
//   :start: isabella 7

charlm.living("attention", (place, { folder, models: [file], start }, tools) => {
  const { element, status, perFrame } = tools
  const LONGEST = 11, NEXT = 6
  const said = status()
  place.append(said)
  said.textContent = "Reading the model …"

  // The model is read once the figure is near; where it cannot be, the still is shown again.
  new IntersectionObserver((entries, observer) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return
    observer.disconnect()
    charlm.loadModel(folder, file).then(build, error => {
      said.textContent = `The model cannot be read (${error.message}).`
      place.closest("figure").classList.remove("living-ready")
    })
  }, { rootMargin: "800px" }).observe(place)

  function build(model) {
    const { chars, probs, label } = model
    const labels = [".", ...chars], longest = Math.min(LONGEST, model.size - 1)
    const group = `${file}-${Math.random()}`
    let [name, at] = start.split(" ")
    at = Math.min(at ?? name.length, name.length)

    // What the heads of a block look at from a place: (blocks, heads, places).
    const looks = at => model.states(name.slice(0, at))
      .flatMap(({ inner = [] }) => inner).flatMap(({ op, weights }) => (op === "attention" ? [weights] : []))
    const blocks = looks(0).length, heads = looks(0)[0].length

    const input = element("input.living-word", {
      type: "text", size: LONGEST, value: name, autocomplete: "off", autocapitalize: "none", spellcheck: "false", oninput: type,
    })
    const letters = element("fieldset.heads-letters", {}, element("legend", {}, "Look from"))
    const table = element("table.heads-table")
    const title = element("p.one-title"), next = element("ol.heads-next")
    let radios = [], rows = []

    const percent = share => `${Math.round(100 * share)} %`
    const row = () => [...`.${name}`]
    const spoken = k => (k ? `“${name[k - 1]}”, letter ${k}` : "the boundary")

    // What the model lacks is left out: capitals become small, accents fall off.
    function type() {
      const typed = [...input.value.normalize("NFD").toLowerCase()].filter(char => chars.includes(char))
      name = typed.slice(0, longest).join("")
      if (input.value !== name) {
        const known = input.value.slice(0, input.selectionEnd).normalize("NFD").toLowerCase()
        const end = [...known].filter(char => chars.includes(char)).length
        input.value = name
        input.setSelectionRange(end, end)
      }
      at = name.length
      lay()
    }

    // A letter is looked from when a pointer moves over it, by a tap, and by the arrow keys.
    function choose(k) {
      at = k
      radios[k].checked = true
      draw()
    }

    const column = (char, k) => {
      radios[k] = element("input", { type: "radio", name: group, "aria-label": spoken(k), onchange: () => choose(k) })
      return element("label", { onpointermove: event => event.pointerType === "mouse" && k !== at && choose(k) },
        radios[k], element("span", { "aria-hidden": "true" }, char))
    }

    // The columns of a name: they stay until another is typed.
    function lay() {
      radios = []
      letters.replaceChildren(letters.firstChild, ...row().map(column))
      rows = Array.from({ length: blocks }, () => Array.from({ length: heads }, () =>
        row().map(() => element("td", {}, element("span.living-heard")))))
      const head = (cells, h) => element("tr", {},
        element("th", { scope: "row" }, element("span.living-heard", {}, "head "), String(h + 1)), ...cells, element("td.heads-most"))
      table.replaceChildren(
        element("caption.living-heard"),
        element("thead.living-heard", {}, element("tr", {}, element("td"), ...row().map(char => element("th", { scope: "col" }, char)),
          element("th", { scope: "col" }, "looks most at"))),
        ...rows.map((block, b) => element("tbody", {},
          element("tr", {}, element("th", { scope: "rowgroup", colspan: name.length + 2 }, `Block ${b + 1}, heads 1 to ${heads}`),
            element("td.heads-most", { "aria-hidden": "true" }, b ? "" : "looks most at")), ...block.map(head))))
      place.style.setProperty("--n", name.length + 1)
      choose(at)
    }

    const draw = perFrame(() => {
      const found = looks(at)
      ;[...letters.querySelectorAll("label")].forEach((cell, k) => cell.classList.toggle("heads-ahead", k > at))
      rows.forEach((block, b) => block.forEach((cells, h) => {
        const weights = found[b][h], most = weights.indexOf(Math.max(...weights))
        cells.forEach((cell, k) => {
          cell.className = k > at ? "heads-ahead" : k === at ? "heads-here" : ""
          cell.style.setProperty("--ink", k > at ? 0 : weights[k].toFixed(6))
          cell.firstChild.textContent = k > at ? "masked" : percent(weights[k])
        })
        cells[0].parentNode.lastChild.textContent = `${row()[most]} ${percent(weights[most])}`
      }))
      table.firstChild.textContent = `What each head looks at from ${spoken(at)}`
      drawNext()
    })

    // The likeliest characters to come, and among them the one that does come.
    function drawNext() {
      const p = [...probs(name.slice(0, at))]
      const comes = at < name.length ? labels.indexOf(name[at]) : 0
      const order = p.map((_, id) => id).sort((a, b) => p[b] - p[a])
      const listed = order.slice(0, NEXT)
      if (!listed.includes(comes)) listed[NEXT - 1] = comes
      const seen = at ? `After “${name.slice(0, at)}”` : "At the start"
      title.textContent = `${seen} the ${label} expects`
      next.replaceChildren(...listed.map(id => element(`li${id === comes ? ".heads-comes" : ""}`, {},
        element("b", {}, labels[id]), element("i", { style: `--share: ${(100 * p[id]) / p[order[0]]}%` }),
        element("span", {}, percent(p[id])), id === comes ? element("small", {}, id ? "comes next" : "the name ends") : "")))
      said.textContent = `${seen}, the likeliest is ${order[0] ? `“${labels[order[0]]}”` : "the end"} (${percent(p[order[0]])}). ${sharpest()}`
    }

    // The head that puts most of its weight on one place.
    function sharpest() {
      const all = looks(at).flatMap((block, b) => block.flatMap((weights, h) =>
        [...weights].map((weight, k) => ({ weight, k, b, h }))))
      if (!at) return "There is nothing else to look at yet: all heads look at the boundary."
      const { weight, k, b, h } = all.reduce((best, other) => (other.weight > best.weight ? other : best))
      const back = at - k
      const where = k === 0 ? "the boundary" : `“${name[k - 1]}”, ${back === 0 ? "the letter itself" : back === 1 ? "the letter before" : `${back} letters back`}`
      return `Head ${h + 1} of block ${b + 1} is the most single-minded: ${percent(weight)} of its weight is on ${where}.`
    }

    place.prepend(
      element("div.living-row", {}, element("label", {}, "Type a name ", input), element("span", {}, "and point at a letter, tap it, or use the arrow keys.")),
      element("div.living-columns", {},
        element("div.heads-map", {}, letters, table),
        element("div", {}, title, next, said)))
    lay()
  }
})
