// The table of a bigram model: follow a name through it, choose a row, draw from it, and
// smooth it.
//
//   P(next | this) = (count + α) / Σ (count + α)      loss = -Σ n log P / Σ n
//
// Its data: the labels of the characters, and how often each pair occurs in the train
// names, which make P, and in the dev names, which only judge it.

charlm.living("heat-map", (place, { labels, train, dev }, tools) => {
  const { svg, element, slider, button, status, random, perFrame } = tools
  const CELL = 18, ROW = 18.4, LEFT = 40, TOP = 44
  const WIDTH = LEFT + CELL * labels.length + 2, FOOT = TOP + ROW * labels.length
  const BAR = 14.6, BARS = 84, BASE = 104 // the bars of a row, in a picture of their own
  const NAMES = 5, LONGEST = 14, DEAR = 6 // nats, where a cell glows in full

  const sum = numbers => numbers.reduce((a, b) => a + b, 0)

  // Without any counts and smoothing, every character is as likely as every other.
  const smoothed = alpha =>
    train.map(row => {
      const total = sum(row) + alpha * row.length
      return row.map(n => (total ? (n + alpha) / total : 1 / row.length))
    })

  const loss = (counts, P) => {
    const nll = counts.map((row, i) => sum(row.map((n, j) => (n ? -n * Math.log(P[i][j]) : 0))))
    return sum(nll) / sum(counts.map(sum))
  }

  const alphaAt = at => (at < SMALLEST ? 0 : +(10 ** (at / 10)).toPrecision(2))
  const SMALLEST = -30, LARGEST = 20, NONE = SMALLEST - 4

  const uniform = random(42)
  const ids = text => [...text].map(char => labels.indexOf(char))
  let P = smoothed(1), at = 0, chosen = labels.indexOf("q"), column = null, drawn = null
  let name = labels[chosen], finished = []

  // The table; on it the name's path, the chosen row, the cell read out, and the one drawn.
  const cells = train.map((row, i) => row.map((_, j) =>
    svg("rect.living-cell", { x: LEFT + CELL * j, y: TOP + ROW * i, width: CELL - 1, height: ROW - 1 })))
  const marks = labels.map((label, i) => letter(label, LEFT - 11, TOP + ROW * (i + 0.5)))
  const box = (kind, wide) => svg(`rect.living-${kind}`, { width: wide ? CELL * labels.length + 1 : CELL + 1, height: ROW + 1, rx: 2 })
  const frame = box("frame", true), hit = box("hit"), look = box("look")
  const glow = svg("g.living-glow"), thread = svg("path.living-thread")
  const table = svg("svg.living-table", { viewBox: `0 0 ${WIDTH} ${FOOT + 3}`, role: "img" },
    svg("text", { x: LEFT + (CELL * labels.length) / 2, y: 13, "text-anchor": "middle" }, "next character"),
    svg("text", { transform: `translate(13 ${(TOP + FOOT) / 2}) rotate(-90)`, "text-anchor": "middle" },
      "this character"),
    ...labels.map((label, j) => letter(label, LEFT + CELL * (j + 0.5), TOP - 12)),
    ...marks, ...cells.flat(), thread, glow, frame, hit, look)

  // The chosen row as bars.
  const bars = labels.map((_, j) => svg("rect.living-bar", { x: 2 + BAR * j, width: BAR - 4 }))
  const peak = svg("text", { "text-anchor": "middle" })
  const chart = svg("svg.living-bars", { viewBox: `0 0 ${BAR * labels.length} ${BASE + 18}`, role: "img" }, ...bars, peak,
    svg("line.living-axis", { x1: 0, x2: BAR * labels.length, y1: BASE, y2: BASE }),
    ...labels.map((label, j) => letter(label, BAR * (j + 0.4), BASE + 10)))

  function letter(label, x, y) {
    return svg("text", { x, y, "text-anchor": "middle", "dominant-baseline": "central" }, label)
  }

  // The loss on train and dev over all α that the slider can reach; at the left end, 0.
  const CURVE = { left: 40, right: 386, top: 12, bottom: 102 }
  const places = Array.from({ length: LARGEST - SMALLEST + 1 }, (_, k) => SMALLEST + k)
  const losses = new Map([NONE, ...places].map(at => {
    const P = smoothed(alphaAt(at))
    return [at, { train: loss(train, P), dev: loss(dev, P) }]
  }))
  const finite = [...losses.values()].flatMap(both => Object.values(both)).filter(Number.isFinite)
  const low = Math.min(...finite), high = Math.max(...finite, low + 0.01)
  const across = at => CURVE.left + ((at - NONE) / (LARGEST - NONE)) * (CURVE.right - CURVE.left)
  const up = value => CURVE.bottom - ((Math.min(value, high) - low) / (high - low)) * (CURVE.bottom - CURVE.top)
  const path = key => places.map((at, k) => `${k ? "L" : "M"}${across(at)} ${up(losses.get(at)[key])}`).join("")
  const dots = {
    train: svg("circle.living-train", { r: 5 }),
    dev: svg("rect.living-dev", { width: 9, height: 9 }),
  }
  const above = svg("text", { "text-anchor": "middle", y: CURVE.top - 2 })
  const middle = SMALLEST + 8
  const curve = svg("svg.living-curve", { viewBox: "0 -16 394 156", role: "img" },
    svg("text", { x: 6, y: -5 }, "loss (nats per character)"),
    svg("line.living-axis", { x1: CURVE.left, x2: CURVE.right, y1: CURVE.bottom + 6, y2: CURVE.bottom + 6 }),
    ...[low, (low + high) / 2, high].map(value =>
      svg("text", { x: CURVE.left - 8, y: up(value), "text-anchor": "end", "dominant-baseline": "central" },
        value.toFixed(2))),
    ...[NONE, -20, -10, 0, 10, 20].map(at =>
      svg("text", { x: across(at), y: CURVE.bottom + 20, "text-anchor": "middle" }, String(alphaAt(at)))),
    svg("text", { x: (CURVE.left + CURVE.right) / 2, y: 137, "text-anchor": "middle" }, "smoothing α"),
    svg("path.living-train", { d: path("train") }),
    svg("path.living-dev", { d: path("dev") }),
    svg("text", { x: across(middle), y: up(losses.get(middle).dev) - 4 }, "dev"),
    svg("text", { x: across(middle), y: up(losses.get(middle).train) - 4 }, "train"),
    dots.train, dots.dev, above)

  const unseen = sum(dev.map((row, i) => row.filter((n, j) => n && !train[i][j]).length))
  const names = element("p.living-drawn")
  const said = status(), judged = status(), costs = status()
  const read = element("p.living-read")
  const select = element("select", { onchange: () => choose(+select.value) },
    ...labels.map((label, i) => element("option", { value: i }, i ? label : `${label} (start)`)))
  const typed = element("input.living-word", { type: "text", size: LONGEST, value: "christopher", autocomplete: "off",
    autocapitalize: "none", spellcheck: "false", oninput: () => (known(), show()) })
  const map = element("div.living-keys", { tabindex: 0, role: "group", onkeydown: key,
    "aria-label": "Table of probabilities: the arrow keys read out its cells, up and down choose a row" }, table)

  // What the table lacks is left out: capitals become small, accents fall off.
  function known() {
    const text = typed.value.toLowerCase().normalize("NFD")
    typed.value = [...text].filter(char => labels.indexOf(char) > 0).slice(0, LONGEST).join("")
  }

  // The cell under a pointer, [row, column], if there is one.
  function under(event) {
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(table.getScreenCTM().inverse())
    const i = Math.floor((y - TOP) / ROW), j = Math.floor((x - LEFT) / CELL)
    return [i, j].every(k => k >= 0 && k < labels.length) ? [i, j] : null
  }

  table.addEventListener("pointermove", event => readOut(under(event)))
  table.addEventListener("pointerleave", event => event.pointerType === "mouse" && readOut(null))
  table.addEventListener("click", event => {
    const cell = under(event)
    if (!cell) return
    choose(cell[0])
    readOut(cell)
  })

  let seen = null
  function readOut(cell) {
    if (String(cell) === String(seen)) return
    seen = cell
    showLook()
  }

  const showLook = perFrame(() => {
    look.setAttribute("visibility", seen ? "visible" : "hidden")
    if (!seen) return (read.textContent = "Point at a cell to read it.")
    const [i, j] = seen
    put(look, i, j)
    const n = train[i][j], surprise = -Math.log(P[i][j])
    read.textContent = `${called(i)} → ${called(j)}: ${P[i][j].toFixed(4)}, ${n.toLocaleString("en")} times in train; ` +
      (P[i][j] ? `surprise ${surprise.toFixed(2)} nats` : "infinite surprise")
  })

  function put(box, i, j) {
    box.setAttribute("x", LEFT + CELL * j - 1)
    box.setAttribute("y", TOP + ROW * i - 1)
  }

  function key(event) {
    const down = { ArrowDown: 1, ArrowUp: -1 }[event.key] ?? 0, right = { ArrowRight: 1, ArrowLeft: -1 }[event.key] ?? 0
    if (!down && !right) return
    event.preventDefault()
    const V = labels.length
    if (right) column = column === null ? 0 : (column + right + V) % V
    if (down) choose((chosen + down + V) % V)
    if (column !== null) readOut([chosen, column])
  }

  const called = i => (i ? labels[i] : "the boundary")
  const likely = () => {
    const order = labels.map((_, j) => j).sort((a, b) => P[chosen][b] - P[chosen][a])
    return order.slice(0, 3).map(j => `${called(j)} ${P[chosen][j].toFixed(3)}`).join(", ")
  }
  const mostLikely = () => `Most likely after ${called(chosen)}: ${likely()}.`

  function choose(row) {
    chosen = row
    name = row ? labels[row] : ""
    drawn = null
    show()
  }

  // Inverse CDF: walk along the row until the probabilities passed exceed u.
  function draw() {
    const row = P[chosen], u = uniform()
    let passed = 0
    let next = row.findIndex(p => (passed += p) > u)
    if (next < 0) next = row.findLastIndex(p => p > 0)
    drawn = { cell: [chosen, next], text: `After ${called(chosen)} came ${called(next)}, with probability ${row[next].toFixed(3)}.` }
    name += next ? labels[next] : ""
    if (!next) {
      drawn.text += ` The name ends: ${name || "one without letters"}.`
      finished = [...finished, name + labels[0]].slice(-NAMES)
      name = ""
    }
    chosen = next
    show()
  }

  // The typed name, cell by cell: the more a cell surprises the model, the more it glows.
  function showName() {
    const path = [0, ...ids(typed.value), 0]
    const pairs = path.slice(1).map((j, k) => [path[k], j])
    const surprises = pairs.map(([i, j]) => -Math.log(P[i][j]))
    glow.replaceChildren(...pairs.map(([i, j], k) => {
      const cell = svg("rect", { width: CELL + 1, height: ROW + 1, rx: 2, "fill-opacity": Math.min(1, surprises[k] / DEAR).toFixed(2) })
      put(cell, i, j)
      return cell
    }))
    const middle = ([i, j]) => `${LEFT + CELL * (j + 0.5)} ${TOP + ROW * (i + 0.5)}`
    thread.setAttribute("d", `M${pairs.map(middle).join("L")}`)
    const most = Math.max(...surprises), [i, j] = pairs[surprises.indexOf(most)]
    costs.replaceChildren(Number.isFinite(most) ? exact(sum(surprises) / pairs.length, 2) : "infinite",
      ` nats per character; most surprising is ${called(j)} after ${called(i)}, `,
      Number.isFinite(most) ? `${most.toFixed(2)}.` : "which never occurs in train.")
  }

  const exact = (value, digits = 4) => element("data", { value }, value.toFixed(digits))

  const show = perFrame(() => {
    const largest = Math.max(...P[chosen])
    bars.forEach((bar, j) => {
      const height = (P[chosen][j] / largest) * BARS
      bar.setAttribute("y", BASE - height)
      bar.setAttribute("height", height)
    })
    const top = P[chosen].indexOf(largest)
    peak.textContent = largest.toFixed(3)
    peak.setAttribute("x", Math.min(Math.max(BAR * (top + 0.4), 18), BAR * labels.length - 18))
    peak.setAttribute("y", BASE - BARS - 5)
    put(frame, chosen, 0)
    marks.forEach((mark, i) => mark.classList.toggle("living-chosen", i === chosen))
    hit.setAttribute("visibility", drawn ? "visible" : "hidden")
    if (drawn) put(hit, ...drawn.cell)
    select.value = chosen
    names.textContent = [...finished, name + "…"].join("  ")
    said.textContent = drawn?.text ?? mostLikely()
    showName()
    table.setAttribute("aria-label", `The probabilities of the next character, for each of ${labels.length}. ` +
      `The row of ${called(chosen)} is chosen and drawn as bars.`)
    chart.setAttribute("aria-label", mostLikely())
  })

  const showSmoothed = perFrame(() => {
    const alpha = alphaAt(at), both = losses.get(at)
    P = smoothed(alpha)
    cells.forEach((row, i) => row.forEach((cell, j) => cell.setAttribute("fill-opacity", Math.sqrt(P[i][j]).toFixed(3))))
    judged.replaceChildren(`With α = ${alpha} the loss on train is `, exact(both.train),
      Number.isFinite(both.dev) ? " and on dev " : " and on dev infinite: ",
      Number.isFinite(both.dev) ? exact(both.dev)
        : `${unseen} pairs of the dev names never occur in train, so they have probability 0`, ".")
    dots.train.setAttribute("cx", across(at))
    dots.train.setAttribute("cy", up(both.train))
    dots.dev.setAttribute("x", across(at) - 4.5)
    dots.dev.setAttribute("y", up(both.dev) - 4.5)
    above.textContent = Number.isFinite(both.dev) ? "" : "∞"
    above.setAttribute("x", across(at) + 14)
    above.setAttribute("y", CURVE.top + 5)
    curve.setAttribute("aria-label", `The loss against the smoothing. ${judged.textContent}`)
    show()
    showLook()
  })

  function smooth(to) {
    at = to < SMALLEST ? NONE : to
    drawn = null
    showSmoothed()
  }

  place.append(element("div.living-columns", {}, element("div", {}, map, read), element("div", {},
    element("div.living-row", {}, element("label.living-select", {}, "A name ", typed), costs),
    element("div.living-row", {}, element("label.living-select", {}, "Row ", select), button("Draw a letter", draw), names),
    said, chart,
    slider({ label: "Smoothing α", min: NONE, max: LARGEST, step: 1, value: 0,
      show: at => String(alphaAt(at)), change: smooth }),
    judged, curve)))
  smooth(0)
})
