// Ten layers of 100 units, computed here: how the gain, the activation and batch
// normalization shape what each layer puts out. As in the chapter, an output of size
// above 0.97 is saturated, and a unit that is zero for the whole batch is dead.

const gain = { depth: 10, width: 100, batch: 64, threshold: 0.97 }

gain.activations = {
  tanh: { f: Math.tanh, low: -1, high: 1 },
  ReLU: { f: z => Math.max(z, 0), low: 0, high: 4 },
  none: { f: z => z, low: -4, high: 4 },
}

// n numbers, standard normal, by Box and Muller.
gain.normals = (n, random) =>
  Float64Array.from({ length: n }, () => {
    const size = Math.sqrt(-2 * Math.log(1 - random()))
    return size * Math.cos(2 * Math.PI * random())
  })

// x @ W * scale: (batch, width), (width, width) -> (batch, width).
gain.linear = (x, W, scale) => {
  const { batch, width } = gain
  const z = new Float64Array(batch * width)
  for (let b = 0; b < batch; b++)
    for (let i = 0; i < width; i++) {
      const entry = x[b * width + i] * scale
      for (let j = 0; j < width; j++) z[b * width + j] += entry * W[i * width + j]
    }
  return z
}

// Each unit less its mean over the batch, divided by its deviation; gamma 1, beta 0.
gain.normalize = z => {
  const { batch, width } = gain
  for (let j = 0; j < width; j++) {
    let mean = 0
    let variance = 0
    for (let b = 0; b < batch; b++) mean += z[b * width + j] / batch
    for (let b = 0; b < batch; b++) variance += (z[b * width + j] - mean) ** 2 / batch
    const scale = 1 / Math.sqrt(variance + 1e-5)
    for (let b = 0; b < batch; b++) z[b * width + j] = (z[b * width + j] - mean) * scale
  }
  return z
}

gain.forward = (net, { size, activation, norm }) => {
  const { f } = gain.activations[activation]
  let h = net.inputs
  return net.weights.map(W => {
    const z = gain.linear(h, W, size / Math.sqrt(gain.width))
    h = (norm ? gain.normalize(z) : z).map(f)
    return h
  })
}

gain.measure = h => {
  const { batch, width, threshold } = gain
  const share = test => h.reduce((count, v) => count + test(v), 0) / h.length
  const mean = h.reduce((sum, v) => sum + v, 0) / h.length
  const squares = h.reduce((sum, v) => sum + (v - mean) ** 2, 0)
  let dead = 0
  for (let j = 0; j < width; j++) {
    let alive = false
    for (let b = 0; b < batch; b++) alive ||= h[b * width + j] !== 0
    dead += !alive
  }
  return {
    std: Math.sqrt(squares / (h.length - 1)),
    saturated: share(v => Math.abs(v) > threshold),
    zero: share(v => v === 0),
    dead,
  }
}

// The edges of 60 bins; those of tanh end in two that hold what is saturated.
gain.edges = activation => {
  const { low, high } = gain.activations[activation]
  const tanh = activation === "tanh"
  const [from, to, n] = tanh ? [-gain.threshold, gain.threshold, 58] : [low, high, 60]
  const inner = Array.from({ length: n + 1 }, (_, i) => from + ((to - from) * i) / n)
  return tanh ? [low, ...inner, high] : inner
}

// The height of each bin, 1 for the highest. What lies outside is in the last bin.
gain.histogram = (h, edges) => {
  const heights = new Float64Array(edges.length - 1)
  const [low, high] = [edges[1], edges.at(-2)]
  const step = (high - low) / (heights.length - 2)
  for (const v of h) {
    const bin = v <= low ? 0 : v > high ? heights.length - 1 : Math.ceil((v - low) / step)
    heights[bin] += 1 / (edges[bin + 1] - edges[bin])
  }
  const highest = Math.max(...heights)
  return heights.map(height => height / (highest || 1))
}

gain.show = v => {
  if (v > 0 && (v < 0.01 || v >= 1000)) return v.toExponential(0).replace("e+", "e")
  return v.toFixed(v < 100 ? 2 : 0)
}

gain.percent = v => `${(100 * v).toFixed(0)} %`

gain.columns = {
  tanh: [["saturated", m => gain.percent(m.saturated)]],
  ReLU: [
    ["zero", m => gain.percent(m.zero)],
    ["dead", m => String(m.dead)],
  ],
  none: [],
}

