"""The chapters keep the book's promises: measured numbers, one source, short cells."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
import yaml
from fingerprint import CELL, FRONT_MATTER, OPTIONS
from IPython.core.inputtransformer2 import TransformerManager

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "book").glob("*.md"))
MAX_WIDTH, MAX_LINES = 76, 15
TOOL = {"checkpoint", "cli", "comparison", "config"} | {
    "distributed",
    "progress",
    "runs",
    "training",
}

LITERAL = {"code-cell", "code-block", "literalinclude", "math", "raw"}
FENCE = re.compile(r"\s*([`~:]{3,})\s*(?:\{([\w:-]+)\})?\s*(.*)")
NOT_PROSE = [
    re.compile(r"^\s*:[\w-]+:.*$", re.M),
    re.compile(r"<!--.*?-->|^%.*?$", re.S | re.M),
    re.compile(r"\$\$.*?\$\$", re.S),
    re.compile(r"\\begin\{(\w+\*?)\}.*?\\end\{\1\}", re.S),
    re.compile(r"(?<![\\$])\$(?!\s)[^$\n]*(?:\n[^$\n]+)*?\$"),
    re.compile(r"\{[\w:+-]+\}(`+)[^`]+\1"),
    re.compile(r"(?<!`)(`{1,2})(?!`)(?:(?!\n\n).)+?(?<!`)\1(?!`)", re.S),
    re.compile(r"^#+ \d+\.\d+\b|\b[Ee]xercises? \d+\.\d+\b", re.M),
    re.compile(r"\b(?:Python|PyTorch|NumPy|Matplotlib|CC BY(?:-SA)?) \d+(?:\.\d+)+"),
    re.compile(r"\]\([^)\s]*\)|<https?://[^>]*>|https?://\S+"),
]
DECIMAL = re.compile(r"(?<![\w.])\d[\d,]*\.\d+(?![\w.]*\.\d)")


def blank(match):
    """As many lines as were there, so that line numbers stay true."""
    return "\n" * match[0].count("\n")


def without_literal_blocks(text):
    """The text with code, displayed formulas and front matter blanked, line by line."""
    inside, literal = [], ""
    for line in FRONT_MATTER.sub(blank, text).splitlines():
        fence = FENCE.fullmatch(line)
        marks, directive, rest = fence.groups() if fence else ("", None, "")
        closes = marks and not directive and not rest
        if literal:
            literal = "" if closes and marks.startswith(literal) else literal
            line = ""
        elif closes and inside and marks.startswith(inside[-1]):
            inside.pop()
        elif marks and marks[0] != ":" and (not directive or directive in LITERAL):
            literal, line = marks, ""
        elif marks:
            inside.append(marks)
        yield line


def typed_decimals(text):
    """(line, number) for each decimal in prose that is neither glued nor cited."""
    text = "\n".join(without_literal_blocks(text))
    for pattern in NOT_PROSE:
        text = pattern.sub(blank, text)
    return [
        (number, match[0])
        for number, line in enumerate(text.splitlines(), 1)
        for match in DECIMAL.finditer(line)
    ]


def code_cells(text):
    """(line, tags, source) of each code cell."""
    for match in CELL.finditer(text):
        options = OPTIONS.match(match[2])
        front = options[0].strip().strip("-") if options else ""
        if front.startswith(":"):
            front = re.sub(r"^\s*:([\w-]+):", r"\1:", front, flags=re.M)
        tags = (yaml.safe_load(front) or {}).get("tags", [])
        line = text[: match.start()].count("\n") + 1
        yield line, tags, match[2][options.end() if options else 0 :].strip("\n")


def defined_names(source):
    """The names that a cell defines at top level."""
    for node in ast.parse(TransformerManager().transform_cell(source)).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                for leaf in ast.walk(target):
                    if isinstance(leaf, ast.Name) and isinstance(leaf.ctx, ast.Store):
                        yield leaf.id


@cache
def owned_names():
    """The public functions and classes of the package that the chapters build."""
    return {
        node.name
        for path in (ROOT / "charlm").glob("*.py")
        if path.stem not in TOOL
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name[0] != "_"
    }


def redefined(text, owned):
    """(line, name) where a cell without the tag `scratch` takes a package's name."""
    return [
        (line, name)
        for line, tags, source in code_cells(text)
        if "scratch" not in tags
        for name in defined_names(source)
        if name in owned
    ]


