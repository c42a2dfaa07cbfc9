// A quiz: one choice a question. The first answer locks it and shows its reason, and that
// of the right one; at the end stands how many were right. The answers are kept, until the
// reader asks for all questions again. Without this script the choices are folds.
{
  const key = `charlm-quiz:${location.pathname}`
  const given = {} // the text of a choice, by that of its question

  function kept() {
    try {
      return JSON.parse(localStorage.getItem(key)) ?? {}
    } catch {
      return {}
    }
  }

  function keep() {
    try {
      if (Object.keys(given).length) localStorage.setItem(key, JSON.stringify(given))
      else localStorage.removeItem(key)
    } catch {} // a reader may forbid it
  }

  const questions = [...document.querySelectorAll(".quiz")]
  const isRight = (fold) => /^\s*Right\b/.test(fold.querySelector(".sd-summary-content").textContent)
  let answered = 0
  let right = 0

  const score = document.createElement("p")
  score.className = "quiz-score"
  score.setAttribute("role", "status")
  const again = document.createElement("button")
  again.type = "button"
  again.className = "quiz-again"
  again.textContent = "Answer all again"
  again.hidden = true
  questions.at(-1)?.append(score, again)
  const resets = [() => (answered = right = 0)]
  again.addEventListener("click", () => {
    for (const reset of resets) reset()
    score.textContent = ""
    again.hidden = true
    keep()
    questions[0].querySelector("input").focus()
  })

  questions.forEach((question, number) => {
    const asked = question.querySelector(":scope > p")
    asked.id ||= `question-${number + 1}`
    question.setAttribute("role", "radiogroup")
    question.setAttribute("aria-labelledby", asked.id)
    const folds = [...question.querySelectorAll(":scope > details")]
    const choices = folds.map((fold) => {
      const good = isRight(fold)
      const label = document.createElement("label")
      const radio = document.createElement("input")
      radio.type = "radio"
      radio.name = asked.id
      const reason = document.createElement("div")
      reason.className = "quiz-reason"
      reason.hidden = true
      reason.append(...fold.querySelector(".sd-summary-content").childNodes)
      const text = document.createElement("span")
      text.append(...fold.querySelector(".sd-summary-text").childNodes)
      label.append(radio, text)
      const choice = document.createElement("div")
      choice.className = "quiz-choice"
      choice.append(label, reason)
      return { radio, reason, choice, good }
    })
    folds.forEach((fold, i) => fold.replaceWith(choices[i].choice))

    const questionText = asked.textContent.trim()
    const textOf = ({ choice }) => choice.querySelector("label").textContent.trim()

    function answer(chosen) {
      for (const { radio, reason, choice, good } of choices) {
        radio.disabled = true
        if (radio !== chosen.radio && !good) continue
        reason.hidden = false
        choice.classList.add(good ? "quiz-right" : "quiz-wrong")
      }
      given[questionText] = textOf(chosen)
      answered += 1
      right += chosen.good
      score.textContent = `${right} of ${answered} right${answered < questions.length ? " so far" : ""}.`
      again.hidden = false
    }

    resets.push(() => {
      delete given[questionText]
      for (const { radio, reason, choice } of choices) {
        radio.disabled = radio.checked = false
        reason.hidden = true
        choice.classList.remove("quiz-right", "quiz-wrong")
      }
    })

    const before = choices.find((one) => textOf(one) === kept()[questionText])
    if (before) {
      before.radio.checked = true
      answer(before)
    }
    // The arrow keys only move: else the first of them would answer by accident.
    choices.forEach((choice, i) => {
      choice.radio.addEventListener("change", () => {
        answer(choice)
        keep()
        choice.reason.tabIndex = -1
        choice.reason.focus({ preventScroll: true })
      })
      choice.radio.addEventListener("keydown", (event) => {
        const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key]
        if (!by) return
        event.preventDefault()
        choices.at((i + by) % choices.length).radio.focus()
      })
    })
  })
}
