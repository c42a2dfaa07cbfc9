// One row of the bigram model: logits, softmax, and the counts that pull at them.
//
//   p = softmax(z)      loss = -Σ share log p      ∂loss/∂z = p - share
//
// Its data: the labels, how often each pair occurs, and the row to open with; there `at`
// is the letter whose logit somebody has raised to `logit`.

charlm.living("tug-of-war", (place, { labels, counts, row, at, logit }, tools) => {
  const { svg, element, slider, button, status, perFrame, calm } = tools
  const RATE = 4, ENOUGH = 0.001, LONGEST = 400, AHEAD = 40
  const COLUMN = 19, LEFT = 34, WIDTH = LEFT + COLUMN * labels.length
  const BARS = { top: 28, foot: 268 }, LOGITS = { top: 334, foot: 474, most: 6 }
  const zero = (LOGITS.top + LOGITS.foot) / 2
  const sum = numbers => numbers.reduce((a, b) => a + b, 0)
  const middle = j => LEFT + COLUMN * (j + 0.5)

  function softmax(z) {
    const top = Math.max(...z), weights = z.map(value => Math.exp(value - top))
    const total = sum(weights)
    return weights.map(weight => weight / total)
  }

  const lossOf = (share, p) => sum(share.map((s, j) => (s ? -s * Math.log(p[j]) : 0)))

  let share, floor, z, p, losses, frame = null

  // A row with all logits alike, but for the one that was raised.
  function start(newRow, raised) {
    row = newRow
    const total = sum(counts[row])
    share = counts[row].map(n => n / total)
    floor = lossOf(share, share)
    z = labels.map((_, j) => (j === raised ? logit : 0))
    p = softmax(z)
    losses = [lossOf(share, p)]
  }

  function pull(j, to) {
    z[j] = Math.max(-LOGITS.most, Math.min(LOGITS.most, to))
    p = softmax(z)
    losses[losses.length - 1] = lossOf(share, p)
  }

  const descended = (z, p) => z.map((value, j) => value - RATE * (p[j] - share[j]))

  function step() {
    z = descended(z, p)
    p = softmax(z)
    losses.push(lossOf(share, p))
  }

  // Where the loss is now, and where the next steps would take it.
  function ahead() {
    const coming = [losses.at(-1)]
    for (let there = z; coming.length <= AHEAD; coming.push(lossOf(share, softmax(there))))
      there = descended(there, softmax(there))
    return coming
  }

  // Above, the bars: what was counted, what the model says, and the arrow between them.
  const label = (j, y) => svg("text", { x: middle(j), y, "text-anchor": "middle" }, labels[j])
  const columns = labels.map((_, j) => ({
    counted: svg("rect.tug-counted", { x: middle(j) - 8, width: 16 }),
    model: svg("rect.tug-model", { x: middle(j) - 5, width: 10 }),
    arrow: svg("path.tug-arrow"),
    stem: svg("line.tug-stem", { x1: middle(j), x2: middle(j), y1: zero }),
    knob: svg("circle.tug-knob", { cx: middle(j), r: 6.5 }),
    names: [label(j, BARS.foot + 17), label(j, LOGITS.foot + 21)],
  }))
  const ticks = [1, 0.5].map(part => {
    const y = BARS.foot - part * (BARS.foot - BARS.top)
    return { part, text: svg("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }),
      line: svg("line.tug-grid", { x1: LEFT, x2: WIDTH, y1: y, y2: y }) }
  })
  const hand = svg("rect.tug-hand", { x: LEFT, y: LOGITS.top - 8, width: WIDTH - LEFT, height: LOGITS.foot - LOGITS.top + 34 })
  const all = name => columns.map(column => column[name])
  const picture = svg("svg.tug-picture", { viewBox: `0 0 ${WIDTH + 4} ${LOGITS.foot + 28}`, role: "img", onclick: pick },
    svg("text.tug-title", { x: LEFT, y: 12 }, "probability: gray counted, blue the model's, arrow the pull"),
    svg("text.tug-title", { x: LEFT, y: LOGITS.top - 16 }, "logits: drag them up or down"),
    ...ticks.flatMap(({ text, line }) => [line, text]), ...all("counted"), ...all("model"),
    svg("line.tug-axis", { x1: LEFT, x2: WIDTH, y1: BARS.foot, y2: BARS.foot }), ...all("arrow"),
    svg("line.tug-axis", { x1: LEFT, x2: WIDTH, y1: zero, y2: zero }),
    ...[LOGITS.most, 0, -LOGITS.most].map(value =>
      svg("text", { x: LEFT - 6, y: heightOf(value) + 4, "text-anchor": "end" }, String(value).replace("-", "−"))),
    ...all("stem"), ...all("knob"), ...columns.flatMap(({ names }) => names), hand)

  function heightOf(value) {
    const shown = Math.max(-LOGITS.most, Math.min(LOGITS.most, value))
    return zero - (shown / LOGITS.most) * (zero - LOGITS.top)
  }

  // Where a pointer is, in the units of the picture.
  function pointed(event) {
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(picture.getScreenCTM().inverse())
    return { j: Math.max(0, Math.min(labels.length - 1, Math.floor((x - LEFT) / COLUMN))), y }
  }

  function pick(event) {
    choose(pointed(event).j)
  }

  // A finger that drags a logit does not scroll the page.
  hand.addEventListener("touchmove", event => event.preventDefault(), { passive: false })
  hand.addEventListener("pointerdown", event => {
    stop()
    hand.setPointerCapture(event.pointerId)
    choose(pointed(event).j)
    drag(event)
  })
  hand.addEventListener("pointermove", event => hand.hasPointerCapture(event.pointerId) && drag(event))
  hand.addEventListener("click", event => event.stopPropagation())

  function drag(event) {
    pull(at, ((zero - pointed(event).y) / (zero - LOGITS.top)) * LOGITS.most)
    show()
  }

  // At the right, the loss, which cannot fall below that of the counts themselves.
  const CURVE = { left: 44, right: 378, top: 22, foot: 164 }
  const fallen = svg("path.tug-fallen"), coming = svg("path.tug-coming"), now = svg("circle.tug-now", { r: 5 })
  const under = svg("line.tug-floor", { x1: CURVE.left, x2: CURVE.right })
  const marks = { floor: svg("text"), highest: svg("text", { x: CURVE.left - 8, y: CURVE.top + 4, "text-anchor": "end" }),
    last: svg("text", { x: CURVE.right, y: CURVE.foot + 22, "text-anchor": "end" }) }
  const curve = svg("svg.tug-curve", { viewBox: "0 0 390 190", role: "img" },
    svg("text.tug-title", { x: 4, y: 9 }, "loss (nats per character)"),
    svg("line.tug-axis", { x1: CURVE.left, x2: CURVE.right, y1: CURVE.foot + 6, y2: CURVE.foot + 6 }),
    svg("text", { x: CURVE.left, y: CURVE.foot + 22, "text-anchor": "middle" }, "0"),
    svg("text", { x: (CURVE.left + CURVE.right) / 2, y: CURVE.foot + 22, "text-anchor": "middle" }, "step"),
    under, coming, fallen, now, ...Object.values(marks))

  function drawCurve() {
    const next = ahead(), done = losses.length - 1
    const most = Math.max(...losses, ...next), last = done + AHEAD
    const x = k => CURVE.left + (k / last) * (CURVE.right - CURVE.left)
    const y = loss => CURVE.foot - ((loss - floor) / Math.max(most - floor, 0.05)) * (CURVE.foot - CURVE.top)
    const line = (losses, from) => losses.map((loss, k) => `${k ? "L" : "M"}${x(from + k).toFixed(1)} ${y(loss).toFixed(1)}`).join("")
    fallen.setAttribute("d", line(losses, 0))
    coming.setAttribute("d", line(next, done))
    now.setAttribute("cx", x(done))
    now.setAttribute("cy", y(losses.at(-1)))
    for (const end of ["y1", "y2"]) under.setAttribute(end, y(floor))
    marks.floor.textContent = floor.toFixed(2)
    marks.floor.setAttribute("x", CURVE.left - 8)
    marks.floor.setAttribute("y", y(floor) + 4)
    marks.floor.setAttribute("text-anchor", "end")
    marks.highest.textContent = most - floor > 0.15 ? most.toFixed(2) : ""
    marks.last.textContent = last
  }

  const called = i => (i ? labels[i] : "the boundary")
  const pulled = status(), fell = status()
  const exact = value => element("data", { value }, value.toFixed(3).replace(/^-(?=.*[1-9])/, "−").replace("-", ""))

  const show = perFrame(() => {
    const top = [0.2, 0.4, 0.6, 0.8, 1].find(most => most >= Math.max(...p, ...share))
    const y = value => BARS.foot - (value / top) * (BARS.foot - BARS.top)
    for (const { part, text } of ticks) text.textContent = (part * top).toFixed(1)
    columns.forEach(({ counted, model, arrow, stem, knob, names }, j) => {
      for (const [bar, value] of [[counted, share[j]], [model, p[j]]]) {
        bar.setAttribute("y", y(value))
        bar.setAttribute("height", BARS.foot - y(value))
      }
      const from = y(p[j]), to = y(share[j]), down = Math.sign(to - from)
      const head = Math.min(4, Math.abs(to - from) / 2)
      arrow.setAttribute("d", Math.abs(to - from) < 5 ? "" : `M${middle(j)} ${from}V${to}` +
        `m-4 ${-down * head}l4 ${down * head}l4 ${-down * head}`)
      stem.setAttribute("y2", heightOf(z[j]))
      knob.setAttribute("cy", heightOf(z[j]))
      for (const part of [knob, stem, model, ...names]) part.classList.toggle("tug-chosen", j === at)
    })
    drawCurve()
    const loss = losses.at(-1)
    pulled.replaceChildren(`${called(at)} after ${called(row)}: p is `, exact(p[at]), ", its share of the counts ",
      exact(share[at]), ". The gradient is the difference, ", exact(p[at] - share[at]), ".")
    fell.replaceChildren(`Step ${losses.length - 1}: the loss is `, exact(loss), ", which is ", exact(loss - floor),
      " above its floor, ", exact(floor), ".")
    picture.setAttribute("aria-label", `Bars of the probability of each character after ${called(row)}, and its logit. ${pulled.textContent}`)
    curve.setAttribute("aria-label", `The loss over the steps, and over the next ${AHEAD}. ${fell.textContent}`)
    raise.set(z[at])
  })

  const raise = slider({ label: "", min: -LOGITS.most, max: LOGITS.most, step: 0.1, value: 0,
    show: value => value.toFixed(1).replace("-", "−"), change: value => (stop(), pull(at, value), show()) })


  function choose(j) {
    at = j
    letter.value = j
    raise.querySelector("label").textContent = `Logit of ${called(at)}`
    show()
  }

  const options = () => labels.map((text, i) => element("option", { value: i }, i ? text : ". (boundary)"))
  const select = element("select", { onchange: () => (stop(), start(+select.value), show()) }, ...options())
  const letter = element("select", { onchange: () => choose(+letter.value) }, ...options())
  const run = button("Run", () => {
    if (frame) return stop()
    if (calm()) while (going()) step()
    else frame = requestAnimationFrame(forward)
    run.textContent = frame ? "Pause" : "Run"
    show()
  })
  const going = () => losses.at(-1) - floor > ENOUGH && losses.length < LONGEST

  function forward() {
    if (!going()) return stop()
    step()
    show()
    frame = requestAnimationFrame(forward)
  }

  function stop() {
    cancelAnimationFrame(frame)
    frame = null
    run.textContent = "Run"
  }

  place.append(element("div.living-columns", {}, picture, element("div", {},
    element("div.living-row", {}, element("label.living-select", {}, "After ", select), element("label.living-select", {}, "Letter ", letter)),
    raise,
    element("div.living-row", {}, button("One step", () => (stop(), step(), show())), run,
      button("All logits 0", () => (stop(), start(row), show()))),
    pulled, fell, curve)))
  start(row, at)
  select.value = row
  choose(at)
})
