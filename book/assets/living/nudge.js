// One weight of Part 4 to drag: the loss along it, its slope by backpropagation (the tangent)
// and by nudging (the secant), and what the size of the nudge does to the second.
//
//   { weight, inputs, others, gamma, beta, out, logits, answers }
//
// The weight leads from one input to one hidden unit. So only this unit moves: `inputs` are
// what the weight is multiplied by, (B,), `others` what else the unit adds up, (B,), `out` its
// row of W2, (V,), and `logits` those of all other units, (B, V).

const nudge = { reach: 200, view: 3, sizes: Array.from({ length: 37 }, (_, k) => 10 ** (-k / 3)) }

nudge.round = { float32: Math.fround, float64: v => v }

// Forward to the loss, each operation rounded as `r` does; `keep` takes what the way back needs.
nudge.loss = ({ inputs, others, gamma, beta, out, logits, answers }, weight, r, keep = {}) => {
  const B = inputs.length
  weight = r(weight)
  const pre = inputs.map((v, b) => r(r(others[b]) + r(r(v) * weight)))
  const mean = r(pre.reduce((sum, v) => r(sum + v), 0) / B)
  const centered = pre.map(v => r(v - mean))
  const variance = r(centered.reduce((sum, v) => r(sum + r(v * v)), 0) / (B - 1))
  const inverse = r(1 / r(Math.sqrt(r(variance + 1e-5))))
  const xhat = centered.map(v => r(v * inverse))
  const h = xhat.map(v => r(Math.tanh(r(r(r(gamma) * v) + r(beta)))))
  let loss = 0
  const probs = logits.map((rest, b) => {
    const row = rest.map((v, k) => r(r(v) + r(h[b] * r(out[k]))))
    const top = Math.max(...row)
    const counts = row.map(v => r(Math.exp(r(v - top))))
    const total = counts.reduce((sum, v) => r(sum + v), 0)
    loss = r(loss - r(r(row[answers[b]] - top) - r(Math.log(total))))
    return keep.wanted ? counts.map(v => v / total) : null
  })
  Object.assign(keep, { inverse, xhat, h, probs })
  return r(loss / B)
}

// Back from the loss to the weight, by the closed forms of the chapter.
nudge.gradient = (data, weight) => {
  const kept = { wanted: true }
  nudge.loss(data, weight, nudge.round.float64, kept)
  const { inputs, gamma, out, answers } = data
  const B = inputs.length
  const sum = (a, b) => a.reduce((total, v, i) => total + v * (b ? b[i] : 1), 0)
  const dh = kept.probs.map((p, b) => sum(p.map((v, k) => (v - (k === answers[b])) / B), out))
  const dy = dh.map((v, b) => v * (1 - kept.h[b] ** 2))
  const [level, slope] = [sum(dy) / B, sum(dy, kept.xhat) / (B - 1)]
  const dpre = dy.map((v, b) => gamma * kept.inverse * (v - level - kept.xhat[b] * slope))
  return sum(dpre, inputs)
}

nudge.secant = (data, weight, size, r) => {
  const [above, below] = [1, -1].map(side => nudge.loss(data, weight + side * size, r))
  return { above, below, slope: (above - below) / (2 * size) }
}

nudge.show = v => {
  if (v === 0) return "0"
  const text = Math.abs(v) < 1e-4 ? v.toExponential(3) : v.toFixed(8)
  return text.replace(/^-/, "−")
}

nudge.power = v => (v === 0 ? "0" : v >= 0.001 ? String(+v.toPrecision(2)) : v.toExponential(0))

