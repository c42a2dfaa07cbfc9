// The table of a bigram model: choose a row, draw from it, and smooth it.
//
//   P(next | this) = (count + α) / Σ (count + α)      loss = -Σ n log P / Σ n
//
// Its data: the labels of the characters, and how often each pair occurs in the train
// names, which make P, and in the dev names, which only judge it.

charlm.living("heat-map", (place, { labels, train, dev }, { svg, element, slider, button, status, random }) => {
  const CELL = 11, ROW = 12.4, LEFT = 32, TOP = 35
  const WIDTH = LEFT + CELL * labels.length + 1, FOOT = TOP + ROW * labels.length
  const BARS = 84, FLOOR = FOOT + BARS + 24
  const NAMES = 5

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
  let P = smoothed(1), chosen = 0, drawn = null, name = "", finished = []

  // The table and, below it, the chosen row as bars that stand under its columns.
  const cells = train.map(row => row.map(() => svg("rect.living-cell", { width: CELL - 0.6, height: ROW - 0.6 })))
  const marks = labels.map((label, i) => letter(label, LEFT - 8, TOP + ROW * (i + 0.5)))
  const rows = cells.map((row, i) => {
    const target = svg("rect", { width: WIDTH, height: ROW, y: TOP + ROW * i, fill: "transparent" })
    row.forEach((cell, j) => {
      cell.setAttribute("x", LEFT + CELL * j)
      cell.setAttribute("y", TOP + ROW * i)
    })
    return svg("g.living-table-row", { onclick: () => choose(i) }, target, marks[i], ...row)
  })
  const bars = labels.map((_, j) => svg("rect.living-bar", { x: LEFT + CELL * j + 1, width: CELL - 2.6 }))
  const frame = svg("rect.living-frame", { x: LEFT - 1, width: CELL * labels.length + 1.4, height: ROW + 1.4, rx: 1.5 })
  const hit = svg("rect.living-hit", { width: CELL + 1.4, height: ROW + 1.4, rx: 1.5 })
  const peak = svg("text", { "text-anchor": "middle" })
  const table = svg("svg.living-table", { viewBox: `0 0 ${WIDTH} ${FLOOR + 18}`, role: "img" },
    svg("text", { x: LEFT + (CELL * labels.length) / 2, y: 12, "text-anchor": "middle" }, "next character"),
    svg("text", { transform: `translate(12 ${(TOP + FOOT) / 2}) rotate(-90)`, "text-anchor": "middle" },
      "this character"),
    ...labels.map((label, j) => letter(label, LEFT + CELL * (j + 0.5), TOP - 8)),
    ...rows, frame, hit, ...bars, peak,
    svg("line.living-axis", { x1: LEFT, x2: WIDTH, y1: FLOOR, y2: FLOOR }),
    ...labels.map((label, j) => letter(label, LEFT + CELL * (j + 0.5), FLOOR + 9)))

  function letter(label, x, y) {
    return svg("text", { x, y, "text-anchor": "middle", "dominant-baseline": "central" }, label)
  }

  // The loss on train and dev over all α that the slider can reach; at the left end, 0.
  const CURVE = { left: 40, right: 318, top: 14, bottom: 122 }
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
  const curve = svg("svg.living-curve", { viewBox: "0 -16 326 176", role: "img" },
    svg("text", { x: 6, y: -5 }, "loss (nats a character)"),
    svg("line.living-axis", { x1: CURVE.left, x2: CURVE.right, y1: CURVE.bottom + 6, y2: CURVE.bottom + 6 }),
    ...[low, (low + high) / 2, high].map(value =>
      svg("text", { x: CURVE.left - 8, y: up(value), "text-anchor": "end", "dominant-baseline": "central" },
        value.toFixed(2))),
    ...[NONE, -20, -10, 0, 10, 20].map(at =>
      svg("text", { x: across(at), y: CURVE.bottom + 20, "text-anchor": "middle" }, String(alphaAt(at)))),
    svg("text", { x: (CURVE.left + CURVE.right) / 2, y: 157, "text-anchor": "middle" }, "smoothing α"),
    svg("path.living-train", { d: path("train") }),
    svg("path.living-dev", { d: path("dev") }),
    svg("text", { x: across(middle), y: up(losses.get(middle).dev) - 4 }, "dev"),
    svg("text", { x: across(middle), y: up(losses.get(middle).train) - 4 }, "train"),
    dots.train, dots.dev, above)

  const unseen = sum(dev.map((row, i) => row.filter((n, j) => n && !train[i][j]).length))
  const names = element("p.living-names")
  const said = status(), judged = status()
  const select = element("select", { onchange: () => choose(+select.value) },
    ...labels.map((label, i) => element("option", { value: i }, i ? label : `${label} (start)`)))
  const map = element("div.living-keys", { tabindex: 0, role: "group", onkeydown: key,
    "aria-label": "Table of probabilities: the up and down keys choose a row" }, table)

  function key(event) {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (!move) return
    event.preventDefault()
    choose((chosen + move + labels.length) % labels.length)
  }

  const called = i => (i ? labels[i] : "the boundary")
  const likely = () => {
    const order = labels.map((_, j) => j).sort((a, b) => P[chosen][b] - P[chosen][a])
    return order.slice(0, 3).map(j => `${called(j)} ${P[chosen][j].toFixed(3)}`).join(", ")
  }

  function choose(row) {
    chosen = row
    name = row ? labels[row] : ""
    sayLikely()
  }

  function sayLikely() {
    drawn = null
    say(`Most likely after ${called(chosen)}: ${likely()}.`)
  }

  // Inverse CDF: walk along the row until the probabilities passed exceed u.
  function draw() {
    const row = P[chosen], u = uniform()
    let passed = 0
    let next = row.findIndex(p => (passed += p) > u)
    if (next < 0) next = row.findLastIndex(p => p > 0)
    drawn = [chosen, next]
    const what = `After ${called(chosen)} came ${called(next)}, which has a probability of ${row[next].toFixed(3)}.`
    name += next ? labels[next] : ""
    const end = next ? "" : ` The name ends: ${name || "one without letters"}.`
    if (!next) finished = [...finished, name + labels[0]].slice(-NAMES)
    if (!next) name = ""
    chosen = next
    say(what + end)
  }

  function say(text) {
    said.textContent = text
    show()
  }

  function show() {
    const largest = Math.max(...P[chosen])
    cells.forEach((row, i) => row.forEach((cell, j) => cell.setAttribute("fill-opacity", Math.sqrt(P[i][j]).toFixed(3))))
    bars.forEach((bar, j) => {
      const height = (P[chosen][j] / largest) * BARS
      bar.setAttribute("y", FLOOR - height)
      bar.setAttribute("height", height)
    })
    const top = P[chosen].indexOf(largest)
    peak.textContent = largest.toFixed(3)
    peak.setAttribute("x", Math.min(Math.max(LEFT + CELL * (top + 0.5), LEFT + 18), WIDTH - 18))
    peak.setAttribute("y", FLOOR - BARS - 4)
    frame.setAttribute("y", TOP + ROW * chosen - 1)
    marks.forEach((mark, i) => mark.classList.toggle("living-chosen", i === chosen))
    hit.setAttribute("visibility", drawn ? "visible" : "hidden")
    if (drawn) {
      hit.setAttribute("x", LEFT + CELL * drawn[1] - 1)
      hit.setAttribute("y", TOP + ROW * drawn[0] - 1)
    }
    select.value = chosen
    names.textContent = [...finished, name + "…"].join("  ")
    table.setAttribute("aria-label", `The probabilities of the next character, for each of ${labels.length}. ` +
      `The row of ${called(chosen)} is chosen and drawn as bars; the most likely are ${likely()}.`)
  }

  function smooth(to) {
    const at = to < SMALLEST ? NONE : to
    const alpha = alphaAt(at), both = losses.get(at)
    P = smoothed(alpha)
    const exact = value => element("data", { value }, value.toFixed(4))
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
    sayLikely()
  }

  place.append(
    element("div.living-row", {}, element("label.living-select", {}, "Row ", select), button("Draw a letter", draw)),
    names, said, map,
    slider({ label: "Smoothing α", min: NONE, max: LARGEST, step: 1, value: 0,
      show: at => String(alphaAt(at)), change: smooth }),
    judged, curve)
  choose(0)
  smooth(0)
})
