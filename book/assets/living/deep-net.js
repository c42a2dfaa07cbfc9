// A deep net to break and to repair: what each layer makes, before the first step and while
// it trains in the page, beside a healthy twin that has the same draws and batches.
//
//   { names: "emma olivia ..." }, the names to learn from

const deep = { batch: 32, probe: 64, steps: 1000, every: 20, budget: 10, chunk: 100 }

deep.gains = [0, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.2, Math.SQRT2, 5 / 3, 2, 2.5, 3, 4, 6, 10]
deep.rates = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3]
deep.healthy = { gain: 5 / 3, activation: "tanh", norm: false, rate: 0.1 }
deep.sick = { ...deep.healthy, gain: 0.3 }

// All contexts of three characters, (3 N,), and what comes next, (N,).
deep.examples = names => {
  const [contexts, answers] = [[], []]
  for (const name of names.split(" ")) {
    let context = [0, 0, 0]
    for (const id of [...[...name].map(c => c.charCodeAt(0) - 96), 0]) {
      contexts.push(...context)
      answers.push(id)
      context = [...context.slice(1), id]
    }
  }
  return { contexts, answers }
}

deep.draw = ({ contexts, answers }, size, random) => {
  const rows = Array.from({ length: size }, () => Math.floor(random() * answers.length))
  return [rows.flatMap(i => contexts.slice(3 * i, 3 * i + 3)), rows.map(i => answers[i])]
}

// The loss of who knows only how frequent each character is.
deep.unigram = answers => {
  const counts = new Map()
  for (const id of answers) counts.set(id, (counts.get(id) ?? 0) + 1)
  const n = answers.length
  return [...counts.values()].reduce((sum, count) => sum - (count / n) * Math.log(count / n), 0)
}

// A net and its training: every one with the same first draws, and the same batches.
deep.run = (examples, probe, settings) => {
  const model = net.create(settings, charlm.random(7))
  const random = charlm.random(42)
  const run = { model, settings, losses: [], lost: false }
  run.step = () => {
    const loss = net.step(model, ...deep.draw(examples, deep.batch, random), run.settings.rate)
    run.losses.push(loss)
    run.lost ||= !Number.isFinite(loss)
  }
  run.measure = () => net.measure(model, ...probe, run.settings.rate)
  return run
}

// The means of every 20 losses.
deep.means = losses => {
  const means = []
  for (let i = deep.every; i <= losses.length; i += deep.every)
    means.push(losses.slice(i - deep.every, i).reduce((sum, v) => sum + v) / deep.every)
  return means
}

deep.show = v => {
  if (!Number.isFinite(v)) return "∞"
  if (v === 0) return "0"
  return v < 0.01 || v >= 1000 ? v.toExponential(0).replace("e+", "e") : v.toFixed(v < 100 ? 2 : 0)
}

deep.gainName = v => ({ 0: "0", [Math.SQRT2]: "√2", [5 / 3]: "5/3" })[v] ?? String(v)

deep.percent = v => `${(100 * v).toFixed(0)} %`

// The three bands of the picture: powers of ten from low to high, and where these lie.
deep.bands = [
  { name: "activation", title: "Activations, standard deviation →", low: -5, high: 2, from: 174, to: 74, said: [14, 34] },
  { name: "gradient", title: "← Their gradients, standard deviation", low: -9, high: 0, from: 204, to: 332, said: [374, 353] },
  { name: "update", title: "Update : data of the weights", low: -7, high: 1, from: 546, to: 440, said: [405, 425] },
]
deep.left = 78
deep.column = i => deep.left + 40 + 78 * i

deep.y = ({ low, high, from, to }, v) => {
  const power = Math.log10(Math.max(v, 1e-99))
  return from + ((to - from) * (Math.min(Math.max(power, low), high) - low)) / (high - low)
}

