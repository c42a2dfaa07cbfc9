// A quiz: one choice a question. The first answer locks it and shows its reason, and that
// of the right one; at the end stands how many were right. Without this script the
// choices are folds.
{
  const questions = [...document.querySelectorAll(".quiz")]
  const isRight = (fold) => /^\s*Right\b/.test(fold.querySelector(".sd-summary-content").textContent)
  let answered = 0
  let right = 0

  const score = document.createElement("p")
  score.className = "quiz-score"
  score.setAttribute("role", "status")
  questions.at(-1)?.append(score)

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

    function answer(chosen) {
      for (const { radio, reason, choice, good } of choices) {
        radio.disabled = true
        if (radio !== chosen.radio && !good) continue
        reason.hidden = false
        choice.classList.add(good ? "quiz-right" : "quiz-wrong")
      }
      chosen.reason.tabIndex = -1
      chosen.reason.focus({ preventScroll: true })
      answered += 1
      right += chosen.good
      score.textContent = `${right} of ${answered} right${answered < questions.length ? " so far" : ""}.`
    }
    // The arrow keys only move: else the first of them would answer by accident.
    choices.forEach((choice, i) => {
      choice.radio.addEventListener("change", () => answer(choice))
      choice.radio.addEventListener("keydown", (event) => {
        const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key]
        if (!by) return
        event.preventDefault()
        choices.at((i + by) % choices.length).radio.focus()
      })
    })
  })
}
