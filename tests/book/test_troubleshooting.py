"""Each entry of "When it goes wrong" is found by its message, fails, and is cured.

The sentences of the command line, of the build and of the checks are all there.
"""

import ast
import mmap
import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import torch
import torch.nn.functional as F
import yaml
from bookext import expectations, strict
from bookext.failure import Failure, last_lines
from chapters import code_cells

import charlm
from charlm.book.exercises import answers

TEXT = (Path(__file__).parents[2] / "book" / "troubleshooting.md").read_text(
    encoding="utf-8"
)
HEADING = re.compile(r"^### (.+)$", re.M)
SENTENCE = re.compile(r"^#### (.+)$", re.M)
CHAPTER = re.compile(r"\]\((0\d_\w+|setup)\.md")
QUOTE = re.compile(r"^```text\n(.*?)^```$", re.S | re.M)
WITHOUT_CELLS = {"Versions and installation", "Building the book, checking an exercise"}


def parts(heading, text):
    """(heading, body) of each section of one level; a higher level ends it."""
    _, *found = heading.split(text)
    bodies = (re.split(r"^## ", body, flags=re.M)[0] for body in found[1::2])
    return list(zip(found[::2], bodies, strict=True))


def section(title):
    """The text below a heading of the second level."""
    [body] = (
        body
        for head, body in parts(re.compile(r"^## (.+)$", re.M), TEXT)
        if head == title
    )
    return body


COMMAND = section("What `charlm` says")
CURED = parts(HEADING, TEXT.replace(COMMAND, ""))
SENTENCES = [
    s for head, _ in parts(SENTENCE, COMMAND) for s in re.findall(r"`(.+?)`", head)
]


def raises(body):
    """The messages that the cells of a section announce."""
    for options in re.findall(r"^:raises: (.+)$", body, re.M):
        value = yaml.safe_load(options)
        yield from [value] if isinstance(value, str) else value


def missing(heading, body, cured=True):
    """What an entry lacks: its message in the heading, a cure, or a link."""
    code = list(code_cells(body))
    said = [*raises(body), *QUOTE.findall(body)]
    whole = re.fullmatch(r"(`+)([^`].*?)\1", heading)
    if whole and whole[2] != "not yet." and not any(whole[2] in s for s in said):
        yield "the message of its heading"
    if not whole and list(raises(body)):
        yield "a heading that is the message"
    if cured and not re.search(
        r"^assert |^expect\(", code[-1][2] if code else "", re.M
    ):
        yield "a cure that shows that it works"
    if not CHAPTER.search(body):
        yield "a link to where it is taught"


@pytest.mark.parametrize("heading, body", CURED, ids=[h for h, _ in CURED])
def test_entry_is_complete(heading, body):
    quoted = any(f"### {heading}\n" in section(title) for title in WITHOUT_CELLS)
    assert list(missing(heading, body, cured=not quoted)) == []


def test_there_are_many_and_each_once():
    headings = HEADING.findall(TEXT) + SENTENCE.findall(TEXT)
    assert len(headings) >= 100
    assert len(headings) == len(set(headings))


def test_what_fails_is_shown_plainly():
    for line, tags, source in code_cells(TEXT):
        if "remove-cell" not in tags:
            assert not re.search(r"\btry:|\bwith fails", source), line


CELL = "```{code-cell}\n%s\n```\n"
FAILS = CELL % ":tags: [raises-exception]\n:raises: a number was odd\n\nf()"
LINK = "[Part 1](01_bigrams.md#counting)\n"


@pytest.mark.parametrize(
    "heading, body, what",
    [
        ("`a number was odd`", FAILS + LINK + CELL % "assert f", None),
        ("`number was`", FAILS + LINK + CELL % "assert f", None),
        ("`an even number`", FAILS + LINK + CELL % "assert f", "message of its"),
        ("An odd number", FAILS + LINK + CELL % "assert f", "that is the message"),
        ("`odd`", "```text\nodd\n```\n" + LINK + CELL % "assert f", None),
        ("`a number was odd`", FAILS + LINK + CELL % "f", "cure that"),
        ("`a number was odd`", FAILS + CELL % "assert f", "link"),
        ("It is odd", CELL % "f" + LINK + CELL % "assert f", None),
    ],
)
def test_what_an_entry_lacks_is_found(heading, body, what):
    found = list(missing(heading, body))
    assert len(found) == (what is not None)
    assert what is None or what in found[0]


# The command line

ERRORS = re.compile(
    r"(InputError|RunError|WordsError|UnknownCharacterError|NonFiniteLossError|_say)$"
)
#: What reaches a user through one of these comes from pydantic, or is a ValueError.
PASSED_ON = {"InputError(sentence(error))", "InputError(str(error))"}
PASSED_ON |= {"_say(f'charlm: {error}; {left}')", "_say(f'charlm: {error}')"}
PASSED_ON |= {"_say(*notes)"}  # which "A hint after the number of words" shows
ALSO = {
    "runs/config.py": ["ValueError"],
    "models.py": ["ValueError"],
    "counts.py": ["ValueError"],
}
#: Of a `config.json` that somebody has edited: "cannot be used" is their family.
OF_A_DAMAGED_FILE = {
    "there is no model {}",
    "these are not the options of {}",
    "{} is trained in another way",
}
#: Of the class `NGram` in Python; the command line has checked the values before.
OF_PYTHON = {
    "the order of an n-gram must be at least 1, got {}",
    "smoothing must be 0 or more and finite, got {}",
    "a {}-gram needs contexts of {}, got {}",
}


