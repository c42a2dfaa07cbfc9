"""What the cache keeps of a page; of a cell that fails its place, code and error."""

from copy import deepcopy

import pytest
from bookext.execution import Cell, Page, failure, is_known, joined, keep, take_over
from jupyter_cache import get_cache
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat.v4 import new_code_cell, new_notebook, new_output

SOURCE = "a = 1\n\na / 0"
TEXT = f"""# A

a = 1

```{{code-cell}}
:tags: [hide-input]

{SOURCE}
```
"""
PAGE = Page("book/a", "/srv/book/a.md", TEXT, None)
TRACEBACK = "\x1b[36mCell\x1b[39m\x1b[36m \x1b[39m\x1b[32mIn[3]\x1b[39m, line {}"


def about(error, source=SOURCE):
    return failure(PAGE, Cell(5, source), error)


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
    late = CellTimeoutError.error_from_timeout_and_cell("late", 600, new_code_cell(""))
    assert about(late).error.endswith("while it was being executed, after 600 seconds.")
    assert "`timeout`" in about(late).remedy
    dead = about(DeadKernelError("Kernel died"))
    assert dead.error == "DeadKernelError: Kernel died"
    assert "memory" in dead.remedy and "DeadKernelError" in dead.details


def test_what_fails_outside_of_a_cell_names_the_page():
    said = failure(PAGE, Cell(), OSError(28, "No space left on device"))
    assert (said.place, said.error[:7]) == ("book/a.md", "OSError")
    assert "free some space" in said.remedy


def stream(*pieces, name="stdout"):
    return [new_output("stream", name=name, text=text) for text in pieces]


def texts(outputs):
    return [output.get("text", output["output_type"]) for output in outputs]


def test_only_neighbours_of_one_stream_are_joined():
    image = new_output("display_data", {"text/plain": "x"})
    mixed = [*stream("5,77", "5\nlo"), *stream("c", name="stderr"), image, *stream("d")]
    assert texts(joined(deepcopy(mixed))) == ["5,775\nlo", "c", "display_data", "d"]
    assert joined([]) == []


def test_the_cache_gives_back_joined_outputs_and_times(tmp_path):
    """And it finds them by the notebook as it was before it ran."""
    before = new_notebook(cells=[new_code_cell("print(1)")])
    ran = deepcopy(before)
    ran.cells[0].outputs = stream("1", "2\n")
    page = Page("a", str(tmp_path / "a.md"), "", ran)
    keep(get_cache(tmp_path / "cache"), page, 8.5, {"0": 7.0})
    cache = get_cache(tmp_path / "cache")
    found = cache.merge_match_into_notebook(before)[1]
    assert texts(found.cells[0].outputs) == ["12\n"]
    assert found.metadata.language_info.seconds == {"0": 7.0}
    assert cache.match_cache_notebook(before).data == {"execution_seconds": 8.5}


@pytest.mark.parametrize(
    "metadata, same",
    [
        ({"tags": ["hide-input"]}, True),
        ({"mystnb": {"figure": {"caption": "New."}}}, True),
        ({"tags": ["raises-exception", "hide-input"]}, False),
        ({"tags": ["skip-execution"]}, False),
    ],
    ids=str,
)
def test_a_tag_or_a_caption_executes_nothing_again(tmp_path, metadata, same):
    cache, path = get_cache(tmp_path / "cache"), str(tmp_path / "a.md")

    def page(source, path=path, **metadata):
        cell = new_code_cell(source, metadata=metadata)
        spec = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
        return Page("a", path, "", new_notebook(metadata=spec, cells=[cell]))

    before = page("1")
    before.notebook.cells[0].outputs = [new_output("stream", text="1\n")]
    before.notebook.metadata.language_info = {"name": "python"}
    keep(cache, before, 8.5, {"0": 7.0})
    changed = page("1", **metadata)
    assert not is_known(cache, changed.notebook)
    assert take_over(cache, changed) == is_known(cache, changed.notebook) == same
    if same:
        found = cache.merge_match_into_notebook(page("1", **metadata).notebook)[1]
        assert found.cells[0].outputs[0].text == "1\n"
        assert found.cells[0].metadata == metadata
        language = {"name": "python", "seconds": {"0": 7.0}}
        assert found.metadata.language_info == language
    assert not take_over(cache, page("2"))
    assert not take_over(cache, page("1", str(tmp_path / "b.md"), **metadata))
