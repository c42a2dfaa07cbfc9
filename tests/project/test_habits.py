"""What git and GitHub ask of a change: hooks that run offline, forms that are valid."""

import importlib.util
import re
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


FORMS = sorted(path.name for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("[0-9]*"))
KINDS = {"markdown", "input", "textarea", "dropdown", "checkboxes"}


def test_the_form_for_a_mistake_in_the_book_comes_first():
    """GitHub lists the forms by the names of their files."""
    assert FORMS == ["1-erratum.yml", "2-bug.yml"]


@pytest.mark.parametrize("name", FORMS)
def test_an_issue_form_is_one_that_github_takes(name):
    form = config(f".github/ISSUE_TEMPLATE/{name}")
    assert form.keys() <= {"name", "description", "title", "labels", "body"}
    assert form["name"] and form["description"]
    questions = [item for item in form["body"] if item["type"] != "markdown"]
    ids = [item["id"] for item in questions]
    assert {item["type"] for item in form["body"]} <= KINDS
    assert len(ids) == len(set(ids)) > 3
    for item in questions:
        assert item["attributes"]["label"]
        if item["type"] == "dropdown":
            options = item["attributes"]["options"]
            assert len(options) == len(set(options)) > 1


def test_the_form_for_a_mistake_asks_what_is_needed_to_mend_it():
    body = config(".github/ISSUE_TEMPLATE/1-erratum.yml")["body"]
    asked = [item["id"] for item in body if item["type"] != "markdown"]
    assert asked == ["page", "section", "written", "right", "reason"]


def test_the_form_for_a_mistake_lists_every_part():
    body = config(".github/ISSUE_TEMPLATE/1-erratum.yml")["body"]
    (options,) = [
        item["attributes"]["options"] for item in body if item.get("id") == "page"
    ]
    for path in (ROOT / "book").glob("[0-9]*.md"):
        (title,) = re.findall(r"^# (.+)$", path.read_text("utf-8"), re.M)[:1]
        assert title.partition(":")[0] in options