charlm.living("deep-net", (place, data, { button, calm, choice, element, perFrame, slider, status, svg }) => {
  const examples = deep.examples(data.names)
  const probe = deep.draw(examples, deep.probe, charlm.random(1))
  const unigram = deep.unigram(examples.answers)
  const twin = { run: deep.run(examples, probe, deep.healthy), measured: [] }
  const settings = { ...deep.sick }
  let run
  let running = false

  // What the healthy net looked like at this step: it is kept for the next run.
  function twinAt(step) {
    const index = Math.floor(step / deep.every)
    while (twin.measured.length <= index) {
      while (twin.run.losses.length < twin.measured.length * deep.every) twin.run.step()
      twin.measured.push(twin.run.measure())
    }
    return twin.measured[index]
  }

  // The picture of the layers.
  const text = (x, y, words, kind = "text") => svg(kind, { x, y }, words)
  const bands = deep.bands.map(band => {
    const { low, high, from, title, said: [title_y] } = band
    const lines = []
    for (let power = low; power <= high; power++)
      if ((power - low) % 2 === (band.name === "update" ? 0 : 1)) {
        const y = deep.y(band, 10 ** power)
        lines.push(svg("path.deep-grid", { d: `M${deep.left} ${y}H470` }))
        lines.push(text(deep.left - 8, y + 4, power < -1 || power > 2 ? `1e${power}` : String(10 ** power), "text.deep-tick"))
      }
    if (band.name === "update") lines.push(svg("path.deep-rule", { d: `M${deep.left} ${deep.y(band, 1e-3)}H470` }))
    const drawn = {
      band,
      area: svg("path.deep-area"),
      twin: svg("path.deep-twin"),
      line: svg("path.deep-line"),
      rings: svg("g.deep-rings"),
      dots: svg("g.deep-dots"),
      numbers: svg("g.deep-numbers"),
    }
    drawn.all = svg("g", {}, ...lines, drawn.area, drawn.twin, drawn.line, drawn.rings, drawn.dots, drawn.numbers,
      svg("path.deep-axis", { d: `M${deep.left} ${from}H470` }), text(0, title_y, title, "text.deep-title"))
    return drawn
  })
  const share = svg("g.deep-numbers.deep-share")
  const layers = Array.from({ length: net.depth }, (_, i) => text(deep.column(i), 193, `layer ${i + 1}`, "text.deep-layer"))
  const picture = svg("svg.deep-layers", { role: "img", viewBox: "0 0 480 552" },
    ...bands.map(b => b.all), share, ...layers, svg("g.deep-rings", {}, svg("circle", { cx: 386, cy: 10, r: 5 })), text(396, 14, "healthy net", "text.deep-note"))

  // The curve of the loss.
  const loss = { line: svg("path.deep-line"), twin: svg("path.deep-twin"), ticks: svg("g"), refs: svg("g") }
  loss.at = svg("circle.deep-dot", { r: 4 })
  const curve = svg("svg.deep-loss", { role: "img", viewBox: "0 0 400 250" }, loss.ticks, loss.refs, loss.twin, loss.line, loss.at)

  const train = button("Train", () => start(!running))
  const again = button("Start again", renew)
  train.classList.add("living-main")
  const says = status()
  const change = name => value => {
    settings[name] = value
    if (name !== "rate") return renew()
    run.settings.rate = value
    draw()
  }
  const controls = element(
    "div.living-narrow",
    {},
    pick("Gain", deep.gains, "gain", deep.gainName),
    pick("Learning rate", deep.rates, "rate", String),
    choice({ label: "Activation", options: Object.keys(net.activations).map(name => [name, name]), value: settings.activation, change: change("activation") }),
    choice({ label: "Batch normalization", options: [["off", "off"], ["on", "on"]], value: "off", change: value => change("norm")(value === "on") }),
    element("div.living-row", {}, train, again),
  )
  place.append(element("div.living-columns", {}, picture, element("div", {}, controls, curve, says)))

  function pick(label, values, name, show) {
    return slider({ label, min: 0, max: values.length - 1, step: 1, value: values.indexOf(settings[name]),
      show: i => show(values[i]), change: i => change(name)(values[i]) })
  }

  function anew() {
    run = place.run = deep.run(examples, probe, { ...settings })
    start(false)
  }

  function renew() {
    anew()
    draw()
  }

  const step = () => run.losses.length
  const over = () => run.lost || step() >= deep.steps

  function start(on) {
    running = on && !over()
    train.textContent = running ? "Pause" : calm() ? `Train ${deep.chunk} steps` : "Train"
    train.setAttribute("aria-disabled", over())
    if (running) requestAnimationFrame(() => go())
  }

  // As many steps as fit a frame, and a picture; in calm, a hundred steps for one picture.
  function go(until = step() + deep.chunk) {
    if (!running) return
    const end = performance.now() + deep.budget
    do {
      run.step()
      twinAt(step())
    } while (performance.now() < end && !over() && step() < until)
    const reached = calm() && step() >= until
    if (over() || reached) start(false)
    if (!calm() || !running) paint()
    if (running) requestAnimationFrame(() => go(calm() ? until : undefined))
  }

  const path = points => points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("")

  function paint() {
    const measured = (place.measured = run.measure())
    const healthy = twinAt(step())
    for (const { band, ...drawn } of bands) {
      const points = of => of.map((layer, i) => [deep.column(i), deep.y(band, layer[band.name])])
      const [own, theirs] = [points(measured), points(healthy)]
      const [first, last] = [own[0][0], own.at(-1)[0]]
      drawn.line.setAttribute("d", path(own))
      drawn.area.setAttribute("d", `${path(own)}L${last} ${band.from}L${first} ${band.from}Z`)
      drawn.twin.setAttribute("d", path(theirs))
      drawn.rings.replaceChildren(...theirs.map(([cx, cy]) => svg("circle", { cx, cy, r: 5 })))
      drawn.dots.replaceChildren(...own.map(([cx, cy]) => svg("circle.deep-dot", { cx, cy, r: 4.5 })))
      drawn.numbers.replaceChildren(...measured.map((layer, i) => text(deep.column(i), band.said[1], deep.show(layer[band.name]))))
    }
    share.replaceChildren(...shares(measured))
    const list = name => measured.map(layer => deep.show(layer[name])).join(", ")
    picture.setAttribute("aria-label", `Layers 1 to 5 after ${step()} steps. Activations ${list("activation")}; ` +
      `gradients ${list("gradient")}; update to data ${list("update")}`)
    paintLoss()
    says.textContent = sentence(measured)
  }

  // A row of numbers: what tanh saturates, what the ReLU lets die.
  function shares(measured) {
    const { activation } = run.settings
    if (activation === "none") return []
    const [name, value] = activation === "tanh" ? ["saturated", l => deep.percent(l.saturated)] : ["dead units", l => String(l.dead)]
    return [text(deep.left - 8, 52, name, "text.deep-tick"), ...measured.map((layer, i) => text(deep.column(i), 52, value(layer)))]
  }

  function paintLoss() {
    const [own, theirs] = [deep.means(run.losses), deep.means(twin.run.losses).slice(0, Math.floor(step() / deep.every))]
    const highest = own.at(-1) ?? 0 // what lies above the axis is drawn at its top
    const top = highest <= 3.5 ? 3.5 : highest < 12 ? Math.ceil(highest) : 12
    const x = i => 36 + (270 * i) / deep.steps
    const y = v => 222 - (200 * (Math.min(Number.isFinite(v) ? v : 99, top) - 2.25)) / (top - 2.25)
    const points = means => means.map((v, i) => [x((i + 1) * deep.every), y(v)])
    loss.line.setAttribute("d", path(points(own)))
    loss.twin.setAttribute("d", path(points(theirs)))
    const [cx, cy] = points(own).at(-1) ?? [x(0), y(Math.log(net.chars))]
    loss.at.setAttribute("cx", cx)
    loss.at.setAttribute("cy", cy)
    const marks = [[Math.log(net.chars), "no opinion"], [unigram, "letter frequencies"]]
    loss.refs.replaceChildren(
      ...marks.flatMap(([v, name]) => [
        svg("path.deep-reference", { d: `M36 ${y(v)}H306` }),
        text(312, y(v) + 4, name, "text.deep-note"),
      ]),
      ...(theirs.length > 2 ? [text(312, y(theirs.at(-1)) + 4, "healthy net", "text.deep-note")] : []),
    )
    const levels = top > 4 ? [3, Math.round((3 + top) / 2), top] : [2.5, 3, 3.5]
    loss.ticks.replaceChildren(
      text(0, 11, "Loss (nats per character)", "text.deep-note"),
      ...levels.flatMap(v => [svg("path.deep-grid", { d: `M36 ${y(v)}H306` }), text(28, y(v) + 4, String(v), "text.deep-tick")]),
      svg("path.deep-axis", { d: "M36 222H306" }),
      ...[0, 500, 1000].map(v => text(x(v), 240, v === 1000 ? "1,000 steps" : String(v), "text.deep-layer")),
    )
    curve.setAttribute("aria-label", own.length
      ? `The loss after ${step()} steps: ${deep.show(own.at(-1))}, of the healthy net ${deep.show(theirs.at(-1))}`
      : "The loss: no step taken yet")
  }

  const draw = perFrame(paint)

  function sentence(measured) {
    const [first, last] = [measured[0], measured.at(-1)]
    if (run.lost) return `After ${step()} steps the numbers have overflowed: this net is lost.`
    const through = "Nothing gets through, in either direction."
    if (run.settings.gain === 0) return `${when()} All hidden weights are zero. ${through}`
    const dead = measured.findIndex(layer => layer.dead === net.width)
    if (dead >= 0) return `${when()} All ${net.width} units of layer ${dead + 1} are dead. ${through}`
    const growth = last.activation / first.activation
    const back = first.gradient / last.gradient
    const word = (ratio, few) => (ratio < 0.8 ? "fades" : ratio > 1.25 ? "grows" : few)
    const times = ratio => {
      const v = Math.max(ratio, 1 / ratio)
      return v < 10 ? v.toFixed(1) : v < 1e6 ? Math.round(v).toLocaleString("en") : v.toExponential(0).replace("e+", "e")
    }
    const said = (ratio, few) => word(ratio, few) + (word(ratio, few) === few ? "" : ` ${times(ratio)}-fold`)
    return `${when()} From layer 1 to layer 5 the signal ${said(growth, "keeps its size")}; ` +
      `on the way back the gradient ${said(back, "keeps its size")}.${hint()}`
  }

  function when() {
    const means = deep.means(run.losses)
    return step() ? `Step ${step()}${means.length ? `, loss ${means.at(-1).toFixed(2)}` : ""}.` : "Untrained."
  }

  const hint = () => (step() ? "" : " Now train it.")

  anew()
  paint()
  // Nothing trains where nobody looks.
  new IntersectionObserver(([entry]) => entry.isIntersecting || !running || start(false)).observe(place)
})
