"""Exercises and quizzes in the book answer back: hints, checks, a reason a choice."""

import ast
import re
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest
from chapters import code_cells

from charlm.book.exercises import MODULES

ROOT = Path(__file__).parents[2]
PAGES = {
    "1": "01_bigrams",
    "2": "02_mlp",
    "3": "03_activations",
    "4": "04_backprop",
    "5": "05_wavenet",
    "6": "06_recurrent",
    "7": "07_attention",
    "E": "evaluation",
}
OF_THE_LECTURE = {"1": 6, "2": 3, "3": 2, "4": 4, "5": 1}

HEADING = re.compile(r"^### ([E\d]\.\d+) .+?( ★{1,3})?$", re.M)
DROPDOWN = re.compile(r"^:{3,}\{dropdown\} (.+)\n((?:.*\n)*?):{3,}$", re.M)
QUIZ = re.compile(r"^:{4,}\{div\} quiz\n((?:.*\n)*?)::::$", re.M)
CALL = re.compile(r"^```python\n(?:.*\n)*?check\(\"(.+?)\", .+\n```$", re.M)
HINT = re.compile(r"\b[Hh]ints? (\d+)")
MIN_WORDS = 5


class Exercise(NamedTuple):
    number: str
    stars: str | None
    text: str

    @property
    def hints(self):
        titles = [title for title, _ in DROPDOWN.findall(self.text)]
        return [title for title in titles if title.startswith("Hint")]


def page(part):
    return (ROOT / "book" / f"{PAGES[part]}.md").read_text(encoding="utf-8")


def section(text, title):
    """The section of a page, without its heading."""
    _, _, rest = text.partition(f"\n## {title}\n")
    return re.split(r"^## ", rest, maxsplit=1, flags=re.M)[0]


def exercises(part):
    """Each exercise of a part's page, in order."""
    _, *pieces = HEADING.split(section(page(part), "Exercises"))
    return [Exercise(*pieces[i : i + 3]) for i in range(0, len(pieces), 3)]


def checks(part):
    return import_module(f"charlm.book.exercises.{MODULES[part]}").CHECKS


def solution_asserts(exercise):
    """Whether a folded cell hands a solution to the exercise's check."""
    line = re.compile(rf'^assert check\("{re.escape(exercise.number)}", ', re.M)
    return any(
        "hide-cell" in tags and line.search(source)
        for _, tags, source in code_cells(exercise.text)
    )


def named_hints(source):
    """The hints that each function names, itself or by one that it calls."""
    code = {node.name: node for node in ast.parse(source).body if hasattr(node, "name")}

    def hints(name, seen):
        text = ast.unparse(code[name])
        called = [n for n in code if n not in seen and re.search(rf"\b{n}\b", text)]
        found = set(HINT.findall(text))
        return found.union(*(hints(n, {*seen, *called}) for n in called))

    return {name: hints(name, {name}) for name in code}


def hints_of_checks(part):
    """The hints that the check of each exercise names."""
    path = ROOT / "charlm/book/exercises" / f"{MODULES[part]}.py"
    named = named_hints(path.read_text(encoding="utf-8"))
    return {number: named[check.__name__] for number, check in checks(part).items()}


EXERCISES = [exercise for part in PAGES for exercise in exercises(part)]
QUESTIONS = [
    pytest.param(question, id=f"{part}-{number}")
    for part in PAGES
    for number, question in enumerate(QUIZ.findall(section(page(part), "Quiz")), 1)
]


@pytest.mark.parametrize("part", PAGES)
def test_exercises_and_checks_belong_together(part):
    numbers = [exercise.number for exercise in exercises(part)]
    assert numbers == list(checks(part))
    assert numbers == [f"{part}.{i}" for i in range(1, len(numbers) + 1)]


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.number)
def test_an_exercise_is_complete(exercise):
    assert exercise.stars, "no difficulty"
    assert re.search(r"^\*(From the lecture|Ours)\b", exercise.text, re.M), "no source"
    assert CALL.findall(exercise.text) == [exercise.number], "no call of check"
    assert exercise.hints in (
        ["Hint 1", "Hint 2"],
        ["Hint 1", "Hint 2", "Hint 3"],
    )
    assert solution_asserts(exercise), "no folded solution that asserts its check"


@pytest.mark.parametrize("part", PAGES)
def test_a_message_names_only_hints_that_exist(part):
    existing = {e.number: set(HINT.findall(str(e.hints))) for e in exercises(part)}
    for number, named in hints_of_checks(part).items():
        assert named <= existing[number], number


@pytest.mark.parametrize("part", PAGES)
def test_a_page_has_all_of_the_lecture_s_exercises_and_two_of_our_own(part):
    text = section(page(part), "Exercises")
    lecture = re.findall(r"^\*From the lecture\b", text, re.M)
    assert len(lecture) == OF_THE_LECTURE.get(part, 0)
    assert len(re.findall(r"^\*Ours\b", text, re.M)) >= 2


@pytest.mark.parametrize("part", PAGES)
def test_the_difficulty_marks_are_explained_where_the_exercises_begin(part):
    intro = section(page(part), "Exercises").partition("\n### ")[0]
    used = {exercise.stars.strip() for exercise in exercises(part)}
    assert used <= set(re.findall("★+", intro))


@pytest.mark.parametrize("part", PAGES)
def test_a_page_has_three_questions_with_the_right_choice_in_several_places(part):
    found = QUIZ.findall(section(page(part), "Quiz"))
    rights = [
        [body.startswith("Right.") for _, body in DROPDOWN.findall(question)]
        for question in found
    ]
    assert len(found) >= 3
    assert len({choices.index(True) for choices in rights}) >= 2


@pytest.mark.parametrize("question", QUESTIONS)
def test_each_choice_of_a_question_gives_its_reason(question):
    choices = DROPDOWN.findall(question)
    letters = [title.partition(". ")[0] for title, _ in choices]
    assert "".join(letters) in ("abc", "abcd")
    right = [body for _, body in choices if body.startswith("Right. ")]
    wrong = [body for _, body in choices if body.startswith("No: ")]
    assert len(right) == 1 and len(right + wrong) == len(choices)
    assert all(len(body.split()) > MIN_WORDS for _, body in choices)
    assert question.startswith("**")


def test_an_exercise_that_lacks_something_is_found():
    cell = '```{code-cell}\n:tags: [%s]\n\nassert check("1.1", x)\n```\n'
    assert solution_asserts(Exercise("1.1", " ★", cell % "hide-cell"))
    assert not solution_asserts(Exercise("1.2", " ★", cell % "hide-cell"))
    assert not solution_asserts(Exercise("1.1", " ★", cell % "hide-input"))
    text = ":::{dropdown} Hint 1\nA\n:::\n\n:::{dropdown} Other\nB\n:::\n"
    assert Exercise("1.1", None, text).hints == ["Hint 1"]
    assert CALL.findall('```python\ncheck("1.1", loss)\n```\n') == ["1.1"]
    assert CALL.findall('```python\nprint("1.1")\n```\n') == []


def test_the_hints_that_a_check_names_are_found_through_what_it_calls():
    source = (
        "def f():\n    raise Wrong('See hint 1.')\n"
        "def g():\n    f()\n    return 'See hint 3.'\n"
        "def h():\n    g()\n    h()\n"
        "def i():\n    pass\n"
    )
    both = {"1", "3"}
    assert named_hints(source) == {"f": {"1"}, "g": both, "h": both, "i": set()}