charlm.living("nudge", (place, data, { choice, element, perFrame, slider, status, svg }) => {
  const state = { steps: 0, at: 0, type: "float32" }
  const { view } = nudge
  const weight = () => data.weight + state.steps / 100
  const size = () => nudge.sizes[state.at]
  const r = () => nudge.round[state.type]
  const text = (x, y, words, kind = "text") => svg(kind, { x, y }, words)
  const path = points => points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(2)}`).join("")

  // A plot: its box on the screen, and lines that are drawn anew.
  const plot = (label, [left, right, top, bottom], height, ...more) => {
    const p = { ticks: svg("g"), marks: svg("g"), left, right, top, bottom }
    for (const kind of ["curve", "other", "tangent", "secant"]) p[kind] = svg(`path.nudge-${kind}`)
    const id = `nudge-${label}`
    p.all = svg("svg.nudge-plot", { role: "img", viewBox: `0 0 480 ${height}` },
      svg("clipPath", { id }, svg("rect", { x: left, y: top - 4, width: right - left, height: bottom - top + 4 })),
      p.ticks, svg("g", { "clip-path": `url(#${id})` }, p.other, p.curve, p.tangent, p.secant), p.marks, ...more)
    p.scale = ([x0, x1], [y0, y1]) => {
      p.x = v => left + ((right - left) * (v - x0)) / (x1 - x0)
      p.y = v => bottom - ((bottom - top) * (v - y0)) / (y1 - y0)
      p.line = (x, y, slope) => path([x0, x1].map(at => [p.x(at), p.y(y + slope * (at - x))]))
    }
    return p
  }
  const whole = plot("whole", [58, 472, 30, 250], 290)
  const lens = plot("lens", [58, 472, 34, 190], 226)
  const error = plot("error", [58, 472, 30, 196], 240)

  // The whole curve does not depend on what the reader does.
  const curve = Array.from({ length: 121 }, (_, i) => {
    const w = data.weight - view + (2 * view * i) / 120
    return [w, nudge.loss(data, w, nudge.round.float64)]
  })
  const heights = curve.map(([, y]) => y)
  const [low, high] = [Math.min(...heights), Math.max(...heights)]
  const margin = (high - low) * 0.15
  whole.scale([data.weight - view, data.weight + view], [low - margin, high + margin])
  whole.curve.setAttribute("d", path(curve.map(([x, y]) => [whole.x(x), whole.y(y)])))
  const level = v => [svg("path.nudge-grid", { d: `M58 ${whole.y(v)}H472` }), text(50, whole.y(v) + 4, v.toFixed(3), "text.nudge-tick")]
  whole.ticks.append(
    text(0, 14, "Loss along one weight", "text.nudge-title"),
    ...[low, (low + high) / 2, high].flatMap(level),
    svg("path.nudge-axis", { d: "M58 250H472" }),
    ...[-2, -1, 0, 1, 2].map(v => text(whole.x(v), 268, String(v).replace("-", "−"), "text.nudge-below")),
    text(265, 286, "the weight", "text.nudge-below"),
  )

  const move = slider({ label: "Weight", min: -nudge.reach, max: nudge.reach, step: 1, value: 0,
    show: v => (data.weight + v / 100).toFixed(2).replace("-", "−"), change: v => change({ steps: v }) })
  const input = move.querySelector("input")
  const rows = ["Backpropagation", "Nudging", "Difference"].map(name => ({ name, cell: element("td") }))
  const swatch = kind => svg("svg.nudge-swatch", { viewBox: "0 0 26 8", width: 26, height: 8, "aria-hidden": "true" }, svg(`path.nudge-${kind}`, { d: "M0 4H26" }))
  const table = element("table.nudge-numbers", {}, element("tbody", {}, ...rows.map(({ name, cell }, i) =>
    element("tr", {}, element("th", { scope: "row" }, ...(i < 2 ? [swatch(i ? "secant" : "tangent")] : []), name), cell))))
  const says = status()
  place.append(
    element("div.living-columns", {},
      element("div", {}, whole.all, lens.all),
      element("div", {},
        element("div.living-narrow", {}, move,
          slider({ label: "Nudge ε", min: 1 - nudge.sizes.length, max: 0, step: 1, value: 0,
            show: k => nudge.power(nudge.sizes[-k]), change: k => change({ at: -k }) }),
          choice({ label: "Numbers", options: ["float32", "float64"].map(name => [name, name]), value: state.type, change: type => change({ type }) })),
        table, error.all, says)),
  )

  const draw = perFrame(paint)
  function change(what) {
    Object.assign(state, what)
    draw()
  }

  // Drag the point, or touch the curve anywhere.
  const drag = event => {
    const box = whole.all.getBoundingClientRect()
    const x = ((event.clientX - box.left) / box.width) * 480
    const w = data.weight + ((x - 265) / (472 - 58)) * 2 * view
    const steps = Math.round(100 * (w - data.weight))
    input.value = Math.max(-nudge.reach, Math.min(nudge.reach, steps))
    input.dispatchEvent(new Event("input"))
  }
  whole.all.addEventListener("pointerdown", event => {
    whole.all.setPointerCapture(event.pointerId)
    drag(event)
  })
  whole.all.addEventListener("pointermove", event => whole.all.hasPointerCapture(event.pointerId) && drag(event))

  // The errors of all sizes, for both types, at one weight: only a new weight asks for new ones.
  let known = {}
  function errors() {
    if (known.weight === weight()) return known
    const exact = nudge.gradient(data, weight())
    const of = round => nudge.sizes.map(e => Math.abs(nudge.secant(data, weight(), e, round).slope - exact))
    return (known = { weight: weight(), exact, float32: of(nudge.round.float32), float64: of(nudge.round.float64) })
  }

  function paint() {
    const { exact } = errors()
    const { above, below, slope } = nudge.secant(data, weight(), size(), r())
    Object.assign(place, { shown: { weight: weight(), size: size(), exact, slope } })
    const here = nudge.loss(data, weight(), r())
    paintWhole(exact, slope, here, above, below)
    paintLens(exact, slope, here, above, below)
    paintError(slope - exact)
    for (const [i, v] of [exact, slope, slope - exact].entries()) rows[i].cell.textContent = nudge.show(v)
    says.textContent = verdict(slope)
  }

  const middle = (below, above) => (above + below) / 2

  function points(p, here, above, below) {
    const ring = (v, y) => svg("circle.nudge-ring", { cx: p.x(v), cy: p.y(y), r: 5 })
    p.marks.replaceChildren(
      ring(weight() - size(), below), ring(weight() + size(), above),
      svg("circle.nudge-dot", { cx: p.x(weight()), cy: p.y(here), r: 7 }))
  }

  function paintWhole(exact, slope, here, above, below) {
    whole.tangent.setAttribute("d", whole.line(weight(), here, exact))
    whole.secant.setAttribute("d", whole.line(weight(), middle(below, above), slope))
    points(whole, here, above, below)
    whole.all.setAttribute("aria-label",
      `The loss along the weight; at ${weight().toFixed(2)} it is ${here.toFixed(4)}, its slope by backpropagation ${nudge.show(exact)}, by nudging ${nudge.show(slope)}`)
  }

  // The same, seen so near that the nudge fills the picture.
  function paintLens(exact, slope, here, above, below) {
    const at = Array.from({ length: 65 }, (_, i) => weight() + (size() * (i - 32)) / 16)
    const seen = at.map(w => nudge.loss(data, w, r()))
    const ends = [-2, 2].map(k => here + k * size() * exact)
    const [least, most] = [Math.min(...seen, ...ends), Math.max(...seen, ...ends)]
    const room = (most - least) * 0.1 || 1e-15
    lens.scale([at[0], at[64]], [least - room, most + room])
    lens.curve.setAttribute("d", path(at.map((w, i) => [lens.x(w), lens.y(seen[i])])))
    lens.tangent.setAttribute("d", lens.line(weight(), here, exact))
    lens.secant.setAttribute("d", lens.line(weight(), middle(below, above), slope))
    points(lens, here, above, below)
    lens.ticks.replaceChildren(
      text(0, 14, "The same, as near as the nudge", "text.nudge-title"),
      svg("path.nudge-axis", { d: "M58 190H472" }),
      ...[["− ε", 161.5], ["w", 265], ["+ ε", 368.5]].map(([name, x]) => text(x, 208, name, "text.nudge-below")),
      svg("path.nudge-measure", { d: "M24 34V190M20 34H28M20 190H28" }),
      text(24, 208, nudge.power(most - least + 2 * room), "text.nudge-below"),
    )
    lens.all.setAttribute("aria-label", `The loss between the weight minus and plus twice ${nudge.power(size())}, in ${state.type}`)
  }

  function paintError(gap) {
    const all = errors()
    error.scale([-12, 0], [-14, 1])
    const height = v => error.y(Math.min(Math.max(Math.log10(v || 1e-99), -14), 1))
    const line = name => all[name].map((v, k) => [error.x(-k / 3), height(v)])
    const other = state.type === "float32" ? "float64" : "float32"
    error.curve.setAttribute("d", path(line(state.type)))
    error.other.setAttribute("d", path(line(other)))
    error.ticks.replaceChildren(
      text(0, 14, "Error of the nudged gradient", "text.nudge-title"),
      ...[0, -4, -8, -12].flatMap(power => [
        svg("path.nudge-grid", { d: `M58 ${error.y(power)}H472` }),
        text(50, error.y(power) + 4, power ? `1e${power}` : "1", "text.nudge-tick"),
      ]),
      svg("path.nudge-axis", { d: "M58 196H472" }),
      ...[0, -4, -8, -12].map(power => text(error.x(power), 214, power ? `1e${power}` : "1", "text.nudge-below")),
      text(265, 234, "nudge ε", "text.nudge-below"),
      ...["float32", "float64"].map(name => {
        // The curve of float64 falls from the left: below it there is room.
        const y = name === "float32" ? line(name).at(-1)[1] - 9 : error.y(-9)
        return text(error.left + 4, y, name, name === state.type ? "text.nudge-own" : "text.nudge-end")
      }),
    )
    error.marks.replaceChildren(svg("circle.nudge-dot", { cx: error.x(-state.at / 3), cy: height(Math.abs(gap)), r: 6 }))
    error.all.setAttribute("aria-label", `The error against the nudge, in ${state.type}; now ${nudge.power(Math.abs(gap))}`)
  }

  function verdict(slope) {
    const { exact, [state.type]: list } = errors()
    const best = list.indexOf(Math.min(...list))
    const gap = Math.abs(slope - exact)
    const digits = Math.floor(-Math.log10(gap / Math.abs(exact)))
    const agree = digits > 0 ? ` About ${digits} digit${digits > 1 ? "s" : ""} agree${digits > 1 ? "" : "s"}.` : " Not one digit agrees."
    if (slope === 0) return "The change of the loss is rounded away: both losses are equal, and the secant is level."
    if (Math.abs(state.at - best) <= 2) return `Near the best nudge of ${state.type}.${agree}`
    if (state.at < best) return `A large nudge: the loss bends between the two points, so the secant is not the tangent.${agree}`
    return `A small nudge: two nearly equal losses are subtracted, and rounding is a large part of what remains.${agree}`
  }

  paint()
})