def template(node):
    """A message with {} in place of what is filled in; None where it has no text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "{}"
            for part in node.values
        )
    return None


def templates(source, names=()):
    """The messages that a module's errors may have."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args:
            name = ast.unparse(node.func)
            if not ERRORS.match(name) and name not in names:
                continue
            if ast.unparse(node) in PASSED_ON:
                continue
            yield template(node.args[0]) or ast.unparse(node)


def spoken():
    """All of them, of the modules that the command line uses."""
    package = Path(charlm.__file__).parent
    files = [*package.glob("*.py"), *package.glob("runs/*.py")]
    for file in sorted(files):
        name = file.relative_to(package).as_posix()
        yield from templates(file.read_text(encoding="utf-8"), ALSO.get(name, ()))


def stands_in(message, text):
    """Whether a text has the message, with anything in place of each {}."""
    pieces = [re.escape(" ".join(piece.split())) for piece in message.split("{}")]
    return bool(re.search(r"\S*?[^`\n]*?".join(pieces), " ".join(text.split())))


@pytest.mark.parametrize("message", sorted({*spoken()} - OF_A_DAMAGED_FILE - OF_PYTHON))
def test_each_sentence_of_the_command_line_is_there(message):
    assert stands_in(message, COMMAND)


def test_a_sentence_that_is_not_there_is_found():
    source = """
    raise InputError(f"{path} is made of {what}")
    raise RunError("there is no such file")
    raise KeyError("nobody sees this")
    raise InputError(sentence(error))
    """
    found = list(templates(dedent(source)))
    assert found == ["{} is made of {}", "there is no such file"]
    assert [stands_in(message, COMMAND) for message in found] == [False, True]


def quotes(heading, sentence):
    """Whether a heading has the sentence's own numbers, or … for what may differ."""
    return re.fullmatch(re.escape(heading).replace("…", r"[\d.]+"), sentence)


def test_a_number_that_the_program_did_not_say_is_found():
    assert quotes("inf at step 179", "inf at step 179")
    assert quotes("inf at step …: than …", "inf at step 180: than 45.2")
    assert not quotes("inf at step 179", "inf at step 180")


def test_what_the_page_runs_says_what_its_headings_say(command, monkeypatch, tmp_path):
    """And nothing else: each sentence on stderr has an entry of its own."""
    monkeypatch.chdir(tmp_path)
    space = {"Path": Path, "words": charlm.data.load_words()}
    said = []
    for _, tags, source in code_cells(COMMAND):
        if "remove-cell" in tags:
            continue
        for line in source.splitlines():
            if not line.startswith("!"):
                exec(line, space)
                continue
            status, _, err = command(*line.removeprefix("!charlm ").split())
            if status:
                sentence = err.splitlines()[-1].removeprefix("charlm: ")
                said.append(sentence.replace(f"{tmp_path}/", ""))
    assert len(said) > 30
    for sentence in said:
        assert any(quotes(heading, sentence) for heading in SENTENCES), sentence
    _, _, err = command("trian", "my_words.txt")
    assert "No such command 'trian'. Did you mean 'train'?" in err
    assert "No such command 'trian'. Did you mean 'train'?" in COMMAND


@pytest.mark.parametrize(
    "line",
    ["trian x", "train x --stpes 3", "train x --steps 1e3", "train x y", "compare"],
)
def test_a_mistake_in_the_line_comes_in_a_box(line, command):
    """Values and arguments as well as names: the page says so at its start."""
    status, _, err = command(*line.split())
    assert status == 2 and "─ Error ─" in err
    (said,) = re.findall(r"\(([^()]*)\ba box[:.]([^()]*)\)", TEXT)
    assert "line" in said[0] and "1e3" in said[1]


def test_no_heading_quotes_what_the_program_never_says():
    known = [*spoken(), "{}: input should be {}, got {}", "stopped after step {} of {}"]
    known += ["Invalid value for '--steps'", "No such option", "No such command"]
    known += ["Missing argument", "path '{}' is not readable"]  # these are click's
    for sentence in SENTENCES:
        assert any(stands_in(message, sentence) for message in known if message != "{}")


# What is quoted


def torch_says(piece):
    """Whether the library that torch is made of has these words."""
    library = next(Path(torch.__file__).parent.glob("lib/*torch_cpu.*"))
    with library.open("rb") as file:
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return content.find(piece.encode()) >= 0


