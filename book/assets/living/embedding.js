// Where the characters stand in the plane, as training moves them.
//
// Its data: the labels, the vowels, and for each snapshot its step, the dev loss, and
// a place (x, y) for each character.

charlm.living("embedding", (place, { labels, vowels, steps, losses, places }, { svg, element, slider, button, choice, status, calm }) => {
  const SIZE = 320, EDGE = 30, PAUSE = 160
  const last = steps.length - 1
  const inWords = n => n.toLocaleString("en")
  const isVowel = label => vowels.includes(label)
  let at = 0, timer = null, fitted = false

  // The middle and the width of a square around all places, of one snapshot or of all.
  function frame(points) {
    const [xs, ys] = [0, 1].map(k => points.map(point => point[k]))
    const [x, y] = [xs, ys].map(values => (Math.min(...values) + Math.max(...values)) / 2)
    const width = Math.max(...[xs, ys].map(values => Math.max(...values) - Math.min(...values)))
    return { x, y, width }
  }

  const whole = frame(places.flat())

  function mean(group, others) {
    const lengths = group.flatMap(a => others.filter(b => b !== a).map(b => Math.hypot(a[0] - b[0], a[1] - b[1])))
    return lengths.reduce((a, b) => a + b, 0) / lengths.length
  }

  function marker(label) {
    if (label === ".") return svg("path.living-boundary", { d: "M0 -11L11 0L0 11L-11 0Z" })
    if (isVowel(label)) return svg("circle.living-vowel", { r: 10 })
    return svg("rect.living-consonant", { x: -8, y: -8, width: 16, height: 16, rx: 2 })
  }

  const letter = label => svg("text", { "text-anchor": "middle", "dominant-baseline": "central" }, label)
  const marks = labels.map(label => svg("g.living-mark", {}, marker(label), letter(label)))
  const behind = labels.map((_, i) => i).sort((a, b) => isVowel(labels[a]) - isVowel(labels[b]))
  const ruler = svg("path.living-axis", { fill: "none" })
  const length = svg("text", { x: 8, y: SIZE - 14 })
  const plane = svg("svg.living-plane", { viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img" },
    svg("rect.living-edge", { width: SIZE, height: SIZE, rx: 4 }), ruler, length, ...behind.map(i => marks[i]))

  const key = (label, text) =>
    element("span.living-key", {}, svg("svg", { viewBox: "-12 -12 24 24", width: 22, "aria-hidden": "true" }, marker(label)), text)
  const said = status()

  function show() {
    const { x, y, width } = fitted ? frame(places[at]) : whole
    const scale = (SIZE - 2 * EDGE) / width
    places[at].forEach((point, i) => {
      const [right, down] = [SIZE / 2 + (point[0] - x) * scale, SIZE / 2 - (point[1] - y) * scale]
      marks[i].style.transform = `translate(${right.toFixed(2)}px, ${down.toFixed(2)}px)`
    })
    const unit = 10 ** Math.floor(Math.log10(width / 3))
    ruler.setAttribute("d", `M8 ${SIZE - 10}v4h${unit * scale}v-4`)
    length.textContent = String(+unit.toPrecision(1))
    tell()
  }

  function tell() {
    const points = places[at]
    const inside = points.filter((_, i) => isVowel(labels[i]))
    const outside = points.filter((_, i) => !isVowel(labels[i]) && labels[i] !== ".")
    said.textContent = `After ${inWords(steps[at])} steps the loss on dev is ${losses[at].toFixed(3)}. ` +
      `Mean distance of two vowels: ${mean(inside, inside).toFixed(2)}, of two consonants: ` +
      `${mean(outside, outside).toFixed(2)}, of a vowel and a consonant: ${mean(inside, outside).toFixed(2)}.`
    plane.setAttribute("aria-label", `The ${labels.length} characters as points in the plane. ${said.textContent}`)
  }

  const control = slider({
    label: "Step", min: 0, max: last, step: 1, value: at,
    show: k => inWords(steps[k]),
    change: k => {
      if (k !== at) pause()
      at = k
      show()
    },
  })
  const [input, output] = control.querySelectorAll("input, output")

  // While it plays, a screen reader is not told of each step.
  function live(how) {
    for (const line of [said, output]) line.setAttribute("aria-live", how)
  }

  function pause() {
    clearInterval(timer)
    timer = null
    play.textContent = "Play"
    live("polite")
  }

  function forward() {
    input.value = ++at
    input.dispatchEvent(new Event("input"))
    if (at === last) pause()
  }

  const play = button("Play", () => {
    if (timer) return pause()
    if (at === last) at = -1
    play.textContent = "Pause"
    live("off")
    timer = setInterval(forward, PAUSE)
  })

  const scale = choice({
    label: "Scale", options: [["fixed", "fixed"], ["fitted", "fitted"]], value: "fixed",
    change: chosen => {
      fitted = chosen === "fitted"
      show()
    },
  })

  const keys = element("div.living-row", {}, key("a", `vowels ${vowels.join(" ")}`), key("b", "consonants and y"),
    key(".", "boundary"))
  place.append(keys, plane, control, element("div.living-row", {}, ...(calm() ? [] : [play]), scale), said)
  show()
})
