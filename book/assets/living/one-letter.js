// One letter of a window is changed: which joins of the tree, and which of the flat net,
// have to be computed anew?
//
// Its data: the window, the place of the letter, what it becomes, and the model whose
// joins are compared. Without the model, the joins are marked and not measured.

charlm.living("one-letter", (place, { folder, models: [name], start }, tools) => {
  const { svg, element, status, perFrame, joinMark, joinLegend } = tools
  const [first, second] = start.split(" ")
  const SIZE = first.length, LEVELS = Math.log2(SIZE), COLUMN = 46, ROW = 66, TOP = 54
  const WIDTH = SIZE * COLUMN, FOOT = TOP + LEVELS * ROW
  let before = [...first], now = [...second], model = null, asked = false

  const changed = () => now.findIndex((letter, i) => letter !== before[i])

  // Where a join is, and which letters lead to it; level 0 has the letters themselves.
  const x = (level, i) => (i + 0.5) * 2 ** level * COLUMN
  const y = level => FOOT - level * ROW
  const holds = (level, i, letter) => letter >> level === i
  const joins = Array.from({ length: LEVELS }, (_, below) => Array.from({ length: SIZE >> (below + 1) }, (_, i) => [below + 1, i])).flat()

  const tree = svg("svg.receptive-picture.one-net", { viewBox: `0 0 ${WIDTH} ${FOOT + 6}`, role: "img" })
  const flat = svg("svg.receptive-picture.one-net", { viewBox: `0 0 ${WIDTH} ${FOOT + 6}`, role: "img" })
  const line = (lit, from, to) => svg(`path.receptive-${lit ? "cone" : "line"}`, { d: `M${from}L${to}` })
  const out = (at, level) => [svg("path.receptive-line", { d: `M${at} ${y(level) - 14}v-20m-4 5l4 -5l4 5` }),
    svg("text", { x: at, y: 14 }, "next letter")]

  // Beside its join, where no line leads on.
  function moved(level, i, by) {
    const side = level < LEVELS && i % 2 === 0 ? -1 : 1
    return svg("text.one-move", { x: x(level, i) + 14 * side, y: y(level) - 7, "text-anchor": side < 0 ? "end" : "start" }, by.toFixed(2))
  }

  function drawTree(letter, moves) {
    const lines = [], marks = []
    for (const [level, i] of joins) {
      const lit = letter >= 0 && holds(level, i, letter)
      for (const input of [2 * i, 2 * i + 1])
        lines.push(line(lit && holds(level - 1, input, letter), `${x(level - 1, input)} ${y(level - 1)}`, `${x(level, i)} ${y(level)}`))
      marks.push(svg("g", { "data-join": `${level},${i}`, "data-kind": lit ? "new" : "kept" }, joinMark(lit ? "new" : "kept", x(level, i), y(level)),
        lit && moves ? moved(level, i, moves[level - 1][i]) : ""))
    }
    tree.replaceChildren(...lines, ...marks, ...out(WIDTH / 2, LEVELS))
  }

  function drawFlat(letter) {
    const level = LEVELS - 1, kind = letter >= 0 ? "new" : "kept"
    flat.replaceChildren(...now.map((_, i) => line(i === letter, `${x(0, i)} ${FOOT}`, `${WIDTH / 2} ${y(level)}`)),
      svg("g", { "data-kind": kind }, joinMark(kind, WIDTH / 2, y(level))), ...out(WIDTH / 2, level))
  }

  // By how much the outputs of each join change, on average over its units: [level][join].
  function movesOf() {
    if (!model) return null
    const [old, fresh] = [before, now].map(letters => model.states(letters.join("")).filter(({ op }) => op === "tanh"))
    return fresh.map(({ rows, values }, level) => {
      const width = values.length / rows
      return Array.from({ length: rows }, (_, i) => {
        let total = 0
        for (let c = i * width; c < (i + 1) * width; c++) total += Math.abs(values[c] - old[level].values[c])
        return total / width
      })
    })
  }

  // What the tree expects next, before and after: two bars for each character.
  const BAR = { step: 16, left: 4, foot: 96, high: 74 }
  const bars = svg("svg.one-bars", { viewBox: `0 0 ${27 * BAR.step + 8} 116`, role: "img", "aria-label": "What the tree expects next" })

  function drawBars() {
    if (!model) return
    const [old, fresh] = [before, now].map(letters => model.probs(letters.join("")))
    const top = Math.max(...old, ...fresh)
    const bar = (kind, p, j, shift) => svg(`rect.one-${kind}`, { x: BAR.left + j * BAR.step + shift, width: 6, y: BAR.foot - (p / top) * BAR.high, height: (p / top) * BAR.high })
    const labels = [".", ...model.chars]
    bars.replaceChildren(svg("text", { x: BAR.left, y: 11 }, "what the tree expects next: gray before, blue now"),
      ...labels.flatMap((label, j) => [bar("before", old[j], j, 1), bar("now", fresh[j], j, 8),
        svg("text", { x: BAR.left + (j + 0.5) * BAR.step, y: BAR.foot + 15, "text-anchor": "middle" }, label)]),
      svg("line.tug-axis", { x1: BAR.left, x2: BAR.left + 27 * BAR.step, y1: BAR.foot, y2: BAR.foot }))
    const best = p => labels[p.indexOf(Math.max(...p))]
    bars.setAttribute("aria-label", `Likeliest next: ${best(old)} before, with ${Math.max(...old).toFixed(2)}; ${best(fresh)} now, with ${Math.max(...fresh).toFixed(2)}`)
  }

  // The letters: a field each below the tree, and the same letters below the flat net.
  const fields = now.map((_, i) => element("input", {
    type: "text", size: 1, autocomplete: "off", autocapitalize: "none", spellcheck: "false", "aria-label": `Letter ${i + 1}`,
    onfocus: () => fields[i].select(), oninput: event => typed(i, event.data ?? fields[i].value), onkeydown: event => key(event, i),
  }))
  const copies = now.map(() => element("span"))
  const window = element("div.one-window", {}, ...fields), copy = element("div.one-window", { "aria-hidden": "true" }, ...copies)

  function typed(i, text) {
    const letter = text.toLowerCase().normalize("NFD").replace(/[^a-z]/g, "").at(-1)
    if (letter) change(i, letter)
    fields[i].value = now[i]
    fields[i].select()
  }

  function key(event, i) {
    const along = { ArrowLeft: -1, ArrowRight: 1 }[event.key], turn = { ArrowUp: 1, ArrowDown: 25 }[event.key]
    if (!along && !turn) return
    event.preventDefault()
    if (along) fields[(i + along + SIZE) % SIZE].focus()
    if (turn) change(i, String.fromCharCode(97 + ((now[i].charCodeAt(0) - 97 + turn) % 26)))
    if (turn) fields[i].select()
  }

  // Only one letter differs from before: with another place, what was typed there is kept.
  function change(i, letter) {
    if (![-1, i].includes(changed())) before = [...now]
    now[i] = letter
    show()
  }

  const said = status()

  function tell(letter, moves) {
    if (letter < 0) return (said.textContent = "Nothing has changed: every join is kept. Type another letter.")
    const most = moves && ` From the letters up, their outputs move by ${moves.map((level, k) => level[letter >> (k + 1)].toFixed(2)).join(", ")}, on average.`
    said.textContent = `${before[letter]} became ${now[letter]}. The tree computes ${LEVELS} of its ${SIZE - 1} joins anew, one on each level, ` +
      `and keeps ${SIZE - 1 - LEVELS}.${most ?? ""} The flat net has one join, of all ${SIZE} letters, and keeps nothing.`
  }

  const show = perFrame(() => {
    const letter = changed(), moves = movesOf()
    for (const row of [fields, copies]) row.forEach((cell, i) => cell.classList.toggle("one-changed", i === letter))
    fields.forEach((field, i) => (field.value = now[i]))
    copies.forEach((cell, i) => (cell.textContent = now[i]))
    drawTree(letter, moves)
    drawFlat(letter)
    drawBars()
    tell(letter, moves)
    tree.setAttribute("aria-label", `The tree over ${now.join(" ")}. ${said.textContent}`)
    flat.setAttribute("aria-label", `The flat net over ${now.join(" ")}: all letters lead to one join`)
  })

  // The model is read once the figure is near, and its numbers then join the marks.
  new IntersectionObserver((entries, observer) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return
    observer.disconnect()
    charlm.loadModel(folder, name).then(found => ((model = found), show()), () => bars.remove())
  }, { rootMargin: "800px" }).observe(place)

  place.append(element("div.one-nets", {},
    element("div", {}, element("p.one-title", {}, "tree"), tree, window),
    element("div", {}, element("p.one-title", {}, "flat net"), flat, copy)),
  joinLegend(["new", "depends on the changed letter: anew"], ["kept", "does not: kept"]),
  element("div.one-nets", {}, said, bars))
  show()
})
