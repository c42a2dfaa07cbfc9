// One step after the other, backwards through the computation graph of the chapter: first
// the reader says which shape a gradient has, then it is shown. The graph, the rules and the
// words stand here; the numbers are the chapter's own:
//
//   { loss, steps: [{ name, shape, value, grad, norm, exact, gap }, ...] }
//
// in the order of the walk. `value` and `grad` are { columns, largest, cells }, where cells is
// a letter for each number: 0, or its size, a to y if it is positive, A to Y if not.

const walk = {}

// name: [column, row, letters of the shape, forward, backward, in words]; column 0
// holds what is given, 1 the way down, 2 the branches.
walk.nodes = {
  y: [0, 17, "(B,)"],
  loss: [1, 17, "()", "loss = -log_probs[n, y].mean()", "dloss = 1",
    "The walk starts here: the loss rises as steeply as itself."],
  log_probs: [1, 16, "(B, V)", "log_probs = probs.log()", "dlog_probs[n, y] = -1 / B",
    "The mean takes one entry of each row, with a minus and a share of 1/B. All others get 0."],
  probs: [1, 15, "(B, V)", "probs = counts * inv_total", "dprobs = dlog_probs / probs",
    "The slope of the logarithm of p is 1/p."],
  inv_total: [2, 15, "(B, 1)", "inv_total = total**-1", "dinv_total = (dprobs * counts).sum(dim=1, keepdim=True)",
    "A product: the slope with respect to one factor is the other. The column was stretched over the row, so sum along it."],
  total: [2, 14, "(B, 1)", "total = counts.sum(dim=1, keepdim=True)", "dtotal = -(total**-2) * dinv_total",
    "The slope of the reciprocal 1/t is −1/t²."],
  counts: [1, 13, "(B, V)", "counts = shifted.exp()", "dcounts = dcounts_1 + dtotal",
    "Used twice, in probs and in total: two gradients arrive, dcounts_1 = dprobs * inv_total and dtotal, and add."],
  shifted: [1, 12, "(B, V)", "shifted = logits - top", "dshifted = dcounts * counts",
    "The exponential is its own slope, and its value is counts."],
  top: [2, 11, "(B, 1)", "top = logits.max(dim=1, keepdim=True).values", "dtop = -dshifted.sum(dim=1, keepdim=True)",
    "Subtracted, so a minus; stretched over the row, so a sum. It is zero up to rounding: top cannot change the loss."],
  logits: [1, 10, "(B, V)", "logits = h @ W2 + b2", "dlogits = dshifted + picked * dtop",
    "Used twice: along the direct path, and at the largest entry of each row also through top. The two add."],
  h: [1, 9, "(B, H)", "h = hpreact.tanh()", "dh = dlogits @ W2.T",
    "A linear layer: the gradient goes back through the transposed weights."],
  W2: [0, 9.65, "(H, V)", "", "dW2 = h.T @ dlogits",
    "Each example adds what came in times how much the output was to blame."],
  b2: [0, 10.35, "(V,)", "", "db2 = dlogits.sum(dim=0)",
    "The bias was copied to each row of the batch, so sum over the batch."],
  hpreact: [1, 8, "(B, H)", "hpreact = gamma * xhat + beta", "dhpreact = (1 - h**2) * dh",
    "The slope of tanh is 1 − tanh². Where h is near ±1, little gets through."],
  gamma: [0, 7.65, "(H,)", "", "dgamma = (dhpreact * xhat).sum(dim=0)",
    "A product: the other factor is xhat. Stretched over the batch, so sum over it."],
  beta: [0, 8.35, "(H,)", "", "dbeta = dhpreact.sum(dim=0)",
    "Added to each row of the batch, so sum over the batch."],
  xhat: [1, 7, "(B, H)", "xhat = centered * inv_std", "dxhat = dhpreact * gamma",
    "A product: the slope with respect to xhat is gamma."],
  inv_std: [2, 7, "(H,)", "inv_std = (var + 1e-5) ** -0.5", "dinv_std = (dxhat * centered).sum(dim=0)",
    "A product again, with a factor stretched over the batch: the other factor, summed."],
  var: [2, 6, "(H,)", "var = squared.sum(0) / (B - 1)", "dvar = -0.5 * inv_std**3 * dinv_std",
    "The slope of v to the power −½ is −½ times v to the power −3/2."],
  squared: [2, 5, "(B, H)", "squared = centered**2", "dsquared = (dvar / (B - 1)).expand(B, n_hidden)",
    "A sum passes its gradient to each summand, here with a share of 1/(B − 1)."],
  centered: [1, 4, "(B, H)", "centered = hpre - mean", "dcentered = dcentered_1 + 2 * centered * dsquared",
    "Used twice, in xhat and in squared: dcentered_1 = dxhat * inv_std comes along the direct path, and the two add."],
  mean: [2, 3, "(H,)", "mean = hpre.sum(0) / B", "dmean = -dcentered.sum(dim=0)",
    "Subtracted from each row of the batch: a minus, and a sum."],
  hpre: [1, 2, "(B, H)", "hpre = flat @ W1 + b1", "dhpre = dcentered + dmean / B",
    "Used twice: along the direct path, and with a share of 1/B through the mean. The two add."],
  flat: [1, 1, "(B, T·C)", "flat = emb.view(B, -1)", "dflat = dhpre @ W1.T",
    "A linear layer: back through the transposed weights."],
  W1: [0, 1.65, "(T·C, H)", "", "dW1 = flat.T @ dhpre",
    "What came in times how much the output was to blame, summed over the batch."],
  b1: [0, 2.35, "(H,)", "", "db1 = dhpre.sum(dim=0)",
    "Sum over the batch. It is zero up to rounding: the mean subtracts a bias again."],
  emb: [1, 0, "(B, T, C)", "emb = C[x]", "demb = dflat.view(emb.shape)",
    "The same numbers, with other brackets around them."],
  C: [0, 0, "(V, C)", "", "dC.index_add_(0, x.flatten(), demb.view(-1, n_embd))",
    "Each place that looked a row up sends a gradient back to it, and they add."],
}

