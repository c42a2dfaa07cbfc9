// The cover's rows, of which the build writes the first ones (hero.py).
//   surprise of a letter = -log P(letter | the letters before it), in nats

"use strict"

{
  const LONGEST = 14 // letters of a name
  const TALLEST = 6.2 // nats, the height of a row
  const GUESSING = Math.log(27)
  const LETTERS = [..."abcdefghijklmnopqrstuvwxyz"]
  const TRIES = 20

  // The surprises of the letters and of the end: null where the model has never seen
  // what stands before, so that all characters are alike to it.
  const surprises = ({ chars, probs }, name) =>
    Array.from({ length: name.length + 1 }, (_, i) => {
      const p = probs(name.slice(0, i))
      if (Math.max(...p) - Math.min(...p) < 1e-9) return null
      return -Math.log(p[1 + chars.indexOf(name[i])])
    })

  function write({ chars, probs }, given, uniform, longest = LONGEST) {
    let word = given
    while (word.length < longest) {
      let left = uniform()
      const id = probs(word).findIndex(p => (left -= p) < 0)
      if (id < 1) return `${word}.`
      word += chars[id - 1]
    }
    return `${word}…`
  }

  // Three different ends of the first half of a name, always the same three.
  function endings(model, name) {
    const half = name.slice(0, Math.ceil(name.length / 2))
    const uniform = charlm.random([...name].reduce((n, c) => 31 * n + c.charCodeAt(), 7))
    const found = new Set()
    for (let i = 0; i < TRIES && found.size < 3; i++) found.add(write(model, half, uniform))
    return [...found].map(word => [half, word.slice(half.length)])
  }

  const mean = numbers => numbers.reduce((a, b) => a + b, 0) / numbers.length
  const known = s => s ?? GUESSING

  function bar(surprise) {
    const kind = surprise === null ? "unseen" : surprise > GUESSING ? "over" : "under"
    return `<i class="${kind}" style="--h: ${Math.min(1, known(surprise) / TALLEST).toFixed(3)}"></i>`
  }

  function sentence({ label, at, values }, name) {
    const worst = values.map(known).indexOf(Math.max(...values.map(known)))
    const what = worst === name.length ? "the end" : `“${name[worst]}”, letter ${worst + 1}`
    return `${label}: ${at} per letter; most of all it is surprised by ${what}.`
  }

  // A row as HTML. `name` holds letters of the models alone, so that nothing is escaped.
  function row(model, name) {
    const values = surprises(model, name)
    const at = mean(values.map(known)).toFixed(2)
    const words = endings(model, name).map(([half, rest]) => `<span>${half}<b>${rest}</b></span>`)
    return (
      `<p class="hero-model"><b>${model.label}</b> <span>${at} per letter</span></p>` +
      `<p class="hero-bars" aria-hidden="true">${values.map(bar).join("")}</p>` +
      `<p class="hero-endings">${words.join(" ")}</p>` +
      `<p class="hero-said">${sentence({ label: model.label, at, values }, name)}</p>`
    )
  }

  // Small letters that the models know; accents fall off, and so do all other signs.
  const fold = typed =>
    [...typed.normalize("NFD").toLowerCase()].filter(c => LETTERS.includes(c)).join("").slice(0, LONGEST)

  function words(model, number, longest, seed) {
    const uniform = charlm.random(seed)
    return Array.from({ length: number }, () => write(model, "", uniform, longest))
  }

  const guessing = {
    label: "Guessing", loss: GUESSING, chars: LETTERS, probs: () => Array(27).fill(1 / 27),
  }

  charlm.hero = { row, words, guessing }

  function live(hero) {
    const input = hero.querySelector("input")
    const note = hero.querySelector(".hero-note")
    const report = hero.querySelector(".hero-report")
    const rows = [...hero.querySelectorAll(".hero-row")]
    const models = new Map()
    let name = input.value, asked = 0, begun = false

    const draw = place => {
      if (models.has(place)) place.innerHTML = row(models.get(place), name)
    }

    // The smallest first, each row as soon as its model is there.
    async function load() {
      if (begun) return
      begun = true
      const lost = []
      for (const place of rows) {
        try {
          models.set(place, await charlm.loadModel(hero.dataset.folder, place.dataset.model))
          draw(place)
        } catch {
          lost.push(place.querySelector("b").textContent)
        }
      }
      if (lost.length) note.textContent = `These models could not be read: ${lost.join(", ")}.`
    }

    let announced
    function update() {
      const typed = input.value
      name = fold(typed)
      const dropped = [...typed.normalize("NFC")].length > [...name].length
      if (typed !== name) {
        const end = fold(typed.slice(0, input.selectionEnd)).length
        input.value = name
        input.setSelectionRange(end, end)
      }
      note.textContent = dropped
        ? `The models know the letters a to z, and here up to ${LONGEST} of them.`
        : ""
      hero.style.setProperty("--n", name.length)
      cancelAnimationFrame(asked)
      asked = requestAnimationFrame(() => rows.forEach(draw))
      clearTimeout(announced)
      announced = setTimeout(() => {
        report.textContent = rows.map(r => r.querySelector(".hero-said").textContent).join(" ")
      }, 800)
    }

    input.readOnly = false
    input.addEventListener("focus", load, { once: true })
    input.addEventListener("click", () => input.select(), { once: true }) // to type over
    input.addEventListener("input", () => (load(), update()))
    if (document.activeElement === input) load()
  }

  globalThis.document?.querySelectorAll(".hero").forEach(live)
}
