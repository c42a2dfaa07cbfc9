"""What the project imports it also asks for, and the lock is as it should be."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "requirements.txt").read_text()
OUR_OWN = {"charlm", "bookext"} | {
    file.stem
    for folder in ("tests", "book/_ext", "benchmarks")
    for file in (ROOT / folder).rglob("*.py")
}


def normal(name):
    """The name of a package as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def asked_for(extra=None):
    """The packages that the project asks for, with an extra and those that it names."""
    extras = PROJECT["optional-dependencies"]
    for requirement in [*PROJECT["dependencies"], *extras.get(extra, [])]:
        ((name, more),) = re.findall(r"^([\w.-]+)(?:\[(.+)\])?", requirement)
        if name == PROJECT["name"]:
            for inner in more.split(","):
                yield from asked_for(inner)
        else:
            yield name


def imported(files):
    """The first name of each module that the files import, where it is not our own."""
    for file in ROOT.glob(files):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            else:
                continue
            yield from (name.split(".")[0] for name in names)


@pytest.mark.parametrize(
    ("files", "extra"),
    [
        ("charlm/*.py", None),
        ("charlm/book/exercises/*.py", None),
        ("charlm/book/*.py", "book"),
        ("book/_ext/bookext/*.py", "book"),
        ("tests/**/*.py", "test"),
        ("benchmarks/*.py", "test"),
    ],
)
def test_each_import_is_asked_for(files, extra):
    """Not only because something else brings it, which may stop doing so."""
    there = packages_distributions()
    wanted = set(imported(files)) - sys.stdlib_module_names - OUR_OWN
    assert wanted
    asked = {normal(name) for name in asked_for(extra)}
    missing = {
        module: there.get(module)
        for module in wanted
        if asked.isdisjoint(normal(name) for name in there.get(module, ()))
    }
    assert missing == {}


def test_the_lock_has_one_torch_and_no_cuda():
    assert len(re.findall(r"^torch==\d", LOCK, re.M)) == 1
    assert re.findall(r"^(?:nvidia|cuda|triton).*", LOCK, re.M) == []


def test_the_promised_pythons_are_those_that_are_tried():
    named = re.findall(r"Python :: (3\.\d+)", " ".join(PROJECT["classifiers"]))
    workflow = yaml.safe_load((ROOT / ".github/workflows/portable.yml").read_text())
    assert workflow["jobs"]["pythons"]["strategy"]["matrix"]["python"] == named
    assert PROJECT["requires-python"] == f">={named[0]}"
    for page in ("README.md", "book/setup.md"):
        text = " ".join((ROOT / page).read_text(encoding="utf-8").split())
        assert f"you need Python {named[0]} to Python {named[-1]}" in text.replace(
            "You", "you"
        )
