"""The last lines of a failed build fit on a screen, and say what to do."""

import pytest
from bookext.failure import ADVICE, LINES, NO_PLACE, PLACE, Failure, last_lines

CELL = "a = 1\n\nb = 2\nc = 3\nd = 4"


def test_the_first_failure_is_shown_and_the_others_are_counted():
    first = Failure("a.md", 3, CELL, "KeyError: 'x'")
    others = [Failure("b.md", n, "", f"fault {n}") for n in range(1, 20)]
    lines = last_lines([first, *others], "The log is there.").splitlines()
    assert lines[:4] == [
        "The build failed at a.md, line 3:",
        *indented("a = 1", "b = 2", "…"),
    ]
    assert lines[4:6] == ["KeyError: 'x'", f"What to do: {PLACE}"]
    assert lines[6] == "Also: b.md, line 1: fault 1"
    assert lines[7:] == ["Also: 18 more", "The log is there."] and len(lines) == LINES


def indented(*lines):
    return [f"    {line}" for line in lines]


@pytest.mark.parametrize(
    "failure, remedy",
    [
        (Failure("", None, "", "odd"), NO_PLACE),
        (Failure("a.md", None, "", "odd"), PLACE),
        (Failure("a.md", 1, "", "odd", advice="sleep."), "sleep."),
        (Failure("", None, "", "No module named 'x'"), ADVICE["No module named"]),
    ],
)
def test_what_to_do(failure, remedy):
    assert last_lines([failure], "The log.").splitlines()[-2] == f"What to do: {remedy}"
