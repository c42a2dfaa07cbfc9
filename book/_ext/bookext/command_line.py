"""The reference of the command line is in the program's own words: Typer writes it.

    ```{command-line} charlm.runs.cli
    ```

The page is read again when any module of the program changes.
"""

import re
from importlib import import_module
from pathlib import Path
from typing import cast

import typer
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective
from typer.cli import get_docs_for_click

# The commands in one line each, cut off after some words: they follow in full.
PROSE = re.compile(r"^(?![*$]).*(?:^| )--.*", re.M)
OPTION = re.compile(r"(?<![\w`])--\w[\w-]*")
SHORT = re.compile(r"\*\*Commands\*\*:\n\n(?:\* .*\n)+\n")


class CommandLine(SphinxDirective):
    required_arguments = 1

    def run(self):
        module = import_module(self.arguments[0])
        for file in Path(str(module.__file__)).parent.glob("*.py"):
            self.env.note_dependency(str(file))
        sections = nodes.section()
        program = module.__name__.partition(".")[0]  # which is also its command
        text = StringList(described(module.app, program).splitlines())
        self.state.nested_parse(text, self.content_offset, sections, match_titles=True)
        return sections.children


def described(app, name):
    """All commands of a Typer app as Markdown, from headings of the second level on."""
    program = typer.main.get_command(app)
    context = program.make_context(name, [], resilient_parsing=True)
    text = get_docs_for_click(
        obj=program, ctx=cast(typer.Context, context), indent=1, name=name
    )
    return PROSE.sub(lambda line: OPTION.sub(r"`\g<0>`", line[0]), SHORT.sub("", text))


def setup(app):
    app.add_directive("command-line", CommandLine)
