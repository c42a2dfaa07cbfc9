// Where the characters are in the plane, as training moves them, and on which way they came.
//
// Its data: the labels, the vowels, and for each snapshot its step, the dev loss, and
// a place (x, y) for each character.

charlm.living("embedding", (place, { labels, vowels, steps, losses, places }, tools) => {
  const { svg, element, slider, button, choice, status, perFrame, calm } = tools
  const SIZE = 520, EDGE = 34, PAUSE = 160, NEAR = 3, APART = 18, CLEAR = 12
  const last = steps.length - 1
  const inWords = n => n.toLocaleString("en")
  const kind = label => (label === "." ? "boundary" : vowels.includes(label) ? "vowel" : "consonant")
  const called = i => (i ? labels[i] : "the boundary")
  let at = last, chosen = labels.indexOf("y"), fitted = false, frame = null

  // The middle and the width of a square around all places, of one snapshot or of all.
  function squareAround(points) {
    const [xs, ys] = [0, 1].map(k => points.map(point => point[k]))
    const [x, y] = [xs, ys].map(values => (Math.min(...values) + Math.max(...values)) / 2)
    const width = Math.max(...[xs, ys].map(values => Math.max(...values) - Math.min(...values)))
    return { x, y, width }
  }

  const whole = squareAround(places.flat())

  // Between two snapshots, while it plays, the characters go straight on.
  function placesAt(time) {
    const from = Math.floor(time), part = time - from
    return places[from].map((a, i) => (part ? a.map((value, k) => value + part * (places[from + 1][i][k] - value)) : a))
  }

  const distance = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1])

  function mean(group, others) {
    const lengths = group.flatMap(a => others.filter(b => b !== a).map(b => distance(a, b)))
    return lengths.reduce((a, b) => a + b, 0) / lengths.length
  }

  function nearest(points) {
    const others = labels.map((_, i) => i).filter(i => i !== chosen)
    return others.sort((a, b) => distance(points[a], points[chosen]) - distance(points[b], points[chosen])).slice(0, NEAR)
  }

  // Letters that would cover each other, or a dot, are pushed away; a line leads to their places.
  function pushed(points) {
    const to = points.map(([x, y], i) => [x + 0.01 * Math.cos(i), y - 13 + 0.01 * Math.sin(i)])
    for (let round = 0; round < 40; round++)
      for (let i = 0; i < to.length; i++) {
        for (let j = 0; j < i; j++) push(to, i, to[j], APART, 0.25).forEach((by, k) => (to[j][k] -= by))
        for (const dot of points) push(to, i, dot, CLEAR, 0.4)
      }
    return to
  }

  // Letter i goes away from a place that is nearer than `least`; by how much is returned.
  function push(to, i, place, least, part) {
    const dx = to[i][0] - place[0], dy = to[i][1] - place[1], far = Math.hypot(dx, dy)
    if (far >= least) return [0, 0]
    const by = [dx, dy].map(value => (part * (least - far) * value) / Math.max(far, 1e-6))
    to[i] = [to[i][0] + by[0], to[i][1] + by[1]]
    return by
  }

  function dot(label) {
    if (kind(label) === "boundary") return svg("path.living-boundary", { d: "M0 -4.6L4.6 0L0 4.6L-4.6 0Z" })
    if (kind(label) === "vowel") return svg("circle.living-vowel", { r: 3.6 })
    return svg("rect.living-consonant", { x: -3, y: -3, width: 6, height: 6 })
  }

  const marks = labels.map((label, i) => {
    const text = svg(`text.living-letter-${kind(label)}`, { "text-anchor": "middle", "dominant-baseline": "central" }, label)
    const target = svg("circle.living-target", { r: 14 })
    return { trail: svg(`path.living-trail.living-${kind(label)}`), lead: svg("line.living-lead"), dot: dot(label), text, target,
      letter: svg("g.living-mark", { onclick: () => choose(i) }, target, text) }
  })
  const all = name => marks.map(mark => mark[name])
  const links = Array.from({ length: NEAR }, () => svg("line.living-link"))
  const ring = svg("circle.living-ring", { r: 10 })
  const ruler = svg("path.living-axis", { fill: "none" })
  const length = svg("text", { x: 10, y: SIZE - 18 })
  const plane = svg("svg.living-plane", { viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img" },
    svg("rect.living-edge", { width: SIZE, height: SIZE, rx: 4 }), ruler, length,
    ...all("trail"), ...links, ...all("lead"), ring, ...all("letter"), ...all("dot"))

  const key = (label, text) =>
    element("span.living-key", {}, svg("svg", { viewBox: "-7 -7 14 14", width: 14, "aria-hidden": "true" }, dot(label)), text)
  const said = status(), near = status()

  const show = perFrame(() => {
    const points = placesAt(at)
    const { x, y, width } = fitted ? squareAround(points) : whole
    const scale = (SIZE - 2 * EDGE) / width
    const drawn = ([a, b]) => [SIZE / 2 + (a - x) * scale, SIZE / 2 - (b - y) * scale]
    const shown = points.map(drawn), letters = pushed(shown)
    const before = places.slice(0, Math.ceil(at)).map(snapshot => snapshot.map(drawn))
    const close = nearest(points)
    marks.forEach(({ trail, lead, dot, letter }, i) => {
      const way = [...before.map(snapshot => snapshot[i]), shown[i]]
      trail.setAttribute("d", way.map(([x, y], k) => `${k ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join(""))
      trail.classList.toggle("living-chosen", i === chosen)
      dot.style.transform = `translate(${shown[i].map(value => `${value.toFixed(2)}px`)})`
      letter.style.transform = `translate(${letters[i].map(value => `${value.toFixed(2)}px`)})`
      between(lead, shown[i], letters[i])
    })
    links.forEach((link, k) => between(link, shown[chosen], shown[close[k]]))
    ring.style.transform = `translate(${letters[chosen].map(value => `${value.toFixed(2)}px`)})`
    const unit = 10 ** Math.floor(Math.log10(width / 3))
    ruler.setAttribute("d", `M10 ${SIZE - 13}v5h${unit * scale}v-5`)
    length.textContent = String(+unit.toPrecision(1))
    tell(points, close)
  })

  function between(line, [x1, y1], [x2, y2]) {
    for (const [name, value] of Object.entries({ x1, y1, x2, y2 })) line.setAttribute(name, value.toFixed(1))
  }

  function tell(points, close) {
    const nearStep = Math.round(at)
    const inside = points.filter((_, i) => kind(labels[i]) === "vowel")
    const outside = points.filter((_, i) => kind(labels[i]) === "consonant")
    said.textContent = `After ${inWords(steps[nearStep])} steps the loss on dev is ${losses[nearStep].toFixed(3)}. ` +
      `Mean distance of two vowels: ${mean(inside, inside).toFixed(2)}, of two consonants: ` +
      `${mean(outside, outside).toFixed(2)}, of a vowel and a consonant: ${mean(inside, outside).toFixed(2)}.`
    near.textContent = `Nearest to ${called(chosen)}: ` +
      `${close.map(i => `${called(i)} (${distance(points[i], points[chosen]).toFixed(2)})`).join(", ")}.`
    plane.setAttribute("aria-label", `The ${labels.length} characters as points in the plane. ${said.textContent}`)
  }

  function choose(i) {
    chosen = i
    select.value = i
    show()
  }

  const control = slider({
    label: "Step", min: 0, max: last, step: 1, value: at,
    show: k => inWords(steps[k]),
    change: k => {
      pause()
      at = k
      show()
    },
  })

  function pause() {
    cancelAnimationFrame(frame)
    frame = null
    at = Math.round(at)
    play.textContent = "Play"
  }

  function forward(begun, from) {
    const now = Math.min(last, from + Math.max(0, performance.now() - begun) / PAUSE)
    at = now
    control.set(Math.round(at))
    show()
    if (at < last) frame = requestAnimationFrame(() => forward(begun, from))
    else pause()
  }

  const play = button("Play", () => {
    if (frame) return pause(), show()
    play.textContent = "Pause"
    forward(performance.now(), at === last ? 0 : at)
  })

  const scale = choice({
    label: "Scale", options: [["fixed", "fixed"], ["fitted", "fitted"]], value: "fixed",
    change: value => {
      fitted = value === "fitted"
      show()
    },
  })

  const select = element("select", { onchange: () => choose(+select.value) },
    ...labels.map((label, i) => element("option", { value: i }, i ? label : ". (boundary)")))
  place.append(element("div.living-columns", {}, plane, element("div", {},
    element("div.living-row", {}, key("a", `vowels ${vowels.join(" ")}`), key("b", "consonants and y"), key(".", "boundary")),
    control, element("div.living-row", {}, ...(calm() ? [] : [play]), scale), said,
    element("div.living-row", {}, element("label.living-select", {}, "Neighbors (tap a letter) of ", select)), near)))
  choose(chosen)
})