@pytest.mark.parametrize(
    "piece",
    [
        "all tensors to be on the same device, but found at least two devices, ",
        "all tensors to be on the same device, but got ",
        " device type for generator but found '",
    ],
)
def test_what_this_machine_cannot_say_is_quoted_from_torch(piece):
    assert piece.strip(" '") in TEXT and torch_says(piece)


def test_the_last_lines_of_a_failed_build_are_what_it_prints():
    [quoted] = [text for text in QUOTE.findall(TEXT) if "The build failed" in text]
    failure = Failure(
        page="book/01_bigrams.md",
        line=91,
        cell="words = load_words()\nwords[99_999]\n",
        error="IndexError: list index out of range (line 93: words[99_999])",
    )
    log = "The full traceback is in _build/failure.log."
    assert last_lines([failure], log) == quoted.strip()


def test_the_sentences_of_the_build_are_there():
    assert strict.STOPPED in TEXT
    assert expectations.LAST_WORDS.strip().splitlines()[0] in TEXT


def test_what_all_checks_may_say_is_there():
    listed = section("Building the book, checking an exercise")
    tree = ast.parse(Path(answers.__file__).read_text(encoding="utf-8"))
    common = {
        template(node.args[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "Wrong"
        and node.args
    } - {None}
    assert len(common) > 8
    for message in common - {"That is too {}. {}", "That number is far too large."}:
        start = re.split(r"[.:,;{]", message)[0].strip()
        assert start in " ".join(listed.split()), message


def step_before_backward():
    grad: Any = torch.zeros(2, requires_grad=True).grad
    grad.zero_()


ASIDE = {
    "shape '[5, 3]' is invalid for input of size 12": lambda: torch.arange(12).view(
        5, 3
    ),
    "Target 27 is out of bounds": lambda: F.cross_entropy(
        torch.zeros(1, 27), torch.tensor([27])
    ),
    "Expected tensor for argument #1 'indices' to have one of the following scalar "
    "types: Long, Int": lambda: F.embedding(torch.zeros(3), torch.zeros(27, 2)),
    "mat1 and mat2 must have the same dtype": lambda: torch.nn.Linear(2, 2)(
        torch.zeros(3, 2, dtype=torch.float64)
    ),
    "\"log_softmax_lastdim_kernel_impl\" not implemented for 'Long'": lambda: (
        F.cross_entropy(torch.zeros(1, 27).long(), torch.tensor([1]))
    ),
    "can't retain_grad on Tensor that has requires_grad=False": lambda: torch.zeros(
        3
    ).retain_grad(),
    "mean(): could not infer output dtype": lambda: torch.tensor([True]).mean(),
    "0D or 1D target tensor expected, multi-target not supported": lambda: (
        F.cross_entropy(torch.zeros(32, 27), torch.zeros(32, 1).long())
    ),
    "Expected input batch_size (32) to match target batch_size (31).": lambda: (
        F.cross_entropy(torch.zeros(32, 27), torch.zeros(31).long())
    ),
    "multinomial only supports floating-point dtypes for input, got: Long": lambda: (
        torch.multinomial(torch.ones(27).long(), 1)
    ),
    "can't optimize a non-leaf Tensor": lambda: torch.optim.SGD(
        [torch.zeros(2, requires_grad=True) * 2]
    ),
    "'NoneType' object has no attribute 'zero_'": step_before_backward,
    "tensor(0)": lambda: dict[Any, str]()[torch.tensor(0)],
    "Class values must be smaller than num_classes": lambda: F.one_hot(
        torch.tensor([27]), 27
    ),
    "too many indices for tensor of dimension 1": lambda: torch.zeros(3)[:, 1],
    "only integer tensors of a single element can be converted to an index": lambda: [
        "a",
        "b",
    ][torch.tensor([0, 1])],
    "a Tensor with 3 elements cannot be converted to Scalar": lambda: torch.zeros(
        3
    ).item(),
    "dot : expected both vectors to have same dtype": lambda: (
        torch.ones(3).long() @ torch.ones(3)
    ),
    "result type Float can't be cast to the desired output type Long": lambda: (
        torch.ones(3).long().div_(2)
    ),
    "Sizes of tensors must match except in dimension 1": lambda: torch.cat(
        [torch.zeros(3, 2), torch.zeros(4, 2)], dim=1
    ),
    "stack expects each tensor to be equal size": lambda: torch.stack(
        [torch.zeros(3), torch.zeros(4)]
    ),
    "expected sequence of length 2 at dim 1 (got 1)": lambda: torch.tensor(
        [[1, 2], [3]]
    ),
    "Boolean value of Tensor with more than one value is ambiguous": lambda: bool(
        torch.zeros(3) == 0
    ),
    "optimizer got an empty parameter list": lambda: torch.optim.SGD([]),
}


@pytest.mark.parametrize("message", ASIDE)
def test_a_message_that_is_told_in_passing_is_the_real_one(message):
    assert message in " ".join(TEXT.split())
    with pytest.raises(Exception, match=re.escape(message)):
        ASIDE[message]()
