"""Arrows point one way, files are small, and what is taught is in a chapter."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "charlm"
TAUGHT = [path for path in PACKAGE.glob("*.py") if path.name[0] != "_"]
MAX_LINES, MAX_LINES_OF_ALL = 250, 3200
#: What the package itself hands on of the tool.
TOOL = ("charlm.train", "charlm.open_run", "charlm.Run")
LEAVES = ("layers", "backprop", "scalar")  # a reader can open them alone


def parts(source):
    """The parts of the package from which code imports, at any depth of the code."""
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            if name in TOOL:
                yield "runs"
            elif name == "charlm" or name.startswith("charlm."):
                folder = name.split(".")[1:2]
                yield folder[0] if folder in (["runs"], ["book"]) else "taught"


@pytest.mark.parametrize(
    "source, found",
    [
        ("from charlm.data import windows\nimport charlm.vocab", ["taught"] * 2),
        ("def f():\n    from charlm.runs.run import Run", ["runs"]),
        ("from charlm.book import plots", ["book"]),
        ("from charlm import train", ["runs"]),
        ("from charlm.train import fit", ["taught"]),
        ("from charlm import runs, layers", ["runs", "taught"]),
        ("import torch\nfrom pathlib import Path", []),
    ],
)
def test_an_arrow_is_found(source, found):
    assert list(parts(source)) == found


def arrows(files, forbidden):
    return [
        (path.relative_to(ROOT).as_posix(), part)
        for path in files
        for part in parts(path.read_text(encoding="utf-8"))
        if part in forbidden
    ]


def test_arrows_point_one_way():
    """The tool and the helpers of the pages need what is taught, not each other."""
    assert arrows(TAUGHT, {"runs", "book"}) == []
    assert arrows((PACKAGE / "runs").rglob("*.py"), {"book"}) == []
    assert arrows((PACKAGE / "book").rglob("*.py"), {"runs"}) == []


def test_some_modules_can_be_read_alone():
    assert arrows((PACKAGE / f"{name}.py" for name in LEAVES), {"taught"}) == []


def test_what_is_taught_stays_small():
    lines = {path.name: len(path.read_text("utf-8").splitlines()) for path in TAUGHT}
    assert {name: n for name, n in lines.items() if n > MAX_LINES} == {}
    assert sum(lines.values()) < MAX_LINES_OF_ALL


def test_each_taught_module_is_taught():
    """A chapter or an appendix imports from it, or shows its source."""
    pages = [path for path in (ROOT / "book").glob("*.md") if "api" not in path.name]
    text = "\n".join(path.read_text(encoding="utf-8") for path in pages)
    used = set(re.findall(r"\bcharlm[./](\w+)", text))
    used |= {
        n
        for m in re.findall(r"from charlm import (.+)", text)
        for n in re.findall(r"\w+", m)
    }
    assert {path.stem for path in TAUGHT} <= used
