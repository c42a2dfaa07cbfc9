"""What reaches a terminal is text; a file or a pipe gets the characters as they are."""

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.runs import cli, trainer
from charlm.runs.terminal import escaped

RED = "\x1b[31m"


@given(st.text(st.characters(exclude_categories=[])))
def test_nothing_that_a_terminal_obeys_is_left(text):
    shown = escaped(text)
    assert not {*map(chr, range(32)), "\x7f", "\x9b", "\u202e"} & {*shown}
    assert len(shown.splitlines()) <= 1


@pytest.mark.parametrize(
    "text, shown",
    [
        ("nom\nnom", r"nom\nnom"),
        (f"{RED}emma", r"\x1b[31memma"),
        ("emma\u202e", r"emma\u202e"),
        ("caf\udce9", r"caf\udce9"),
        ("نجف\u200cآباد 👩\u200d🚀 e\u0301 名", "نجف\u200cآباد 👩\u200d🚀 e\u0301 名"),
    ],
)
def test_letters_stay_and_commands_are_shown(text, shown):
    assert escaped(text) == shown


@pytest.fixture(scope="module")
def colored(tmp_path_factory):
    """A run whose words, file and directory contain escape sequences."""
    folder = tmp_path_factory.mktemp("colored") / f"{RED}folder"
    folder.mkdir()
    file = folder / f"{RED}words"
    file.write_text(f"{RED}emma\n" * 20)
    return trainer.train(file, out=folder / "run", model="ngram", smoothing=0.0)


def test_words_and_paths_are_escaped_for_a_terminal_only(colored, command, monkeypatch):
    run = colored.directory
    monkeypatch.setattr(cli.out, "_width", 400)
    for arguments in (
        ["sample", run, "-n", 3],
        ["info", run],
        ["compare", run, run],
        ["evaluate", run, run.parent / f"{RED}words"],
    ):
        status, raw, _ = command(*arguments)
        assert status == 0 and RED in "".join(raw.split())
        with monkeypatch.context() as terminal:
            terminal.setattr(sys.stdout, "isatty", lambda: True)
            terminal.setenv("TERM", "xterm")
            status, shown, _ = command(*arguments)
        assert status == 0 and RED not in shown
        assert r"\x1b[31m" in "".join(shown.split())
    status, out, _ = command("sample", run, "-n", 3, "--json")
    assert json.loads(out)["words"] == [f"{RED}emma"] * 3


def test_messages_are_escaped(colored, refused, tmp_path):
    for name in (f"{RED}no", "no\nno"):
        sentence = refused("sample", tmp_path / name)
        assert "\x1b" not in sentence and "\n" not in sentence
    file = colored.directory.parent / f"{RED}words"
    content = file.read_bytes()
    file.write_text("ava")
    assert "\x1b" not in refused("evaluate", colored.directory)
    file.write_bytes(content)


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /dev/full")
@pytest.mark.parametrize("do", [["--version"], ["--help"], ["sample", "run"]])
def test_a_full_disk_under_the_output_is_a_sentence(colored, do):
    do = [str(colored.directory) if part == "run" else part for part in do]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "charlm", *do],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    said = "charlm: the output cannot be written: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, said)


def test_an_error_of_a_file_is_not_taken_for_one_of_the_output(command, monkeypatch):
    def fail(*arguments):
        raise FileNotFoundError(2, "No such file or directory", "a file")

    monkeypatch.setattr("charlm.runs.cli.app", fail)
    with pytest.raises(FileNotFoundError):
        command("info")
