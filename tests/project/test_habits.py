"""What git and GitHub ask of a change: hooks that run offline, forms that are valid."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SUBJECT = ROOT / ".ci" / "subject.py"
spec = importlib.util.spec_from_file_location("subject", SUBJECT)
assert spec and spec.loader
subject = importlib.util.module_from_spec(spec)
spec.loader.exec_module(subject)


def config(name):
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "line",
    [
        "part3: compare rungs over four seeds",
        "readme, contributing: name the new folders",
        "test_chapters: x" + "y" * (72 - len("test_chapters: x")),
        "Merge branch 'tests'",
        'Revert "part3: compare rungs over four seeds"',
        "fixup! part3: compare rungs over four seeds",
    ],
)
def test_a_subject_that_passes(line):
    assert subject.fault(line) == ""


@pytest.mark.parametrize(
    "line, found",
    [
        ("", "write it as"),
        ("A loss is a mean", "write it as"),
        ("part3 compare rungs", "write it as"),
        ("Part3: compare rungs", "write it as"),
        ("part3:compare rungs", "write it as"),
        ("part3: ", "write it as"),
        ("a, : compare rungs", "write it as"),
        ("test_chapters: x" + "y" * (73 - len("test_chapters: x")), "73 characters"),
        ("part3: compare rungs.", "full stop"),
    ],
)
def test_a_subject_that_is_refused(line, found):
    assert found in subject.fault(line)


@pytest.mark.parametrize(
    "text, status",
    [
        ("\npart3: compare rungs\n\nOne seed says little.\n# Please enter …\n", 0),
        ("# Please enter the commit message\nOne seed says little\n", 1),
        ("# only comments\n", 1),
    ],
)
def test_the_hook_reads_the_first_line_that_counts(tmp_path, text, status):
    message = tmp_path / "COMMIT_EDITMSG"
    message.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, SUBJECT, message], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (status, "")
    assert bool(done.stdout) == bool(status)


def test_all_hooks_are_local():
    hooks = config(".pre-commit-config.yaml")
    assert [repo["repo"] for repo in hooks["repos"]] == ["local"]
    for hook in hooks["repos"][0]["hooks"]:
        assert hook["language"] == "system" and hook["entry"].startswith(".venv/bin/")
