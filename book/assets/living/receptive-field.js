// A tree and a dilated convolution over one name, side by side, and what each keeps when
// the window slides. Both are made of the same joins: on level l, the join that ends at a
// place has two inputs of level l - 1, one at this place and one 2^(l-1) places before.

charlm.living("receptive-field", (place, _, tools) => {
  const { element, svg, slider, button, choice, status, perFrame, joinMark, joinLegend } = tools
  const BLOCK = 8, LEVELS = 3, COLUMN = 28, ROW = 58, TOP = 50
  const names = ["emma", "noah", "ava"]
  const state = { name: names[0], at: 2 }

  const row = () => [...".".repeat(BLOCK) + state.name]
  const first = join => join.end - 2 ** join.level + 1
  const key = join => `${join.level},${join.end}`
  const inputs = ({ level, end }) => [end - 2 ** (level - 1), end].map(end => ({ level: level - 1, end }))
  const under = join => join.level ? [...inputs(join).flatMap(under), join] : [] // its joins
  const seen = join => row().slice(first(join), join.end + 1)
  const order = (a, b) => a.level - b.level || a.end - b.end
  const times = (count, noun = "join") => `${count} ${noun}${count === 1 ? "" : "s"}`
  const spoken = letters => letters.join(" ")

  // A net with its picture, a slider over its circles, and two lines about it.
  function net({ label, joins, column, legend }) {
    const before = () => (state.at ? joins(state.at - 1) : [])
    const made = at => joins(at).filter(join => !at || !joins(at - 1).some(other => key(other) === key(join)))
    const madeSoFar = () => [...Array(state.at + 1).keys()].flatMap(made)
    const x = join => (column(join) + 0.5) * COLUMN
    const y = join => TOP + (LEVELS - join.level) * ROW
    const picture = svg("svg.receptive-picture", { role: "img" })
    const windowLine = status(), joinLine = status()
    let chosen = joins(state.at).length - 1 // the top
    let circle = element("div")

    // The slider is made anew where its end changes.
    function start() {
      const count = joins(state.at).length
      chosen = count - 1
      const made = slider({
        label: `Circle of the ${label}`, min: 1, max: count, step: 1, value: count,
        show: value => `${value}, level ${joins(state.at)[value - 1].level}`,
        change: value => ((chosen = value - 1), draw()),
      })
      circle.replaceWith(made)
      circle = made
      draw()
    }

    function choose(index) {
      chosen = index
      circle.set(index + 1)
      draw()
    }

    const draw = perFrame(() => {
      const letters = row(), now = joins(state.at), keys = new Set(now.map(key)), fresh = new Set(made(state.at).map(key))
      const others = (label === "tree" ? before() : madeSoFar()).filter(join => !keys.has(key(join)))
      const picked = now[chosen], cone = new Set(under(picked).map(key))
      const lines = svg("g"), thick = svg("g"), circles = svg("g"), cells = svg("g")

      for (const join of [...others, ...now]) {
        const kind = !keys.has(key(join)) ? "other" : fresh.has(key(join)) ? "new" : "kept"
        const within = kind !== "other" && cone.has(key(join))
        for (const input of inputs(join)) {
          const d = `M${x(input)} ${y(input) - (input.level ? 0 : 14)}L${x(join)} ${y(join)}`
          ;(within ? thick : lines).append(svg(`path.receptive-${within ? "cone" : kind === "other" ? "faint" : "line"}`, { d }))
        }
        const what = svg("g.receptive-join", { "data-join": key(join), "data-kind": kind }, joinMark(kind, x(join), y(join)))
        if (join === picked) what.prepend(svg("circle.receptive-ring", { cx: x(join), cy: y(join), r: 13 }))
        if (kind !== "other") {
          what.append(svg("rect.receptive-target", { x: x(join) - 14, y: y(join) - 22, width: 28, height: 44 }))
          what.addEventListener("click", () => choose(now.indexOf(join)))
        }
        circles.append(what)
      }

      letters.forEach((letter, end) => {
        const cell = { level: 0, end }
        const inField = end >= first(picked) && end <= picked.end
        cells.append(svg(`g.receptive-cell${inField ? ".receptive-seen" : ""}`, {},
          svg("rect", { x: end * COLUMN + 3, y: y(cell) - 14, width: 22, height: 28, rx: 4 }),
          svg("text", { x: end * COLUMN + 14, y: y(cell) + 5 }, letter)))
      })
      const top = now.at(-1)
      const frame = svg("rect.receptive-frame", { x: state.at * COLUMN, y: y({ level: 0 }) - 20, width: BLOCK * COLUMN, height: 40, rx: 7 })
      const out = svg("g.receptive-out", {}, svg("path", { d: `M${x(top)} ${TOP - 15}v-15m-4 5l4 -5l4 5` }),
        svg("text", { x: x(top), y: TOP - 37 }, [...state.name, "."][state.at]))

      picture.replaceChildren(lines, thick, frame, cells, circles, out)
      picture.setAttribute("viewBox", `0 0 ${letters.length * COLUMN} ${TOP + LEVELS * ROW + 24}`)
      const texts = [counted(now, fresh), described(picked, fresh)]
      picture.setAttribute("aria-label", `The ${label} over ${spoken(letters)}. ${texts.join(" ")}`)
      ;[windowLine, joinLine].forEach((line, k) => line.textContent !== texts[k] && (line.textContent = texts[k]))
    })

    function counted(all, fresh) {
      const kept = all.length - fresh.size
      const levels = [1, 2, 3].map(level => all.filter(join => join.level === level).length).join(" + ")
      const news = state.at === 0 ? `${times(all.length)} to start with (${levels}).` : kept === 0
        ? `${times(all.length)} (${levels}), all new.` : `${times(all.length)}: ${kept} kept, only ${fresh.size} new, one on each level.`
      return `${news} Made so far: ${madeSoFar().length}.`
    }

    function described(join, fresh) {
      const own = under(join), count = own.filter(other => fresh.has(key(other))).length
      const work = own.length === 1 ? count ? "It is new." : "It is kept."
        : `Of the ${times(own.length)} that lead to it, ${count === own.length ? "all" : count || "none"} ${count === 1 ? "is" : "are"} new.`
      return `The chosen circle, on level ${join.level}, sees the ${2 ** join.level} characters “${spoken(seen(join))}”. ${work}`
    }

    const shown = element("div.receptive-net", {}, element("p.one-title", {}, label), picture, joinLegend(...legend), circle, windowLine, joinLine)
    return { shown, start }
  }

  const nets = [
    net({
      label: "tree",
      joins: at => under({ level: LEVELS, end: at + BLOCK - 1 }).sort(order),
      column: join => (first(join) + join.end) / 2,
      legend: [["new", "new"], ["other", "of the window before, of no use now"]],
    }),
    net({
      label: "convolution",
      joins: at => {
        const inside = []
        for (let level = 1; level <= LEVELS; level++)
          for (let end = at + 2 ** level - 1; end < at + BLOCK; end++) inside.push({ level, end })
        return inside
      },
      column: join => join.end,
      legend: [["new", "new"], ["kept", "kept"], ["other", "kept, outside the window"]],
    }),
  ]

  function start(changes) {
    Object.assign(state, changes)
    state.at = Math.min(state.at, state.name.length)
    const made = slider({
      label: "Window", min: 1, max: state.name.length + 1, step: 1, value: state.at + 1,
      show: value => `${value} of ${state.name.length + 1}`,
      change: value => slideTo(value - 1),
    })
    windows.replaceWith(made)
    windows = made
    slideTo(state.at)
  }

  // At the end the button stays, for the focus that is on it.
  function slideTo(at) {
    state.at = at
    slide.setAttribute("aria-disabled", at === state.name.length)
    for (const { start } of nets) start()
  }

  let windows = element("div")
  const slide = button("Slide by one", () => {
    if (state.at === state.name.length) return
    windows.set(state.at + 2)
    slideTo(state.at + 1)
  })

  place.append(
    element("div.living-row.receptive-slide", {},
      choice({ label: "Name", options: names.map(name => [name, name]), value: state.name, change: name => start({ name, at: 0 }) }), windows, slide),
    element("div.one-nets", {}, ...nets.map(({ shown }) => shown)))
  start({})
})
