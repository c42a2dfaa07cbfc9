// Finds sections: the search page loads them (sections.js), and Sphinx's stems and stop
// words; so does any page, once somebody types into its search. The rarer a word of the
// query is, the more it counts; in a title it counts most.
{
  const FIELDS = { title: 9, page: 2, prose: 1, others: 0.5 } // what a word counts there
  const BEGUN = 0.4 // what a longer word counts that begins with one of the query
  const SHARE = 0.6 // of a title's words, which make it the title of what is asked
  const MEANT = 1.5
  const LATE = 0.3 // less, for the last section of the book than for the first
  const ENOUGH = 0.15 // of the best score
  const MOST = 30 // hits
  const FEW = 6 // in the dialog
  const REST = 200 // milliseconds
  const EXCERPT = 170 // characters: two lines
  const ASKING = new Set("how what where which why do does can i you my".split(" "))
  const WORD = /[\p{L}\p{N}]+/gu

  const common = new Set(stopwords)
  const stemmer = new Stemmer()
  const stems = new Map()

  function stem(word) {
    const lower = word.toLowerCase()
    if (!stems.has(lower)) stems.set(lower, stemmer.stemWord(lower))
    return stems.get(lower)
  }

  const termsOf = (text) =>
    (text.match(WORD) ?? []).filter((word) => !common.has(word.toLowerCase())).map(stem)

  function termsOfQuery(query) {
    const terms = [...new Set(termsOf(query))]
    const telling = terms.filter((term) => !ASKING.has(term))
    return telling.length ? telling : terms
  }

  const sections = SECTIONS.map(([address, name, prose, others]) => {
    const [page, title = page] = name.split(" › ")
    return { address, name, page, title, prose, others, length: 0 }
  })

  // {term: {section: what the term counts there}}
  const index = new Map()
  for (const section of sections)
    for (const [field, weight] of Object.entries(FIELDS))
      for (const term of termsOf(section[field])) {
        if (!index.has(term)) index.set(term, new Map())
        const places = index.get(term)
        places.set(section, (places.get(section) ?? 0) + weight)
        section.length += weight
      }
  const usual = sections.reduce((sum, { length }) => sum + length, 0) / sections.length

  const begins = (word, term) =>
    term.length > 2 ? word.startsWith(term) : word === term

  function placesOf(term) {
    const places = new Map()
    for (const [other, more] of index)
      if (begins(other, term))
        for (const [section, amount] of more) {
          const counts = other === term ? amount : BEGUN * amount
          places.set(section, (places.get(section) ?? 0) + counts)
        }
    return places
  }

  // The sections that have all terms or the rarest of them, the best first. A word that
  // no page has hides nothing.
  function ranked(terms) {
    const scores = new Map()
    for (const term of terms) {
      const places = placesOf(term)
      const rare = Math.log(1 + sections.length / places.size)
      for (const [section, amount] of places) {
        const [score, found] = scores.get(section) ?? [0, 0]
        const full = amount / (amount + 0.5 + section.length / usual)
        scores.set(section, [score + rare * full, found + rare])
      }
    }
    const hits = [...scores].map(([section, [score, found]]) => {
      const own = [...new Set(termsOf(section.title))]
      const shared = own.filter((term) => terms.includes(term)).length
      const meant = shared > SHARE * own.length ? MEANT : 1
      const early = 1 - (LATE * sections.indexOf(section)) / sections.length
      return { section, score: meant * early * score * found }
    })
    hits.sort((a, b) => b.score - a.score)
    return hits
      .filter(({ score }) => score > ENOUGH * hits[0].score)
      .slice(0, MOST)
      .map(({ section }) => section)
  }

  // The piece of the prose that has most of the terms, cut between words.
  function excerpt(prose, isMeant) {
    const words = [...prose.matchAll(WORD)].filter(([word]) => isMeant(word))
    const near = (first) =>
      words.filter(({ index: i }) => i >= first.index && i < first.index + EXCERPT / 2)
    const different = (first) => new Set(near(first).map(([word]) => stem(word))).size
    const best = words.reduce(
      (a, b) => (different(b) > different(a) ? b : a),
      words[0] ?? { index: 0 },
    )
    const start = prose.lastIndexOf(" ", Math.max(0, best.index - EXCERPT / 4)) + 1
    if (start + EXCERPT >= prose.length) return (start ? "… " : "") + prose.slice(start)
    const end = prose.lastIndexOf(" ", start + EXCERPT)
    return `${start ? "… " : ""}${prose.slice(start, end)} …`
  }

  function element(name, kind, ...children) {
    const made = document.createElement(name)
    made.className = kind
    made.append(...children)
    return made
  }

  const withMarks = (text, isMeant) =>
    text
      .split(/([\p{L}\p{N}]+)/u)
      .map((piece) => (isMeant(piece) ? element("mark", "", piece) : piece))

  const root = document.documentElement.dataset.content_root.replace(/^\.\//, "")

  function hit({ address, name, prose }, isMeant) {
    const link = element("a", "", name)
    link.href = root + address
    const shown = withMarks(excerpt(prose, isMeant), isMeant)
    return element("li", "", link, element("p", "context", ...shown))
  }

  // The sections that have the words, in an element; without words, nothing.
  function show(query, place, most = MOST) {
    if (!query) return place.replaceChildren()
    const terms = termsOfQuery(query)
    const isMeant = (word) => terms.some((term) => begins(stem(word), term))
    const found = ranked(terms)
    const count = found.length === 1 ? "One section" : `${found.length} sections`
    const none = terms.length ? "No page has these words." : "Too common a word."
    const said = found.length ? `${count}, the best first.` : none
    const hits = found.slice(0, most).map((section) => hit(section, isMeant))
    const status = element("p", "search-summary", said)
    status.setAttribute("role", "status")
    place.replaceChildren(status, element("ul", "search", ...hits))
  }

  // What is typed is searched for once it has rested; Enter still works, without scripts too.
  function follow(input, place, most, then = () => {}) {
    let timer
    const look = () => {
      const query = input.value.trim()
      show(query, place, most)
      then(query)
    }
    input.addEventListener("input", () => {
      clearTimeout(timer)
      timer = setTimeout(look, REST)
    })
    look()
  }

  const input = document.querySelector(".bd-search-container input")
  if (input) {
    const params = new URLSearchParams(location.search)
    input.value = params.get("q")?.trim() ?? ""
    follow(input, document.getElementById("search-results"), MOST, (query) => {
      if (query) params.set("q", query)
      else params.delete("q")
      // Opened from a folder, a browser may refuse it.
      try {
        history.replaceState(null, "", `${location.pathname}${params.size ? `?${params}` : ""}`)
      } catch {}
    })
  }

  // The dialog of any page: see place.js, which loads this script for it.
  const asked = document.querySelector("#pst-search-dialog input")
  if (asked && !input) {
    const place = element("div", "search-hits")
    asked.form.after(place)
    follow(asked, place, FEW)
  }
}
