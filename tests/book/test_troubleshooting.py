"""Each entry of "When it goes wrong" breaks something, mends it, and can be found."""

import re
from pathlib import Path

import pytest
from bookext.fingerprint import cells

PAGE = (Path(__file__).parents[2] / "book" / "troubleshooting.md").read_text(
    encoding="utf-8"
)
HEADING = re.compile(r"^### (.+)$", re.M)
CHAPTER = re.compile(r"\]\((0\d_\w+|setup)\.md")


def entries(text):
    """(heading, body) of each section of the third level."""
    _, *parts = HEADING.split(text)
    bodies = (re.split(r"^## ", body, flags=re.M)[0] for body in parts[1::2])
    return list(zip(parts[::2], bodies, strict=True))


ENTRIES = entries(PAGE)


def missing(heading, body):
    """What an entry lacks: a cell that fails, a cure, the message, or a link."""
    code = cells(body)
    expected = re.findall(r'(?:fails\(|message = )"(.*)"', "\n".join(code))
    searched = heading.replace("`", "")
    if len(code) < 2:
        yield "a cell that fails and one that cures"
    if not code or not re.search(r"^assert |^expect\(", code[-1], re.M):
        yield "a cure that shows that it works"
    said = [message.replace("`", "") in searched for message in expected]
    if expected and not any(said) and not any("fails():" in cell for cell in code):
        yield "a heading that is the message"
    if not CHAPTER.search(body):
        yield "a link to where it is taught"


@pytest.mark.parametrize("heading, body", ENTRIES, ids=[h for h, _ in ENTRIES])
def test_entry_is_complete(heading, body):
    assert list(missing(heading, body)) == []


def test_there_are_many_and_each_once():
    headings = [heading for heading, _ in ENTRIES]
    assert len(headings) >= 22
    assert len(headings) == len(set(headings))


CELL = "```{code-cell}\n%s\n```\n"
LINK = "[Part 1](01_bigrams.md#counting)\n"


@pytest.mark.parametrize(
    "body, what",
    [
        (CELL % 'with fails("odd"): f()' + LINK + CELL % "assert f", None),
        (CELL % 'with fails("even"): f()' + LINK + CELL % "assert f", "heading"),
        (CELL % 'with fails("odd"): f()' + LINK + CELL % "f", "cure that"),
        (CELL % 'with fails("odd"): f()' + CELL % "assert f", "link"),
        (LINK + CELL % "assert f", "one that cures"),
    ],
)
def test_what_an_entry_lacks_is_found(body, what):
    found = list(missing("`odd number`", body))
    assert len(found) == (what is not None)
    assert what is None or what in found[0]
