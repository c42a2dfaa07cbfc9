// The playground: what each model of the book expects after the letters typed so far,
// side by side, and ten names of each.

"use strict"

{
  charlm.living("playground", (place, { folder, models: names, start = "" }, tools) => {
    const { element, slider, button, choice, status } = tools
    const LONGEST = 30
    const report = status()
    place.append(report)
    report.textContent = "Reading the models …"

    Promise.allSettled(names.map(name => charlm.loadModel(folder, name))).then(results => {
      const models = results.flatMap(({ value }) => value ?? [])
      const lost = results.flatMap(({ reason }, i) => (reason ? `${names[i]} (${reason.message})` : []))
      const sentence = lost.length ? `Of the models, these cannot be read: ${lost.join(", ")}. ` : ""
      if (models.length) build(models, sentence)
      else report.textContent = sentence || "There is no model to show."
    })

    function build(models, sentence) {
      const { chars } = models[0]
      const labels = [".", ...chars]
      let temperature = 1
      const lists = element("div.living-lists")
      let shown = models.length > 3 ? "all" : "ten"

      const input = element("input", {
        type: "text", maxlength: LONGEST, size: 12,
        autocomplete: "off", autocapitalize: "none", spellcheck: "false", oninput: () => { lower(); update() },
      })
      const type = text => {
        input.value = text.slice(0, LONGEST)
        update()
      }

      // A table: a row for each letter, a column for each model. A row adds its letter.
      const rows = labels.map((label, id) => {
        const head = id
          ? element("button.living-letter", { type: "button", "aria-label": `add ${label}` }, label)
          : element("span", {}, element("b", {}, label), " end")
        const cells = models.map(() => element("td", {}, element("span")))
        const row = element("tr", {}, element("th", { scope: "row" }, head), ...cells)
        if (id) row.addEventListener("click", () => unknown() || type(input.value + label))
        return { id, row, cells, head }
      })
      const body = element("tbody", {}, ...rows.map(({ row }) => row))
      const windows = models.map(() => element("span.living-window", { "aria-hidden": "true" }))
      const titles = models.map(({ label, loss }, m) =>
        element("th", { scope: "col" },
          element("span", {}, label, " ", element("small", {}, loss.toFixed(2))), windows[m]))
      const table = element("table.living-next", {},
        element("caption", {}, "How likely each letter is to come next, in percent; under each model its loss"),
        element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "next"), ...titles)), body)
      if (models.length > 3) table.classList.add("living-many")

      const unknown = () => [...input.value].find(char => !chars.includes(char))

      // A capital or an accent that the models lack becomes the plain small letter.
      const plain = char => char.normalize("NFD")[0].toLowerCase()
      function lower() {
        const typed = [...input.value]
        const known = typed.map(char => (chars.includes(char) ? char : plain(char))).join("")
        if (known === input.value || known.length !== input.value.length) return
        const { selectionStart, selectionEnd } = input
        input.value = known
        input.setSelectionRange(selectionStart, selectionEnd)
      }

      // The end of what is typed, with what lies outside a model's window struck out.
      function showWindows() {
        windows.forEach((place, m) => {
          const seen = input.value.slice(-models[m].size)
          const lost = input.value.slice(0, input.value.length - seen.length).slice(-4)
          place.replaceChildren(element("s", {}, lost), seen || ".")
        })
      }

      function update() {
        const char = unknown()
        lists.replaceChildren()
        showWindows()
        generate.disabled = char !== undefined
        if (char !== undefined) {
          for (const cell of rows.flatMap(({ cells }) => cells)) fill(cell, NaN, 1)
          report.textContent = `The models do not know “${char}”. They know ${chars.join("")}.`
          return
        }
        const probs = models.map(model => model.probs(input.value, temperature))
        const most = Math.max(...probs.flatMap(p => [...p]))
        // A model that has never seen this finds all characters alike: none is best.
        const alike = p => Math.max(...p) - Math.min(...p) < 1e-9
        const best = probs.map(p => (alike(p) ? -1 : p.indexOf(Math.max(...p))))
        for (const { id, cells } of rows) {
          cells.forEach((cell, m) => fill(cell, probs[m][id], most, best[m] === id))
        }
        arrange(id => Math.max(...probs.map(p => p[id])))
        const likeliest = models.map(({ label }, m) => {
          if (best[m] < 0) return `${label} no character, as all are alike (${percent(probs[m][0])} %)`
          return `${label} ${best[m] ? labels[best[m]] : "the end"} (${percent(probs[m][best[m]])} %)`
        })
        const after = input.value ? `After “${input.value}”` : "At the start"
        report.textContent = `${sentence}${after} the likeliest is: ${likeliest.join(", ")}.`
      }

      function fill(cell, p, most, best = false) {
        cell.firstChild.textContent = Number.isNaN(p) ? "–" : percent(p)
        cell.style.setProperty("--share", `${(100 * (p || 0)) / most}%`)
        cell.classList.toggle("living-best", best)
      }

      // The ten likeliest first, or all of them in the order of the alphabet.
      function arrange(height) {
        const focused = document.activeElement
        const order = [...rows]
        if (shown === "ten") order.sort((a, b) => height(b.id) - height(a.id))
        order.forEach(({ row }, i) => (row.hidden = shown === "ten" && i >= 10))
        body.append(...order.map(({ row }) => row))
        if (body.contains(focused)) (focused.closest("tr").hidden ? input : focused).focus()
      }

      function tenNames() {
        const given = input.value
        const columns = models.map(({ label, probs }) => {
          const items = Array.from({ length: 10 }, () => {
            const name = writeName(probs, labels, given, temperature, LONGEST)
            const rest = name.slice(given.length) || (given ? "" : "(empty)")
            return element("li", {}, element("span", {}, given), rest)
          })
          return element("section", { "aria-label": label }, element("b", {}, label), element("ol", {}, ...items))
        })
        lists.replaceChildren(...columns)
        const start = given ? `, beginning with “${given}”` : ""
        report.textContent = `Ten names of each model${start}, at temperature ${temperature}.`
      }

      const generate = button("Generate ten", tenNames)
      const show = [["ten", "ten likeliest"], ["all", `all ${labels.length}`]]
      place.prepend(
        element("div.living-row", {},
          element("label", {}, "Type a beginning ", input),
          button("Remove a letter", () => type(input.value.slice(0, -1))),
          button("Start again", () => type(""))),
        slider({
          label: "Temperature", min: 0.1, max: 2, step: 0.1, value: 1,
          change: value => { temperature = value; update() },
        }),
        choice({ label: "Letters:", options: show, value: shown, change: key => { shown = key; update() } }))
      place.append(element("div.living-scroll", {}, table), element("div.living-row", {}, generate), lists)
      type(start)
    }
  })

  // 34, 3.4, 0.3; 0 where nothing is left after rounding.
  function percent(p) {
    const value = 100 * p
    return value >= 9.95 ? value.toFixed(0) : value >= 0.05 ? value.toFixed(1) : "0"
  }

  // The name that goes on from `name`, a letter at a time, until the model ends it.
  function writeName(probs, labels, name, temperature, longest) {
    while (name.length < longest) {
      let left = Math.random()
      const id = probs(name, temperature).findIndex(p => (left -= p) < 0)
      if (id < 1) return name
      name += labels[id]
    }
    return `${name}…`
  }
}
