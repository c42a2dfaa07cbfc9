"""A build that did not end clean says why, and the next one reads every page again."""

import logging
from pathlib import Path
from types import SimpleNamespace

import pytest
from bookext.failure import LINES, BuildFailed, Failure
from bookext.strict import begin, finish

PAGE = """# A

See [this](nowhere.md).

```{code-cell}
:tags: [hide-input]

a = 1

b = 2
c = 3
d = 4
```
"""
MISS = Failure("book/a.md", 3, "expect('gain', 0.1, 0.2, 0.3)", "gain came out as 0.1")


@pytest.fixture
def app(tmp_path):
    doctrees = tmp_path / "_build" / ".doctrees"
    doctrees.mkdir(parents=True)
    (doctrees / "environment.pickle").touch()
    (tmp_path / "a.md").write_text(PAGE)
    (tmp_path / "_toc.yml").write_text("root: a\nchapters:\n- file: b\n")
    return SimpleNamespace(
        srcdir=tmp_path,
        doctreedir=doctrees,
        outdir=tmp_path / "_build" / "html",
        config=SimpleNamespace(external_toc_path=tmp_path / "_toc.yml"),
    )


def warning(message, location=""):
    record = logging.LogRecord("sphinx", logging.WARNING, "", 0, message, None, None)
    record.location = location
    return record


def last_lines(app, exception=None, warnings=()):
    with pytest.raises(SystemExit) as end:
        finish(app, exception, warnings)
    lines = str(end.value.code).strip().splitlines()
    assert len(lines) <= LINES
    assert lines[-1].endswith("_build/failure.log.")
    return lines


@pytest.mark.parametrize("end", ["warning", "exception", "killed", "clean"])
def test_next_build(app, end):
    begin(app, None)
    if end == "clean":
        finish(app, None, [])
    elif end != "killed":
        exception = RuntimeError("no") if end == "exception" else None
        last_lines(app, exception, [] if exception else [warning("no")])
    begin(app, None)
    assert (app.doctreedir / "environment.pickle").exists() == (end == "clean")


def test_warning_tells_its_line_and_is_listed(app):
    lines = last_lines(
        app,
        warnings=[warning("no target 'nowhere' [myst.xref]", f"{app.srcdir}/a.md:3")],
    )
    assert lines[:3] == [
        "The build failed at a.md, line 3:",
        "    See [this](nowhere.md).",
        "no target 'nowhere'",
    ]
    assert lines[3].startswith("What to do: ")


@pytest.mark.parametrize("location", ["a.md", "a.md:"])
def test_warning_without_a_line_tells_its_page(app, location):
    lines = last_lines(app, warnings=[warning("odd", f"{app.srcdir}/{location}")])
    assert lines[:2] == ["The build failed at a.md:", "odd"]


def test_warning_in_a_cell_shows_the_cell_s_first_lines(app):
    lines = last_lines(app, warnings=[warning("stderr", f"{app.srcdir}/a.md:6")])
    assert lines[1:5] == ["    a = 1", "    b = 2", "    …", "stderr"]


def test_missing_page_is_shown_in_the_table_of_contents(app):
    message = "toctree contains reference to nonexisting document 'b'"
    lines = last_lines(app, warnings=[warning(message, f"{app.srcdir}/a.md:")])
    assert lines[:2] == ["The build failed at _toc.yml, line 3:", "    - file: b"]


def test_many_are_counted_and_all_are_in_the_log(app):
    many = [warning(f"fault {n}", f"{app.srcdir}/a.md:{n}") for n in range(1, 30)]
    lines = last_lines(app, BuildFailed([MISS]), many)
    assert lines[0] == "The build failed at book/a.md, line 3:"
    assert lines[2] == MISS.error
    assert "Also: a.md, line 1: fault 1" in lines
    listed = sum(": fault " in line for line in lines)
    assert lines[-2] == f"Also: {29 - listed} more"
    log = (app.outdir.parent / "failure.log").read_text()
    assert all(f"fault {n}\n" in log for n in range(1, 30))


def test_other_exception_keeps_its_traceback_for_the_log(app):
    app.env = SimpleNamespace(
        temp_data={"docname": "a"}, doc2path=lambda name: app.srcdir / f"{name}.md"
    )
    try:
        try:
            raise OSError(28, "No space left on device")
        except OSError as error:
            raise RuntimeError("while copying") from error
    except RuntimeError as error:
        lines = last_lines(app, error)
    assert lines[:3] == [
        "The build failed at a.md:",
        "OSError: [Errno 28] No space left on device",
        "What to do: free some space on the disk, then build again.",
    ]
    assert "while copying" in (app.outdir.parent / "failure.log").read_text()


def test_full_disk_does_not_hide_the_reason(app, monkeypatch):
    def full(path, *arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(SystemExit) as end:
        finish(app, None, [warning("error writing file: No space left on device")])
    *_, advice, log = str(end.value.code).splitlines()
    assert advice == "What to do: free some space on the disk, then build again."
    assert log == "The full report could not be written: No space left on device."
