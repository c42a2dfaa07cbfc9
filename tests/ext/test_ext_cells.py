"""What is said about a cell that fails: its place, the code at fault, the error."""

import pytest
from bookext.cells import CellFailed, failure
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

SOURCE = "a = 1\n\na / 0"
PAGE = f"""# A

a = 1

```{{code-cell}}
:tags: [hide-input]

{SOURCE}
```
"""
TRACEBACK = "\x1b[36mCell\x1b[39m\x1b[36m \x1b[39m\x1b[32mIn[3]\x1b[39m, line {}"


def about(cause, source=SOURCE):
    failed = CellFailed(5, source)
    failed.__cause__ = cause
    return failure("book/a.md", PAGE, failed)


def raised(name, message, line=3):
    return CellExecutionError(TRACEBACK.format(line), name, message)


@pytest.mark.parametrize(
    "cause, error",
    [
        (raised("ZeroDivisionError", "division"), "ZeroDivisionError: division"),
        (raised("AssertionError", ""), "AssertionError"),
        (raised("SyntaxError", "invalid (123.py, line 3)"), "SyntaxError: invalid"),
        (raised("ValueError", "one\ntwo"), "ValueError: one two"),
    ],
)
def test_error_names_the_line_at_fault(cause, error):
    said = about(cause)
    assert (said.page, said.line, said.cell) == ("book/a.md", 5, SOURCE)
    assert said.error == f"{error} (line 10: a / 0)"
    assert said.details == "Cell In[3], line 3"


@pytest.mark.parametrize(
    "cause, source",
    [(raised("E", "m", line=9), SOURCE), (raised("E", "m"), "not in the page\n2\n3")],
)
def test_error_without_a_line_is_told_all_the_same(cause, source):
    assert about(cause, source).error == "E: m"


def test_a_long_message_leaves_room_for_the_line():
    said = about(raised("ValueError", "word " * 1000))
    assert said.error.endswith("… (line 10: a / 0)") and len(said.error) < 200


def test_time_out_and_death_are_one_line_with_their_own_remedy():
    late = CellTimeoutError.error_from_timeout_and_cell("late", 600, None)
    assert about(late).error.endswith("while it was being executed, after 600 seconds.")
    assert "`timeout`" in about(late).remedy
    dead = about(DeadKernelError("Kernel died"))
    assert dead.error == "DeadKernelError: Kernel died"
    assert "memory" in dead.remedy and "DeadKernelError" in dead.details


def test_what_fails_outside_of_a_cell_names_the_page():
    said = failure("book/a.md", PAGE, OSError(28, "No space left on device"))
    assert (said.place, said.error[:7]) == ("book/a.md", "OSError")
    assert "free some space" in said.remedy
