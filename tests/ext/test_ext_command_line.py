"""The reference of the command line has all that the program knows, and no more."""

import re
from typing import Any

import typer
from bookext.command_line import described

from charlm.runs.cli import app

TEXT = described(app, "charlm")
PROGRAM: Any = typer.main.get_command(app)
COMMANDS = {"charlm": PROGRAM} | {
    f"charlm {name}": command for name, command in PROGRAM.commands.items()
}


def known(command):
    """The options of a command, and the names of its arguments."""
    for parameter in command.params:
        if parameter.param_type_name == "option":
            yield from parameter.opts + parameter.secondary_opts
        else:
            yield parameter.metavar or parameter.name
    yield from ("-h", "--help")


def listed(text):
    """The same as the reference has them: `-n, --number <int range>`."""
    for entry in re.findall(r"^\* `(.+?)`", text, re.M):
        yield from re.split(r", | / ", re.sub(r" <.+>$", "", entry))


def sections(text):
    """(command, its part of the text)"""
    _, *parts = re.split(r"^##+ `(.+)`$", text, flags=re.M)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_every_command_and_option_is_there_and_nothing_else():
    found = {name: sorted(listed(text)) for name, text in sections(TEXT).items()}
    assert found == {name: sorted(known(command)) for name, command in COMMANDS.items()}


def test_each_option_says_what_it_does():
    assert re.findall(r"^\* `[^`]+`(?:: *\[.*)?$", TEXT, re.M) == []


def test_defaults_that_depend_on_the_model_are_told():
    assert "[default: (3 for mlp; 8 for wavenet" in sections(TEXT)["charlm train"]


def test_no_markup_of_the_terminal_is_left():
    assert re.findall(r"\[/?(?:bold|dim|cyan|green|red|yellow)\b|\x1b", TEXT) == []


def test_options_in_prose_are_code():
    prose = "\n".join(line for line in TEXT.splitlines() if line[:1] not in "*$")
    assert "goes on with `--resume`" in prose
    assert re.findall(r"(?<!`)--\w", prose) == []
