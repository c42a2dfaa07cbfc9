// One step after the other, backwards through the computation graph of the chapter.
// The graph, the rules and the words stand here; the numbers are the chapter's own:
//
//   { loss, steps: [{ name, shape, value, grad, norm, exact, largest }, ...] }
//
// in the order of the walk; `value` and `grad` are corners of the tensors.

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

walk.columns = [[36, 66], [160, 92], [272, 84]] // the middle and the width of each
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
  return text.replaceAll("-", "−")
}

charlm.living("backward", (place, data, { button, calm, element, status, svg }) => {
  const loss = { name: "loss", shape: [], value: [[data.loss]], grad: [[1]], norm: 1 }
  const steps = [loss, ...data.steps]
  const last = steps.length - 1
  let step = 0

  const edges = walk.edges.map(([from, to]) => ({ from, to, drawn: svg("path.edge", { d: walk.path(from, to) }) }))
  const boxes = Object.keys(walk.nodes).map(name => {
    const { x, y, left, width } = walk.at(name)
    const text = svg("text", { x, y: y + 4.5, "text-anchor": "middle" }, name)
    const frame = { x: left, y: y - walk.box / 2, width, height: walk.box, rx: 6 }
    return { name, text, y, drawn: svg("g.node", {}, svg("rect", frame), text) }
  })
  const tip = kind =>
    svg("marker", { id: `living-tip-${kind}`, class: kind, viewBox: "0 0 10 10", refX: 9, refY: 5,
      markerWidth: 7, markerHeight: 7, orient: "auto-start-reverse" }, svg("path", { d: "M0 0 10 5 0 10z" }))
  const graph = svg("svg", { role: "img", viewBox: "0 0 318 756", width: 318, height: 756 },
    svg("defs", {}, tip("ahead"), tip("back")),
    ...edges.map(edge => edge.drawn), ...boxes.map(box => box.drawn))

  const next = button("Next gradient", () => go(step + 1))
  const previous = button("Previous gradient", () => go(step - 1))
  const window_ = element("div.living-graph", { tabindex: 0, role: "region", "aria-label": "The graph, scrollable" }, graph)
  const panel = element("div.living-node")
  const says = status()
  place.append(
    element("div.living-row", {}, next, previous, button("Start again", () => go(0))),
    says,
    element("div.living-walk", {}, window_, panel),
  )

  const consumers = name => walk.edges.filter(([from]) => from === name).map(([, to]) => to)

  function corner(rows) {
    const cells = rows.map(row => element("tr", {}, ...row.map(v => element("td", {}, walk.number(v)))))
    return element("table.living-corner", {}, element("tbody", {}, ...cells))
  }

  function agreement({ exact, largest }) {
    if (exact === undefined) return "Given, not compared."
    return exact ? "Equal to autograd's, bit by bit." : `Largest difference from autograd's: ${walk.number(largest)}.`
  }

  function details(node) {
    const [, , letters, made, rule, words] = walk.nodes[node.name]
    const shape = node.shape.length === 1 ? `(${node.shape[0]},)` : `(${node.shape.join(", ")})`
    const part = node.shape.length ? (node.shape.length > 1 ? ", its first rows and columns" : ", its first entries") : ""
    const code = text => element("code", {}, text)
    return [
      element("p.living-name", {}, element("strong", {}, node.name), node.shape.length ? ` ${letters} = ${shape}` : " a single number"),
      element("p", {}, made ? "Forward: " : "A parameter, given.", ...(made ? [code(made)] : [])),
      element("p.living-label", {}, `Value${part}`),
      corner(node.value),
      element("p", {}, "Backward: ", code(rule)),
      element("p", {}, words),
      element("p.living-label", {}, `Gradient${part}`),
      corner(node.grad),
      element("p", {}, `Norm of the gradient: ${walk.number(node.norm)}. `, agreement(node)),
    ]
  }

  function go(to) {
    step = Math.min(Math.max(to, 0), last)
    const node = steps[step]
    const known = new Set(steps.slice(0, step + 1).map(s => s.name))
    for (const { name, drawn, text } of boxes) {
      const state = name === node.name ? "now" : known.has(name) ? "known" : "open"
      drawn.setAttribute("class", `node ${state}`)
      text.textContent = known.has(name) ? `d${name}` : name
    }
    for (const { from, to, drawn } of edges) {
      const flows = from === node.name
      drawn.setAttribute("class", flows ? "edge flows" : "edge")
      drawn.setAttribute("marker-start", flows ? "url(#living-tip-back)" : "none")
      drawn.setAttribute("marker-end", flows ? "none" : "url(#living-tip-ahead)")
    }
    next.setAttribute("aria-disabled", step === last)
    previous.setAttribute("aria-disabled", step === 0)
    panel.replaceChildren(...details(node))
    says.textContent = sentence(node)
    graph.setAttribute("aria-label", `Computation graph at ${node.name}; known so far: ${[...known].map(n => "d" + n).join(", ")}`)
    const middle = boxes.find(box => box.name === node.name).y - window_.clientHeight / 2
    window_.scrollTo({ top: middle, behavior: calm() ? "auto" : "smooth" })
  }

  function sentence(node) {
    const from = consumers(node.name)
    if (step === 0) return `Start: the gradient of the loss is 1. There are ${last} more to find.`
    const arrives = `Step ${step} of ${last}: d${node.name} arrives from ${from.join(" and ")}.`
    if (step < last) return arrives
    const worst = Math.max(...data.steps.map(s => s.largest))
    const equal = data.steps.filter(s => s.exact).length
    return (
      `${arrives} That was the last: all ${last} gradients are found, ${equal} of them equal to ` +
      `autograd's bit by bit, and none differs by more than ${walk.number(worst)}.`
    )
  }

  go(0)
  requestAnimationFrame(() => go(step)) // in the page by now, where it can scroll
})
