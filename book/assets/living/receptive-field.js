// A tree and a dilated convolution over one name, and what is shared when the window
// slides. Both are made of the same joins: on level l, the join that ends at a place
// has two inputs of level l - 1, one at this place and one 2^(l-1) places before.

charlm.living("receptive-field", (place, _, { element, svg, slider, button, choice, status }) => {
  const BLOCK = 8, LEVELS = 3, COLUMN = 28, ROW = 58, TOP = 64
  const names = ["emma", "noah", "ava"]
  const state = { view: "tree", name: names[0], at: 0, chosen: 0 }

  const row = () => [...".".repeat(BLOCK) + state.name]
  const first = join => join.end - 2 ** join.level + 1
  const key = join => `${join.level},${join.end}`
  const inputs = ({ level, end }) => [end - 2 ** (level - 1), end].map(end => ({ level: level - 1, end }))
  const under = join => join.level ? [...inputs(join).flatMap(under), join] : [] // its joins
  const seen = join => row().slice(first(join), join.end + 1)

  const order = (a, b) => a.level - b.level || a.end - b.end
  const views = {
    tree: {
      label: "tree",
      joins: at => under({ level: LEVELS, end: at + BLOCK - 1 }).sort(order),
      column: join => (first(join) + join.end) / 2,
    },
    convolution: {
      label: "convolution",
      joins: at => {
        const inside = []
        for (let level = 1; level <= LEVELS; level++)
          for (let end = at + 2 ** level - 1; end < at + BLOCK; end++) inside.push({ level, end })
        return inside
      },
      column: join => join.end,
    },
  }

  const joins = (at = state.at) => at < 0 ? [] : views[state.view].joins(at)
  const before = () => new Set(joins(state.at - 1).map(key))
  const isNew = join => !before().has(key(join))
  const made = at => joins(at).filter(join => !joins(at - 1).some(other => key(other) === key(join)))
  const madeSoFar = () => [...Array(state.at + 1).keys()].flatMap(made)

  const x = join => (views[state.view].column(join) + 0.5) * COLUMN
  const y = join => TOP + (LEVELS - join.level) * ROW

  // The marks: a color and a sign each, so that the color is never alone.
  const mark = (kind, cx = 12, cy = 12) => svg(`g.receptive-${kind}`, {},
    svg("circle", { cx, cy, r: 9 }),
    kind === "new" ? svg("path", { d: `M${cx - 4.5} ${cy}h9M${cx} ${cy - 4.5}v9` }) : "",
    kind === "kept" ? svg("circle.receptive-dot", { cx, cy, r: 3 }) : "")

  function draw() {
    const letters = row(), now = joins(), keys = new Set(now.map(key))
    const others = (state.view === "tree" ? joins(state.at - 1) : madeSoFar()).filter(join => !keys.has(key(join)))
    const chosen = now[state.chosen], cone = new Set(under(chosen).map(key))
    const lines = svg("g"), thick = svg("g"), circles = svg("g"), cells = svg("g")

    for (const join of [...others, ...now]) {
      const kind = !keys.has(key(join)) ? "other" : isNew(join) ? "new" : "kept"
      const within = kind !== "other" && cone.has(key(join))
      for (const input of inputs(join)) {
        const d = `M${x(input)} ${y(input) - (input.level ? 0 : 14)}L${x(join)} ${y(join)}`
        ;(within ? thick : lines).append(svg(`path.receptive-${within ? "cone" : kind === "other" ? "faint" : "line"}`, { d }))
      }
      const what = svg("g.receptive-join", { "data-join": key(join), "data-kind": kind }, mark(kind, x(join), y(join)))
      if (join === chosen) what.prepend(svg("circle.receptive-ring", { cx: x(join), cy: y(join), r: 13 }))
      if (kind !== "other") {
        what.append(svg("rect.receptive-target", { x: x(join) - 14, y: y(join) - 22, width: 28, height: 44 }))
        what.addEventListener("click", () => choose(now.indexOf(join)))
      }
      circles.append(what)
    }

    letters.forEach((letter, end) => {
      const cell = { level: 0, end }
      const inField = end >= first(chosen) && end <= chosen.end
      cells.append(svg(`g.receptive-cell${inField ? ".receptive-seen" : ""}`, {},
        svg("rect", { x: end * COLUMN + 3, y: y(cell) - 14, width: 22, height: 28, rx: 4 }),
        svg("text", { x: end * COLUMN + 14, y: y(cell) + 5 }, letter)))
    })
    const top = now.at(-1), next = target()
    const frame = svg("rect.receptive-frame", { x: state.at * COLUMN, y: y({ level: 0 }) - 20, width: BLOCK * COLUMN, height: 40, rx: 7 })
    const out = svg("g.receptive-out", {}, svg("path", { d: `M${x(top)} ${TOP - 15}v-15m-4 5l4 -5l4 5` }),
      svg("text", { x: x(top), y: TOP - 37 }, next))

    picture.replaceChildren(lines, thick, frame, cells, circles, out)
    picture.setAttribute("viewBox", `0 0 ${letters.length * COLUMN} ${TOP + LEVELS * ROW + 24}`)
    picture.setAttribute("aria-label", `The ${views[state.view].label} over ${letters.join(" ")}. ${counted()} ${described()}`)
    for (const [line, text] of [[windowLine, counted()], [joinLine, described()]])
      if (line.textContent !== text) line.textContent = text
    slide.disabled = state.at === state.name.length
    legend.replaceChildren(...legendOf(state.view))
  }

  const target = () => [...state.name + "."][state.at]
  const spoken = letters => letters.join(" ")
  const times = n => n === 1 ? "1 join" : `${n} joins`

  // The window, its joins and how many of them are new: all counted in the drawn graph.
  function counted() {
    const all = joins(), fresh = all.filter(isNew).length, kept = all.length - fresh
    const window = `Window ${state.at + 1} of ${state.name.length + 1}, to predict ${target() === "." ? "the end" : target()}:`
    const levels = [1, 2, 3].map(level => all.filter(join => join.level === level).length).join(" + ")
    const news = state.at === 0 ? `${times(fresh)} to start with (${levels})` : kept === 0
      ? `${times(fresh)} (${levels}), all new, for none of the window before has the same two ends`
      : `of ${times(all.length)}, ${kept} are kept from the window before and only ${fresh} are new, one a level`
    return `${window} ${news}. Made so far: ${madeSoFar().length}.`
  }

  function described() {
    const join = joins()[state.chosen], own = under(join), fresh = own.filter(isNew).length
    const apart = 2 ** (join.level - 1)
    const which = state.view === "tree" || apart === 1 ? "two neighbors" : `two, ${apart} places apart`
    const work = own.length === 1 ? fresh ? "It is new." : "It is kept."
      : `Of the ${times(own.length)} that lead to it, ${fresh === own.length ? "all" : fresh || "none"} ${fresh === 1 ? "is" : "are"} new.`
    return `The chosen circle, on level ${join.level}, joins ${which} and sees the ${2 ** join.level} characters “${spoken(seen(join))}”. ${work}`
  }

  const entry = (kind, text) =>
    element("li", {}, svg("svg", { viewBox: "0 0 24 24", width: 24, height: 24, "aria-hidden": true }, mark(kind)), text)
  const legendOf = view => view === "tree"
    ? [entry("new", "new"), entry("other", "of the window before, of no use now")]
    : [entry("new", "new"), entry("kept", "kept"), entry("other", "kept, outside the window")]

  function choose(index) {
    state.chosen = index
    const input = circle.querySelector("input")
    if (+input.value !== index + 1) {
      input.value = index + 1
      input.dispatchEvent(new Event("input"))
    } else draw()
  }

  // The sliders are made anew where their ends change.
  function sliders() {
    const made = slider({
      label: "Window", min: 1, max: state.name.length + 1, step: 1, value: state.at + 1,
      show: value => `${value} of ${state.name.length + 1}`,
      change: value => { state.at = value - 1; draw() },
    })
    const count = joins().length
    const other = slider({
      label: "Circle", min: 1, max: count, step: 1, value: state.chosen + 1,
      show: value => `${value}, level ${joins()[value - 1].level}`,
      change: value => { state.chosen = value - 1; draw() },
    })
    windows.replaceWith(made)
    circle.replaceWith(other)
    windows = made
    circle = other
  }

  function start(changes) {
    Object.assign(state, changes)
    state.at = Math.min(state.at, state.name.length)
    state.chosen = joins().length - 1 // the top
    sliders()
    draw()
  }

  const picture = svg("svg.receptive-picture", { role: "img" })
  const windowLine = status(), joinLine = status()
  const legend = element("ul.receptive-legend")
  let windows = element("div"), circle = element("div")
  const slide = button("Slide by one", () => {
    const input = windows.querySelector("input")
    input.value = state.at + 2
    input.dispatchEvent(new Event("input"))
  })

  place.append(
    choice({ label: "Net", options: Object.entries(views).map(([view, { label }]) => [view, label]), value: state.view, change: view => start({ view }) }),
    choice({ label: "Name", options: names.map(name => [name, name]), value: state.name, change: name => start({ name, at: 0 }) }),
    picture, legend, element("div.living-row.receptive-slide", {}, windows, slide), circle, windowLine, joinLine)
  start({})
})
