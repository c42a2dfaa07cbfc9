"""A build that fails ends with the reason; one that is stopped keeps what it has."""

import os
import re
import signal
import subprocess
from time import monotonic, sleep

import pytest
from books import NOTEBOOK, build, command, write_book

SOON = "kernelspec:", "mystnb:\n  execution_timeout: 1\nkernelspec:"


def page(source, front=NOTEBOOK):
    return f"{front}# A\n\n```{{code-cell}}\n:tags: [hide-input]\n\n{source}\n```\n"


def last_lines(log):
    """What comes after the lines of Sphinx: at most ten, with the one of make."""
    assert "Traceback" not in log and "=====" not in log, log
    _, found, after = log.partition("\nThe build failed")
    lines = (found + after).strip().splitlines()
    assert found and len(lines) < 10, log
    return lines


def test_cells_that_fail_side_by_side(tmp_path):
    pages = {
        "index": page("a = 1\nb = 0\n\nc = 2\na / b"),
        "killed": page("import os\nos.kill(os.getpid(), 9)"),
        "slow": page("import time\ntime.sleep(60)", NOTEBOOK.replace(*SOON)),
        "well": page("1"),
    }
    book = write_book(tmp_path, pages)
    status, log = build(book)
    assert status != 0 and last_lines(log) == [
        "The build failed at index.md, line 8:",
        "    a = 1",
        "    b = 0",
        "    …",
        "ZeroDivisionError: division by zero (line 15: a / b)",
        "What to do: correct this place, then build again.",
        "Also: killed.md, line 8: DeadKernelError: Kernel died",
        "Also: slow.md, line 10: CellTimeoutError: "
        "A cell timed out while it was being executed, after 1 seconds.",
        "The full traceback is in _build/failure.log.",
    ]
    kept = (book / "_build" / "failure.log").read_text()
    assert "----> 5 a / b" in kept and "nbclient.exceptions.DeadKernelError" in kept
    fine = page("1")
    for name in ("index", "killed", "slow"):
        (book / f"{name}.md").write_text(fine)
    status, log = build(book)
    assert status == 0 and "well.md: Executed" not in log, log
    assert not (book / "_build" / "failure.log").exists()


def test_links_formulas_and_missing_pages(tmp_path):
    pages = {"index": "# A\n\n[This](no.md), and {ref}`nothing`.\n\n$\\frac{1$\n"}
    book = write_book(tmp_path, pages | {"gone": ""})
    (book / "gone.md").unlink()
    status, log = build(book)
    lines = last_lines(log)
    assert status != 0 and lines[:2] == [
        "The build failed at _toc.yml, line 2:",
        "    - file: gone",
    ]
    assert "Also: index.md, line 3: undefined label: 'nothing'" in lines
    assert any(line.startswith("Also: index.md, line 5: unparse") for line in lines)


def test_what_fails_before_the_build_begins(tmp_path):
    book = write_book(tmp_path, {"index": "# A\n"})
    config = book / "_config.yml"
    config.write_text(
        config.read_text().replace("- sphinx_sitemap\n", "- no_extension\n")
    )
    status, log = build(book)
    assert status != 0 and last_lines(log)[1:] == [
        "ModuleNotFoundError: No module named 'no_extension'",
        "What to do: install what is missing (`make book` does), then build again.",
        "The full traceback is in _build/failure.log.",
    ]


def test_a_stopped_build_keeps_the_pages_that_were_executed(tmp_path):
    signs = tmp_path / "signs"
    signs.mkdir()
    waits = f"""import os
from pathlib import Path
from time import sleep
Path("{signs}/begun").write_text(str(os.getpid()))
while not Path("{signs}/go").exists():
    sleep(0.1)"""
    book = tmp_path / "book"
    book.mkdir()
    write_book(book, {"index": page(waits), "second": page("2")})
    with subprocess.Popen(**command(book), start_new_session=True) as process:
        log = ""
        assert process.stdout is not None
        while "second.md: Executed" not in log:
            line = process.stdout.readline()
            assert line, log
            log += line
        end = monotonic() + 120  # no other line comes until this cell ends
        while not (signs / "begun").exists():
            assert monotonic() < end, log
            sleep(0.1)
        sleep(0.5)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        log += process.communicate(timeout=60)[0]
    assert process.returncode != 0 and "Traceback" not in log
    assert log.splitlines()[-2:] == [
        "",
        "The build was stopped: the next one keeps the pages that were executed.",
    ], log
    with pytest.raises(ProcessLookupError):
        os.kill(int((signs / "begun").read_text()), 0)
    (signs / "go").touch()
    status, log = build(book)
    assert status == 0, log
    assert set(re.findall(r"(\w+)\.md: Executed", log)) == {"index"}
