// A pasted message finds its entry. Sphinx shows a page only if it has all words of a
// query, but a message has names and numbers that no page has. So the headings that share
// most of their words with the query are shown first. And if nothing is found, words that
// no page has are left out. (Sphinx appends this file to its own search.)
{
  const SHARE = 0.6 // of a heading's words that have to be in the query

  const wordsOf = (text) =>
    new Set(
      splitQuery(text.toLowerCase()).filter(
        (word) => word.length > 2 && !/^\d/.test(word) && !stopwords.includes(word),
      ),
    )

  const plain = (text) => ` ${splitQuery(text.toLowerCase()).join(" ")} `

  // A heading's score, 0 where it is not meant: it is a part of the query, or has most of
  // its words there, or the query is a longer part of it.
  const scoreOf = (heading, query) => {
    const [own, asked] = [plain(heading), plain(query)]
    const whole = own.trim().includes(" ") && asked.includes(own)
    const part = asked.trim().split(" ").length > 2 && own.includes(asked)
    const [words, given] = [[...wordsOf(heading)], wordsOf(query)]
    const common = words.filter((word) => given.has(word))
    const tells = common.length > 1 || common.some((word) => word.endsWith("error"))
    const most = tells && common.length >= SHARE * words.length
    if (!whole && !part && !most) return 0
    return 20 + common.length + common.length / words.length + (whole ? 10 : 0)
  }

  // Headings, the best last: [page, title, anchor, description, score, file].
  const headings = (query) => {
    const { alltitles, titles, docnames, filenames } = Search._index
    const found = []
    for (const [heading, places] of Object.entries(alltitles)) {
      const score = scoreOf(heading, query)
      if (!score) continue
      for (const [file, id] of places) {
        if (id === null) continue // of a page as a whole: Sphinx finds those
        const title = `${titles[file]} > ${heading}`.replace(/</g, "&lt;")
        found.push([docnames[file], title, `#${id}`, null, score, filenames[file]])
      }
    }
    return found.sort((a, b) => a[4] - b[4])
  }

  const isKnown = (term) =>
    [Search._index.terms, Search._index.titleterms].some(
      (known) =>
        Object.hasOwn(known, term) ||
        (term.length > 2 && Object.keys(known).some((other) => other.includes(term))),
    )

  const ordinary = Search._performSearch
  Search._performSearch = (query, terms, ...others) => {
    const first = headings(query)
    const there = new Set(first.map(([page, , anchor]) => page + anchor))
    let found = ordinary(query, terms, ...others)
    if (!found.length)
      found = ordinary(query, new Set([...terms].filter(isKnown)), ...others)
    return [...found.filter(([page, , anchor]) => !there.has(page + anchor)), ...first]
  }
}
