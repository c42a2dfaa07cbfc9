// Gradient descent in a valley, for the learning rate that the reader drags.
//
//   loss(u, v) = (ALONG u² + ACROSS v²) / 2      a step: u -= rate ∂loss/∂u, and v alike
//
// So each step multiplies u by 1 - rate ALONG and v by 1 - rate ACROSS. The data are
// these two curvatures, the start, the number of steps, and the rate to open with.

charlm.living("valley", (place, { along, across, start, steps, rate }, tools) => {
  const { svg, element, slider, status, perFrame } = tools
  const loss = ([u, v]) => (along * u * u + across * v * v) / 2

  function descend(rate) {
    const path = [start]
    for (let k = 0; k < steps; k++) {
      const [u, v] = path.at(-1)
      path.push([u * (1 - rate * along), v * (1 - rate * across)])
    }
    return path
  }

  // What a rate does follows from the two factors: up to which one each kind goes.
  const kinds = [
    [(1 - 0.5 ** (1 / steps)) / along, "small", `no step crosses the floor, but after ${steps} steps more than half of the way along it is left`],
    [1 / across, "medium", "down the wall in a few steps, then along the floor, without crossing it"],
    [2 / across, "large", "each step lands on the other wall, but lower, so the path zigzags down to the floor"],
    [Infinity, "too large", "each step lands on the other wall, and higher, so the loss explodes"],
  ]
  const kindOf = rate => kinds.findIndex(([most]) => rate <= most)

  // The valley from above: lines of equal loss, and the path, cut off where it leaves.
  const U = 2.6, V = 2.2, WIDTH = 520, HEIGHT = 440
  const heights = Array.from({ length: 12 }, (_, k) => 0.18 * (k + 1) ** 2)
  const x = u => (WIDTH * (u + U)) / (2 * U), y = v => (HEIGHT * (V - v)) / (2 * V)
  const rings = heights.map(height => svg("ellipse.valley-ring", { cx: x(0), cy: y(0),
    rx: x(Math.sqrt((2 * height) / along)) - x(0), ry: y(0) - y(Math.sqrt((2 * height) / across)) }))
  const walked = svg("path.valley-path"), dots = svg("g")
  const places = Array.from({ length: steps + 1 }, (_, k) => svg(k ? "circle.valley-step" : "circle.valley-start", { r: k ? 3.4 : 6.5 }))
  dots.append(...places.slice(1), places[0])
  const picture = svg("svg.valley-picture", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" },
    svg("defs", {}, svg("clipPath", { id: "valley-edge" }, svg("rect", { width: WIDTH, height: HEIGHT, rx: 4 }))),
    svg("g", { "clip-path": "url(#valley-edge)" }, ...rings, svg("path.valley-bottom", { d: `M${x(0) - 6} ${y(0)}h12m-6 -6v12` }), walked, dots),
    svg("rect.valley-edge", { width: WIDTH, height: HEIGHT, rx: 4 }))

  // A chart with a logarithmic loss; a line ends where it would leave it.
  const TOP = 1e2, LOW = 1e-4
  function chart(title, under, top, height) {
    const box = { left: 46, right: 408, top, foot: height - 34 }
    const up = value => box.foot - (Math.log10(Math.max(LOW, Math.min(TOP, value)) / LOW) / Math.log10(TOP / LOW)) * (box.foot - box.top)
    const drawing = svg("svg.valley-chart", { viewBox: `0 0 420 ${height}`, role: "img" },
      svg("text", { x: 2, y: 11 }, title),
      ...[TOP, 1, 0.01, LOW].flatMap(value => [
        svg("line.valley-grid", { x1: box.left, x2: box.right, y1: up(value), y2: up(value) }),
        svg("text", { x: box.left - 6, y: up(value) + 4, "text-anchor": "end" }, String(value))]),
      svg("text", { x: (box.left + box.right) / 2, y: height - 3, "text-anchor": "middle" }, under))
    return { box, up, drawing }
  }

  const time = chart("loss after each step", "step", 24, 176)
  const at = k => time.box.left + (k / steps) * (time.box.right - time.box.left)
  const fallen = svg("path.valley-path"), landed = svg("circle.valley-step", { r: 5 })
  time.drawing.append(...[0, steps / 2, steps].map(k =>
    svg("text", { x: at(k), y: time.box.foot + 15, "text-anchor": "middle" }, String(k))), fallen, landed)

  // For each rate, where it would end; the slider walks along this curve.
  const within = ends => ends.slice(0, 1 + ends.findIndex(end => end > TOP) || undefined)
  const LEAST = -3, MOST = 0, rates = Array.from({ length: 121 }, (_, k) => LEAST + ((MOST - LEAST) * k) / 120)
  const sweep = chart(`loss after ${steps} steps`, "learning rate", 44, 206)
  const right = exponent => sweep.box.left + ((exponent - LEAST) / (MOST - LEAST)) * (sweep.box.right - sweep.box.left)
  const here = svg("circle.valley-here", { r: 6.5 }), down = svg("line.valley-down")
  const ends = rates.map(exponent => loss(descend(10 ** exponent).at(-1)))
  const edges = [LEAST, ...kinds.map(([most]) => Math.min(Math.log10(most), MOST))]
  const zones = kinds.map(([, name], k) =>
    svg("text", { x: right((edges[k] + edges[k + 1]) / 2), y: sweep.box.top - 9, "text-anchor": "middle" }, name))
  const bounds = edges.slice(1, -1).map(edge =>
    svg("line.valley-grid", { x1: right(edge), x2: right(edge), y1: sweep.box.top, y2: sweep.box.foot }))
  sweep.drawing.append(...[-3, -2, -1, 0].map(exponent =>
    svg("text", { x: right(exponent), y: sweep.box.foot + 15, "text-anchor": "middle" }, String(10 ** exponent))),
  svg("path.valley-path", { d: line(within(ends).map((end, k) => [right(rates[k]), sweep.up(end)])) }), ...bounds, ...zones, down, here,
  svg("rect.valley-hand", { x: sweep.box.left - 10, width: sweep.box.right - sweep.box.left + 20, y: sweep.box.top - 8, height: sweep.box.foot - sweep.box.top + 16 }))

  function line(points) {
    return points.map(([x, y], k) => `${k ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("")
  }

  const shown = exponent => String(+(10 ** exponent).toPrecision(2))
  const said = status()
  const show = perFrame(() => {
    const path = descend(rate), losses = path.map(loss), last = losses.at(-1)
    const far = value => Math.max(-1e4, Math.min(1e4, value))
    const points = path.map(([u, v]) => [far(x(u)), far(y(v))])
    const out = path.findIndex(([u, v]) => Math.abs(u) > U || Math.abs(v) > V)
    walked.setAttribute("d", line(points.slice(0, 1 + out || undefined)))
    places.forEach((dot, k) => {
      dot.setAttribute("cx", points[k][0])
      dot.setAttribute("cy", points[k][1])
    })
    fallen.setAttribute("d", line(within(losses).map((value, k) => [at(k), time.up(value)])))
    landed.setAttribute("cx", at(steps))
    landed.setAttribute("cy", time.up(last))
    landed.setAttribute("visibility", last > TOP ? "hidden" : "visible")
    const exponent = Math.log10(rate)
    here.setAttribute("cx", right(exponent))
    here.setAttribute("cy", sweep.up(last))
    for (const [end, value] of [["x1", right(exponent)], ["x2", right(exponent)], ["y1", sweep.up(last)], ["y2", sweep.box.foot]])
      down.setAttribute(end, value)
    const kind = kindOf(rate), [, name, what] = kinds[kind]
    const number = last > 1e6 ? "more than a million" : last > 100 ? Math.round(last).toLocaleString("en") : last.toPrecision(2)
    zones.forEach((zone, k) => zone.classList.toggle("valley-chosen", k === kind))
    said.replaceChildren(element("b", {}, name[0].toUpperCase() + name.slice(1)), `: ${what}. After ${steps} steps the loss is `,
      element("data", { value: last }, number), ".")
    picture.setAttribute("aria-label", `The valley from above with a path of ${steps} steps, rate ${shown(exponent)}. ${said.textContent}`)
    time.drawing.setAttribute("aria-label", `The loss over ${steps} steps: from ${losses[0].toFixed(1)} to ${number}`)
    sweep.drawing.setAttribute("aria-label", `The loss after ${steps} steps against the learning rate; it is lowest near ${(2 / (along + across)).toFixed(2)}`)
  })

  const control = slider({ label: "Learning rate", min: LEAST, max: MOST, step: 0.01, value: Math.log10(rate),
    show: shown, change: exponent => go(exponent) })

  function go(exponent) {
    rate = 10 ** exponent
    show()
  }

  const hand = sweep.drawing.querySelector(".valley-hand")
  function drag(event) {
    const { x } = new DOMPoint(event.clientX, event.clientY).matrixTransform(sweep.drawing.getScreenCTM().inverse())
    const part = (x - sweep.box.left) / (sweep.box.right - sweep.box.left)
    const exponent = LEAST + Math.max(0, Math.min(1, part)) * (MOST - LEAST)
    control.set(exponent)
    go(exponent)
  }
  hand.addEventListener("pointerdown", event => (hand.setPointerCapture(event.pointerId), drag(event)))
  hand.addEventListener("pointermove", event => hand.hasPointerCapture(event.pointerId) && drag(event))

  place.append(element("div.living-columns", {}, picture,
    element("div", {}, control, said, sweep.drawing, time.drawing)))
  show()
})