def broken_fences(text):
    """The lines that look like a fence of backticks and, having more, are none."""
    found = re.finditer(r"^\s*`{3,}[^`\n]+`.*$", text, re.M)
    return [text[: match.start()].count("\n") + 1 for match in found]


def long_cells(text):
    """(line, what) for each cell that is too wide or too long to read."""
    for line, _, source in code_cells(text):
        lines = [code for code in source.splitlines() if code.strip()]
        if len(lines) > MAX_LINES:
            yield line, f"{len(lines)} lines"
        yield from ((line, code) for code in lines if len(code) > MAX_WIDTH)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_each_decimal_in_prose_is_glued_or_cited(path):
    assert typed_decimals(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_no_cell_redefines_what_the_package_owns(path):
    assert redefined(path.read_text(encoding="utf-8"), owned_names()) == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_title_with_code_is_fenced_by_colons(path):
    assert broken_fences(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_cells_are_short(path):
    assert list(long_cells(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "text",
    [
        "It is {cited}`2.454` nats, and {glue:text}`loss:.3f` here.",
        "Code `x = 0.5`, ``y = `1.5` ``, math $\\eta = 0.1$ and $$p = 0.25$$",
        "```{code-cell}\n:tags: [a]\nx = 0.5\n```\n\n````python\n0.5\n````",
        "---\nversion: 1.5\n---\n\n# A\n\n### 1.1 Count\n\nAs in exercise 1.1.",
        "[link](page-1.5.html), <https://a.org/1.5>, Python 3.11, 32,257 names",
        ":::{figure} a-1.5.svg\n:width: 2.5em\n:::",
        "\\begin{align}\nx &= 0.5\n\\end{align}",
    ],
)
def test_decimal_that_is_allowed(text):
    text = text.replace("a-1.5.svg", "a.svg")
    assert typed_decimals(text) == []


@pytest.mark.parametrize(
    "text, found",
    [
        ("The loss is 2.45.", [(1, "2.45")]),
        ("A\n\n| a | 0.5 |", [(3, "0.5")]),
        ("$x$ costs 1,234.5 $y$", [(1, "1,234.5")]),
        ("```{code-cell}\n1.5\n```\n\n2.5 %", [(5, "2.5")]),
        (":::{note}\nIt is 3.5.\n:::", [(2, "3.5")]),
        (
            "```{note}\nIt is 3.5.\n```\n\n4.5\n\n```{tip}\n```",
            [(2, "3.5"), (5, "4.5")],
        ),
        (
            "::::{a}\n:::{b}\n```\n1.5\n```\n2.5\n:::\n::::\n3.5",
            [(6, "2.5"), (9, "3.5")],
        ),
    ],
)
def test_decimal_that_is_found(text, found):
    assert typed_decimals(text) == found


@pytest.mark.parametrize(
    "source, names",
    [
        ("def f():\n    x = 1", ["f"]),
        ("class A: pass\na, (b, *c) = 1, (2, 3)", ["A", "a", "b", "c"]),
        ("x[0] = 1; y.z = 2", []),
        ("%matplotlib inline\nx: int = 1\nx += 1", ["x", "x"]),
        ("from charlm import f\nf()", []),
    ],
)
def test_defined_names(source, names):
    assert list(defined_names(source)) == names


def test_only_scratch_cells_may_redefine():
    cell = "```{code-cell}\n%sdef f(): pass\n```\n"
    assert redefined(cell % "", {"f"}) == [(1, "f")]
    assert redefined(cell % ":tags: [scratch]\n\n", {"f"}) == []
    assert redefined(cell % "---\ntags: [scratch, hide-input]\n---\n", {"f"}) == []
    assert redefined(cell % "", {"g"}) == []


def test_long_cells_are_found():
    wide = "```{code-cell}\n" + "x" * (MAX_WIDTH + 1) + "\n```\n"
    tall = "```{code-cell}\n" + "x\n" * (MAX_LINES + 1) + "```\n"
    assert len(list(long_cells(wide + "\n" + tall))) == 2