// [from, to]: to is computed from from.
walk.edges = [
  "C emb", "emb flat", "flat hpre", "W1 hpre", "b1 hpre", "hpre centered", "hpre mean",
  "mean centered", "centered xhat", "centered squared", "squared var", "var inv_std",
  "inv_std xhat", "xhat hpreact", "gamma hpreact", "beta hpreact", "hpreact h",
  "h logits", "W2 logits", "b2 logits", "logits shifted", "logits top", "top shifted",
  "shifted counts", "counts probs", "counts total", "total inv_total",
  "inv_total probs", "probs log_probs", "log_probs loss", "y loss",
].map(edge => edge.split(" "))

walk.columns = [[40, 66], [166, 92], [282, 84]] // the middle and the width of each
walk.box = 26

walk.at = name => {
  const [column, row] = walk.nodes[name]
  const [x, width] = walk.columns[column]
  return { x, y: 20 + 42 * row, left: x - width / 2, right: x + width / 2, width, column }
}

walk.path = (from, to) => {
  const [a, b] = [walk.at(from), walk.at(to)]
  const half = walk.box / 2
  if (a.column === 0) return `M${a.right} ${a.y}L${b.left} ${b.y + (a.y - b.y) / 4}`
  if (a.column === b.column) return `M${a.x} ${a.y + half}V${b.y - half}`
  if (a.column === 1) return `M${a.right} ${a.y + 6}H${b.x}V${b.y - half}`
  if (a.y === b.y) return `M${a.left} ${a.y}H${b.right}`
  return `M${a.x} ${a.y + half}V${b.y - 6}H${b.right}`
}

walk.number = v => {
  if (v === 0) return "0"
  const size = Math.abs(v)
  const text = size < 0.001 || size >= 1000 ? v.toExponential(1) : v.toFixed(size < 0.1 ? 4 : 3)
  return text.replace(/^-/, "−")
}

walk.consumers = name => walk.edges.filter(([from]) => from === name).map(([, to]) => to)

// The right shape and two others that occur nearby, in an order that gives nothing away.
walk.choices = name => {
  const near = walk.edges.filter(edge => edge.includes(name)).flat()
  const shapes = [...near.map(other => walk.nodes[other][2]), "(B, 1)", "(H,)", "(B, V)", "(B, H)"]
  const right = walk.nodes[name][2]
  const others = [...new Set(shapes)].filter(shape => shape !== right && shape !== "()")
  return [right, ...others.slice(0, 2)].sort()
}

walk.TONES = { positive: [47, 117, 184], negative: [222, 106, 32] } // they work on light and dark

