"""The execution cache key changes with what a chapter uses, and with nothing else."""

import pytest
import yaml
from bookext.fingerprint import FRONT_MATTER, add_to_kernelspec, cells, fingerprint

PACKAGE = {
    "__init__.py": '"""The package."""\n',
    "base.py": 'def f():\n    """Doc."""\n    return 1\n',
    "middle.py": "from . import base\n",
    "lazy.py": "def g():\n    from pack.base import f\n    return f()\n",
    "names.py": 'from pathlib import Path\nP = Path(__file__).with_name("names.txt")\n',
    "names.txt": "emma\nolivia\n",
    "alone.py": "def h():\n    return 0\n",
}


@pytest.fixture
def pack(tmp_path):
    root = tmp_path / "pack"
    root.mkdir()
    for name, text in PACKAGE.items():
        (root / name).write_text(text)
    return root


def page(*sources):
    return "# A\n\n" + "".join(f"```{{code-cell}}\n{s}\n```\n\n" for s in sources)


def changes(root, file, new, text):
    """Whether the page's fingerprint changes when `file` gets the text `new`."""
    before = fingerprint(root, text)
    (root / file).write_text(new)
    return fingerprint(root, text) != before


IMPORTS = [
    "import pack.base",
    "import pack.base as b",
    "from pack import base",
    "from pack.base import f",
    "from pack import middle",
    "import pack.middle",
    "from pack.lazy import g",
    "def later():\n    from pack import base",
    "%time import pack.base",
    "%%timeit -n 1 -r 2\nimport pack.base",
    "%matplotlib inline\nimport pack.base",
]
NEW_BODY = PACKAGE["base.py"].replace("1", "2")


@pytest.mark.parametrize("source", IMPORTS)
def test_new_body_counts_for_each_way_to_import_it(pack, source):
    assert changes(pack, "base.py", NEW_BODY, page("1 + 1", source))


def test_new_body_does_not_count_for_others(pack):
    assert not changes(pack, "base.py", NEW_BODY, page("from pack import alone"))
    assert not changes(pack, "base.py", NEW_BODY, page("import pack"))
    assert not changes(
        pack, "base.py", NEW_BODY, "# Only `import pack.base` in prose\n"
    )


def test_package_itself_counts_with_each_module(pack):
    assert changes(pack, "__init__.py", "x = 1\n", page("import pack.alone"))


@pytest.mark.parametrize("old, new", [("Doc.", "Better."), ("1", "1  # one")])
def test_docstrings_and_comments_do_not_count(pack, old, new):
    text = PACKAGE["base.py"].replace(old, new)
    assert not changes(pack, "base.py", text, page("import pack.base"))


def test_data_counts_for_who_names_it(pack):
    assert changes(pack, "names.txt", "ava\n", page("import pack.names"))
    assert changes(pack, "names.txt", "mia\n", page('open("names.txt")'))
    assert not changes(pack, "names.txt", "zoe\n", page("import pack.alone"))


@pytest.mark.parametrize(
    "source",
    [
        'open("data.csv")',
        'Path("data") / "inner.csv"',
        'open("data/inner.csv")',
        'open("../above.csv")',
        "!head -3 data.csv",
        "%run helper.py",
        "import helper",
        "from helper import h",
        "import folder.inner",
    ],
)
def test_a_file_beside_the_page_counts_for_the_page_that_names_it(
    pack, tmp_path, source
):
    book = tmp_path / "book"
    paths = [
        *("data.csv", "data/inner.csv", "../above.csv", "helper.py"),
        *("folder/inner.py", "folder/__init__.py"),
    ]
    for name in paths:
        (book / name).parent.mkdir(parents=True, exist_ok=True)
        (book / name).write_text("a = 1\n")
    named, other = page(source), page('open("other.csv")', "import os, pack.base")
    before = fingerprint(pack, named, book), fingerprint(pack, other, book)
    for name in paths:
        (book / name).write_text("a = 2\n")
    assert fingerprint(pack, named, book) != before[0]
    assert fingerprint(pack, other, book) == before[1]
    for name in paths:
        (book / name).write_text("a = 1\n")
    assert fingerprint(pack, named, book) == before[0]


@pytest.mark.parametrize("text", ["", ".", "..", "/", "a\0b", "x" * 5000, "./"])
def test_a_string_that_is_no_file_beside_the_page_does_not_count(pack, tmp_path, text):
    source = page(f"x = {text!r}")
    before = fingerprint(pack, source, tmp_path)
    (tmp_path / "new.txt").write_text("new")
    assert fingerprint(pack, source, tmp_path) == before


def test_prose_does_not_count(pack):
    text = page("import pack.base")
    assert fingerprint(pack, text) == fingerprint(pack, text + "More words.\n")


def test_field_is_added_and_no_line_moves():
    text = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n\n# A\n"
    new = add_to_kernelspec(text, "abc")
    assert new.count("\n") == text.count("\n")
    assert new.splitlines().index("# A") == text.splitlines().index("# A")
    front = yaml.safe_load(FRONT_MATTER.findall(new)[0])
    assert front["kernelspec"] == {"name": "python3", "fingerprint": "abc"}
    assert front["file_format"] == "mystnb"


@pytest.mark.parametrize("text", ["# A\n", "---\ntitle: A\n---\n\n# A\n", ""])
def test_page_without_kernel_is_left_alone(text):
    assert add_to_kernelspec(text, "abc") == text


def test_options_of_cells_are_not_code():
    short = "```{code-cell} python\n:tags: [hide-input]\n\nx = 1\n```\n"
    block = "```{code-cell} python\n---\ntags: [scratch]\n---\ny = 2\n```\n"
    longer = "````{code-cell}\nz = '''\n```\n'''\n````\n"
    sources = [source.strip() for source in cells(short + "\n" + block + "\n" + longer)]
    assert sources == ["x = 1", "y = 2", "z = '''\n```\n'''"]