charlm.living("gain", (place, _, { choice, element, random, slider, status, svg }) => {
  const state = { size: 1, activation: "tanh", norm: false }
  const draw = random(2147483647)
  const net = {
    inputs: gain.normals(gain.batch * gain.width, draw),
    weights: Array.from({ length: gain.depth }, () => gain.normals(gain.width ** 2, draw)),
  }
  place.net = net

  const table = element("table.living-layers")
  const says = status()
  const change = name => value => {
    state[name] = value
    update()
  }
  place.append(
    slider({
      label: "Gain",
      min: 0.2,
      max: 4,
      step: 0.01,
      value: state.size,
      show: v => v.toFixed(2),
      change: change("size"),
    }),
    choice({
      label: "Activation",
      options: ["tanh", "ReLU", "none"].map(name => [name, name]),
      value: state.activation,
      change: change("activation"),
    }),
    choice({
      label: "Batch normalization",
      options: [["off", "off"], ["on", "on"]],
      value: "off",
      change: value => change("norm")(value === "on"),
    }),
    table,
    says,
  )

  function picture(h, name) {
    const edges = gain.edges(state.activation)
    const { low, high } = gain.activations[state.activation]
    const x = v => ((100 * (v - low)) / (high - low)).toFixed(2)
    const shown = state.activation === "ReLU" ? h.filter(v => v > 0) : h
    const heights = gain.histogram(shown, edges)
    const bars = (from, to) => {
      let path = `M${x(edges[from])} 24`
      for (let i = from; i < to; i++)
        path += `V${(24 - 22 * heights[i]).toFixed(2)}H${x(edges[i + 1])}`
      return path + "V24Z"
    }
    const [first, last] = state.activation === "tanh" ? [1, 59] : [0, 60]
    const small = h.reduce((count, v) => count + (Math.abs(v) < high / 2), 0) / h.length
    const label = `Histogram of ${name}: ${gain.percent(small)} of its activations are below ${high / 2} in size`
    return svg(
      "svg",
      { role: "img", "aria-label": label, viewBox: "0 0 100 24", preserveAspectRatio: "none" },
      svg("path.bars", { d: bars(first, last) }),
      svg("path.saturated", { d: first ? bars(0, 1) + bars(59, 60) : "" }),
      svg("path.base", { d: `M0 24H100M${x(0)} 24V0` }),
    )
  }

  function axis() {
    const { low, high } = gain.activations[state.activation]
    const beyond = state.activation === "tanh" ? ["", ""] : ["≤ ", "≥ "]
    const ticks = [beyond[0] + low, "0", beyond[1] + high].map(t => t.replace("-", "−"))
    return element("div.living-axis", {}, ...(low === 0 ? ticks.slice(1) : ticks).map(t => element("span", {}, t)))
  }

  function update() {
    const outputs = gain.forward(net, state)
    const measured = (net.layers = outputs.map(gain.measure))
    const columns = [["deviation", m => gain.show(m.std)], ...gain.columns[state.activation]]
    const heading = text => element("th", { scope: "col" }, text)
    const shape = state.activation === "ReLU" ? "above zero" : "activations"
    const rows = outputs.map((h, i) =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, String(i + 1)),
        element("td.living-hist", {}, picture(h, `layer ${i + 1}`)),
        ...columns.map(([, text]) => element("td", {}, text(measured[i]))),
      ),
    )
    table.replaceChildren(
      element("thead", {}, element("tr", {}, heading("layer"), heading(shape), ...columns.map(([name]) => heading(name)))),
      element("tbody", {}, ...rows),
      element("tfoot", {}, element("tr", {}, element("td"), element("td", {}, axis()))),
    )
    says.textContent = sentence(measured)
  }

  function sentence(measured) {
    const last = measured.at(-1)
    const growth = last.std / measured[0].std
    const verdict = growth < 0.8 ? "fades" : growth > 1.25 ? "grows" : "keeps its size"
    const activation = state.activation === "none" ? "no activation" : state.activation
    const more = {
      tanh: `, where ${gain.percent(last.saturated)} is saturated`,
      ReLU: `, where ${last.dead} of ${gain.width} units are dead`,
      none: "",
    }
    return (
      `Gain ${state.size.toFixed(2)}, ${activation}, ${state.norm ? "with" : "without"} batch normalization: ` +
      `the signal ${verdict}. Its standard deviation is ${gain.show(measured[0].std)} in the first layer and ` +
      `${gain.show(last.std)} in the last${more[state.activation]}.`
    )
  }

  update()
})