// A tensor as a picture, one small square for each number.
walk.map = ({ columns, largest, cells }, label, element) => {
  const rows = cells.length / columns
  const size = Math.max(2, Math.floor(Math.min(8, 250 / columns, 210 / rows)))
  const zeros = [...cells].filter(letter => letter === "0").length / cells.length
  const canvas = element("canvas.walk-map", { width: columns, height: rows, role: "img",
    "aria-label": `${label}, ${rows} by ${columns}: largest ${walk.number(largest)}, ${(100 * zeros).toFixed(0)} % about zero`,
    style: `width: ${size * columns}px; height: ${size * rows}px` })
  const pixels = new ImageData(columns, rows)
  ;[...cells].forEach((letter, i) => {
    const code = letter.charCodeAt(0)
    const [tone, level] = code > 96 ? ["positive", code - 96] : ["negative", Math.max(0, code - 64)]
    pixels.data.set([...walk.TONES[tone], (255 * level) / 25], 4 * i)
  })
  canvas.getContext("2d").putImageData(pixels, 0, 0)
  return canvas
}

charlm.living("backward", (place, data, { button, calm, element, status, svg }) => {
  const one = v => ({ columns: 1, largest: v, cells: "y" })
  const loss = { name: "loss", shape: [], value: one(data.loss), grad: one(1), norm: 1 }
  const steps = new Map([loss, ...data.steps].map(step => [step.name, step]))
  const order = [...steps.keys()]
  const known = new Set()
  const right = new Set()
  let now
  let picked

  const edges = walk.edges.map(([from, to]) => ({ from, to, drawn: svg("path.edge", { d: walk.path(from, to) }) }))
  const boxes = Object.keys(walk.nodes).map(name => {
    const { x, y, left, width } = walk.at(name)
    const text = svg("text", { x, y: y + 4.5, "text-anchor": "middle" }, name)
    const frame = svg("rect", { x: left, y: y - walk.box / 2, width, height: walk.box, rx: 6 })
    const does = steps.has(name) ? { role: "button", onclick: () => go(name), onkeydown: keys } : {}
    return { name, text, y, drawn: svg("g.node", does, frame, text) }
  })
  const tip = kind =>
    svg("marker", { id: `living-tip-${kind}`, class: kind, viewBox: "0 0 10 10", refX: 9, refY: 5,
      markerWidth: 8, markerHeight: 8, markerUnits: "userSpaceOnUse", orient: "auto-start-reverse" }, svg("path", { d: "M0 0 10 5 0 10z" }))
  const graph = svg("svg", { role: "group", viewBox: "0 0 330 756", width: 330, height: 756 },
    svg("defs", {}, tip("ahead"), tip("back"), tip("walked")),
    ...edges.map(edge => edge.drawn), ...boxes.map(box => box.drawn))

  const asks = () => !known.has(now) && ready(now)
  const next = button("", () => (asks() ? show() : go(order.find(name => !known.has(name)) ?? now)))
  next.classList.add("living-main")
  const again = button("Start again", start)
  const window_ = element("div.living-graph", {}, graph)
  const panel = element("div.living-node")
  const says = status()
  place.append(element("div.living-columns.living-walk", {}, window_,
    element("div", {}, element("div.living-row", {}, next, again), says, panel)))

  const ready = name => walk.consumers(name).every(consumer => known.has(consumer))
  const missing = name => walk.consumers(name).filter(consumer => !known.has(consumer)).map(consumer => `d${consumer}`)

  // The nodes are one stop of the tab key; arrows lead from one to the next.
  function keys(event) {
    const by = { ArrowUp: 1, ArrowDown: -1, ArrowLeft: 1, ArrowRight: -1 }[event.key]
    if (event.key === "Enter" || event.key === " ") go(event.currentTarget.dataset.name)
    else if (by) go(order[Math.min(Math.max(order.indexOf(now) + by, 0), order.length - 1)])
    else return
    event.preventDefault()
    boxes.find(box => box.name === now).drawn.focus()
  }

  function go(name) {
    now = name
    picked = undefined
    draw()
    const middle = boxes.find(box => box.name === name).y - window_.clientHeight / 2
    window_.scrollTo({ top: middle, behavior: calm() ? "auto" : "smooth" })
  }

  // The gradient of this node is known from now on, and what it was made of stays drawn.
  function show(choice) {
    if (!ready(now)) return
    picked = choice
    if (choice === walk.nodes[now][2]) right.add(now)
    known.add(now)
    draw()
  }

  function draw() {
    for (const { name, drawn, text } of boxes) {
      const state = [name === now && "now", known.has(name) ? "known" : "open"].filter(Boolean).join(" ")
      drawn.setAttribute("class", `node ${state}`)
      text.textContent = known.has(name) ? `d${name}` : name
      if (!steps.has(name)) continue
      drawn.dataset.name = name
      drawn.setAttribute("tabindex", name === now ? 0 : -1)
      drawn.setAttribute("aria-label", `${text.textContent}: gradient ${known.has(name) ? "known" : ready(name) ? "next" : "open"}`)
      drawn.setAttribute("aria-pressed", name === now)
    }
    for (const { from, drawn } of edges) {
      const walked = known.has(from)
      const kind = walked ? (from === now ? "back" : "walked") : "ahead"
      drawn.setAttribute("class", `edge ${kind}`)
      drawn.setAttribute("marker-start", walked ? `url(#living-tip-${kind})` : "none")
      drawn.setAttribute("marker-end", walked ? "none" : "url(#living-tip-ahead)")
    }
    const over = known.size === order.length
    next.textContent = asks() ? `Show d${now}` : "Next gradient"
    next.setAttribute("aria-disabled", over)
    panel.replaceChildren(...details(steps.get(now)))
    says.textContent = sentence(over)
    graph.setAttribute("aria-label", `Computation graph at ${now}; known so far: ${[...known].map(n => "d" + n).join(", ")}`)
  }

  const code = text => element("code", {}, text)

  function agreement({ exact, gap }) {
    if (exact === undefined) return "It is given, not computed."
    return exact ? "Equal to autograd's, bit by bit." : `Largest difference from autograd's: ${walk.number(gap)}.`
  }

  function details(node) {
    const { name } = node
    const [, , letters, made, rule, words] = walk.nodes[name]
    const used = made || walk.nodes[walk.consumers(name)[0]][3]
    const title = [element("strong", {}, known.has(name) ? `d${name}` : name)]
    const forward = element("p", {}, made ? "Forward: " : "A parameter, used in ", code(used))
    if (!known.has(name)) {
      if (!ready(name)) return [element("p.living-name", {}, ...title), forward, element("p", {}, `Its gradient needs ${missing(name).join(" and ")} first.`)]
      const shapes = walk.choices(name).map(shape => button(shape, () => show(shape)))
      return [element("p.living-name", {}, ...title), forward,
        element("div.walk-quiz", { role: "group", "aria-label": `The shape of d${name}` }, element("p", {}, `What is the shape of d${name}?`), element("div.living-row", {}, ...shapes))]
    }
    const shape = node.shape.length === 1 ? `(${node.shape[0]},)` : `(${node.shape.join(", ")})`
    title.push(node.shape.length ? ` ${letters} = ${shape}` : " a single number")
    const one = node.shape.length === 0
    const pair = [["value", name], ["grad", `d${name}`]].map(([key, of]) =>
      element("div", {}, element("p.living-label", {}, code(of), one ? ` ${walk.number(node[key].largest)}` : ` largest ${walk.number(node[key].largest)}`),
        walk.map(node[key], of, element)))
    return [
      element("p.living-name", {}, ...title),
      ...(picked ? [verdict(name, letters)] : []),
      forward,
      element("p", {}, "Backward: ", code(rule)),
      element("p", {}, words),
      element("div.walk-maps", {}, ...pair),
      element("p.living-label", {}, `Blue is positive, orange negative. Norm of the gradient: ${walk.number(node.norm)}. `, agreement(node)),
    ]
  }

  function verdict(name, letters) {
    const good = picked === letters
    return element(`p.walk-${good ? "right" : "wrong"}`, {}, element("strong", {}, good ? "Right." : "Not yet."),
      ` A gradient has the shape of its tensor: ${name} is ${letters}` + (good ? "." : `, not ${picked}.`))
  }

  function sentence(over) {
    const last = order.length - 1
    const from = walk.consumers(now)
    if (!known.has(now)) return ready(now) ? `Next: d${now}, from ${from.map(n => "d" + n).join(" and ")}.` : `d${now} is not within reach yet.`
    if (now === "loss") return `The gradient of the loss is 1. There are ${last + 1 - known.size} more to find.`
    const arrives = `d${now} arrives from ${from.join(" and ")}. ${known.size - 1} of ${last} are known.`
    if (!over) return arrives
    const worst = Math.max(...data.steps.map(s => s.gap))
    const equal = data.steps.filter(s => s.exact).length
    return `${arrives} ${equal} are equal to autograd's bit by bit, and none differs by more than ${walk.number(worst)}. ` +
      `You predicted ${right.size} of ${last} shapes.`
  }

  // The gradient of the loss is given; the first question is open.
  function start() {
    known.clear()
    right.clear()
    known.add("loss")
    go(order[1])
  }

  start()
  requestAnimationFrame(() => (window_.scrollTop = window_.scrollHeight)) // in the page by now
})
