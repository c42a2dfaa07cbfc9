"""The cover's figures, drawn from the models that the chapters publish.

    ```{hero} christopher
    :models: bigram four-gram mlp wavenet gru gpt
    ```

    ````{ladder} uniform bigram four-gram; mlp
    1. [Bigrams.](01_bigrams.md) Counting.
    2. [A network.](02_mlp.md) Embeddings.
    ````

`hero` is a name to type over, and a row for each model: how much each letter surprises
it, and how it would go on. `ladder` gives each entry of a list its models: their losses
as dots on one axis, and the first words that each writes. Both are made here, by the
scripts that the page itself runs (`living/models.js`, `living/hero.js`), so they are in
the page before any script runs, and no second program has to agree with the first.

`losses.json` has the losses of the same models trained with other seeds, which
`benchmarks/losses.py` wrote; the ladder shows their spread.
"""

import base64
import json
import statistics
from functools import cache
from html import escape
from pathlib import Path
from typing import ClassVar

import numpy as np
from docutils import nodes
from docutils.parsers.rst import directives
from py_mini_racer import MiniRacer
from safetensors.numpy import load
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.osutil import relative_uri

from bookext.living import FOLDER, models

logger = logging.getLogger(__name__)

BOOK = Path(__file__).parents[2]
SCRIPTS, NEEDED = BOOK / "assets" / "living", ("common", "models", "hero")
LOSSES = BOOK / "losses.json"
WORDS, LONGEST, SEED = 5, 12, 4
LOW, HIGH = 1.9, 3.4  # the ends of the ladder's axis, in nats per character
UNIFORM = "uniform"  # what only guesses; no page has to publish it


class hero(nodes.General, nodes.Element):
    """A name, and the rows of the models."""


class rung(nodes.General, nodes.Element):
    """The models of one entry of the ladder."""


class Hero(SphinxDirective):
    required_arguments = 1
    option_spec: ClassVar = {"models": directives.unchanged_required}

    def run(self):
        self.env.metadata[self.env.docname]["all_models"] = True
        return [hero(word=self.arguments[0], models=self.options["models"].split())]


class Ladder(SphinxDirective):
    required_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self):
        self.env.metadata[self.env.docname]["all_models"] = True
        self.env.note_dependency(str(LOSSES))
        box = nodes.container(classes=["ladder"])
        self.state.nested_parse(self.content, self.content_offset, box)
        items = list(box.findall(nodes.list_item))
        groups = self.arguments[0].split(";")
        if len(items) != len(groups):
            raise self.error(f"{len(items)} entries, and models of {len(groups)}")
        for item, group in zip(items, groups):
            item += rung(models=group.split())
        return [box]


@cache
def engine():
    """The page's own scripts, where there is no page; `made` keeps the models."""
    context = MiniRacer()
    context.eval("var document = { addEventListener() {}, querySelectorAll: () => [] }")
    for name in NEEDED:
        context.eval((SCRIPTS / f"{name}.js").read_text(encoding="utf-8"))
    context.eval(f"var made = {{ {UNIFORM}: charlm.hero.guessing }}")
    return context


def ask(code):
    """The value of an expression of JavaScript."""
    return json.loads(engine().eval(f"JSON.stringify({code})"))


def take(name, text):
    """Make the model of a published text known to the scripts by its name."""
    content = base64.b64decode(text)
    length = int.from_bytes(content[:8], "little")
    notes = json.loads(content[8 : 8 + length])["__metadata__"]
    tensors = {
        key: {"shape": t.shape, "values": t.ravel().astype(np.float32).tolist()}
        for key, t in load(content).items()
    }
    # Numbers become arrays again, as `subarray` and `set` are asked of them.
    engine().eval(f"""{{
        const file = {json.dumps({"tensors": tensors, "notes": notes})}
        for (const t of Object.values(file.tensors))
            t.values = Float32Array.from(t.values)
        made[{json.dumps(name)}] = charlm.makeModel(file)
    }}""")


def made(app, names, node):
    """(name, what the scripts call it) of the models that a page has published."""
    published = models(app)
    for name in names:
        if name in published:
            take(name, published[name])
        elif name != UNIFORM:
            logger.warning("hero: no cell publishes %r", name, location=node)
            continue
        yield name, f"made[{json.dumps(name)}]"


def visit_hero(self, node):
    word, app = node["word"], self.builder.app
    here = self.builder.get_target_uri(self.builder.current_docname)
    rows = [
        f'<div class="hero-row" data-model="{name}">'
        f"{ask(f'charlm.hero.row({model}, {json.dumps(word)})')}</div>"
        for name, model in made(app, node["models"], node)
    ]
    self.body.append(
        f'<div class="hero" style="--n: {len(word)}"'
        f' data-folder="{relative_uri(here, FOLDER)}">'
        '<label for="hero-name"><b>Type your name</b> and see which letters surprise'
        " each model</label>"
        f'<p class="hero-name"><input id="hero-name" value="{escape(word)}" readonly'
        ' maxlength="24" autocomplete="off" autocapitalize="none" spellcheck="false">'
        "</p>"
        '<p class="hero-goes-on" aria-hidden="true">might go on as</p>'
        f"{''.join(rows)}"
        '<p class="hero-key">A tall bar is a letter that the model did not expect. A'
        " striped bar, above the dashed line, is worse than guessing. The last bar"
        ' belongs to the dot, the end of the name. <span class="hero-gray">A gray bar:'
        " the table has never seen what stands before.</span></p>"
        '<p class="hero-note"></p><p class="hero-report" role="status"></p></div>'
    )
    raise nodes.SkipNode


def at(loss):
    """Where a loss stands on the axis, in percent."""
    return f"{100 * (loss - LOW) / (HIGH - LOW):.1f}%"


def spread(name):
    """Two standard deviations over seeds; 0 for a model that has no seed."""
    losses = json.loads(LOSSES.read_text(encoding="utf-8")).get(name, [])
    return 2 * statistics.stdev(losses) if len(losses) > 1 else 0.0


def visit_rung(self, node):
    self.body.append('<div class="rungs">')
    for name, model in made(self.builder.app, node["models"], node):
        label, loss = ask(f"[{model}.label, {model}.loss]")
        words = ask(f"charlm.hero.words({model}, {WORDS}, {LONGEST}, {SEED})")
        half = 100 * spread(name) / (HIGH - LOW)
        self.body.append(
            f'<div class="rung"><b>{label}</b>'
            f'<p class="rung-axis" style="--at: {at(loss)}; --half: {half:.2f}%">'
            f'<i></i><span class="rung-loss">{loss:.2f}</span></p>'
            f'<p class="rung-words">{" ".join(words)}</p></div>'
        )
    self.body.append("</div>")
    raise nodes.SkipNode


def add_scripts(app, pagename, templatename, context, doctree):
    if doctree and next(doctree.findall(hero), None):
        for name in NEEDED:
            app.add_js_file(f"living/{name}.js", loading_method="defer")


def setup(app):
    app.add_node(hero, html=(visit_hero, None))
    app.add_node(rung, html=(visit_rung, None))
    app.add_directive("hero", Hero)
    app.add_directive("ladder", Ladder)
    app.connect("html-page-context", add_scripts)
    app.add_css_file("hero.css")
