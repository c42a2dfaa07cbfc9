"""The chapters keep the book's promises: measured numbers, one source, short cells."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from bookext.fingerprint import FRONT_MATTER
from chapters import code_cells
from IPython.core.inputtransformer2 import TransformerManager

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "book").glob("*.md"))
MAX_WIDTH, MAX_LINES = 76, 15
ROUNDING = 1e-3  # two ways agree to less; a wider band is an expectation

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
    inside: list[str] = []
    literal = ""
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


ORDERS = ast.Lt | ast.LtE | ast.Gt | ast.GtE


def is_band(node):
    """Whether it compares something, by order, with a decimal above rounding."""
    return (
        isinstance(node, ast.Compare)
        and any(isinstance(op, ORDERS) for op in node.ops)
        and any(
            isinstance(x, ast.Constant)
            and isinstance(x.value, float)
            and x.value > ROUNDING
            for x in (node.left, *node.comparators)
        )
    )


def is_call_of_expect(node):
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") == "expect"


def misplaced(text):
    """(line, what) where a miss would stop the build, or where nobody would see it."""
    for line, tags, source in code_cells(text):
        tree = ast.parse(TransformerManager().transform_cell(source))
        for node in ast.walk(tree):
            if isinstance(node, ast.Assert):
                if any(map(is_band, ast.walk(node.test))):
                    yield line, "a band is an expectation: expect(name, value, ...)"
                elif "timing" in tags:
                    yield line, "a time is no exact number: expect(name, value, ...)"
            elif is_call_of_expect(node) and {"remove-cell", "remove-output"} & {*tags}:
                yield line, "the note of a miss is seen in a cell tagged expect"


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
def test_what_is_one_draw_is_expected_and_not_asserted(path):
    assert list(misplaced(path.read_text(encoding="utf-8"))) == []


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


@pytest.mark.parametrize(
    "tags, source, found",
    [
        ("[remove-cell]", "assert 2.05 < loss <= 2.15", "a band"),
        ("[]", "assert gap < 0.01 and exact", "a band"),
        ("[timing]", "assert slow > fast", "a time"),
        ("[timing, expect]", "expect('as fast', ratio, 1, 4)", None),
        ("[remove-cell]", "expect('loss', loss, 2.0, 2.1)", "the note"),
        ("[expect]", "expect('loss', loss, 2.0, 2.1)", None),
        ("[hide-cell]", "assert abs(nll - 2.4544) < 1e-3 and len(words) > 9", None),
        ("[]", "assert a.equal(b), 0.5\nif x > 0.5: pass", None),
    ],
)
def test_a_misplaced_band_is_found(tags, source, found):
    text = f"```{{code-cell}}\n:tags: {tags}\n\n{source}\n```\n"
    whats = [what for _, what in misplaced(text)]
    assert [what.startswith(found or "") for what in whats] == [True] * bool(found)


def test_long_cells_are_found():
    wide = "```{code-cell}\n" + "x" * (MAX_WIDTH + 1) + "\n```\n"
    tall = "```{code-cell}\n" + "x\n" * (MAX_LINES + 1) + "```\n"
    assert len(list(long_cells(wide + "\n" + tall))) == 2
