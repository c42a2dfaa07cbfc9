"""Everything works offline: formulas are typeset while the book is built, by KaTeX.

A page then needs a style sheet and fonts of its own site, and no script. A formula
that KaTeX cannot parse is a warning, which `strict` turns into a failed build.
"""

import re
from functools import cache
from pathlib import Path

from docutils import nodes
from py_mini_racer import JSEvalException, MiniRacer
from sphinx.locale import _
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

logger = logging.getLogger(__name__)

KATEX = Path(__file__).parents[2] / "assets" / "katex" / "katex.min.js"
NUMBERED = re.compile(r"\\(begin|end)\{(equation|align|alignat|gather)\}")


class MathError(ValueError):
    """A formula that KaTeX refuses."""


@cache
def engine():
    context = MiniRacer()
    context.eval(KATEX.read_text(encoding="utf-8"))
    return context


def render(tex, *, display=False, macros=None):
    """The HTML of a formula, with its MathML for screen readers."""
    options = {
        "displayMode": display,
        "output": "htmlAndMathml",
        "throwOnError": True,
        "strict": "error",
        "macros": macros or {},
    }
    try:
        return engine().call("katex.renderToString", tex, options)
    except JSEvalException as error:
        reason = re.search(r"(?:ParseError|Error): (.*)", str(error))
        raise MathError(reason[1] if reason else str(error)) from None


def display_source(tex):
    """The formula as KaTeX wants it: one environment around several lines.

    Numbered environments lose their number here, as Sphinx counts the equations.
    """
    tex = NUMBERED.sub(r"\\\1{\2*}", tex.strip())
    lines = [part.strip() for part in re.split(r"\n\s*\n", tex) if part.strip()]
    tex = "\\\\\n".join(lines)
    outside = re.sub(r"(?s)\\begin\{(\w+\*?)\}.*?\\end\{\1\}", "", tex)
    if r"\\" in outside or re.search(r"(?<!\\)&", outside):
        tex = f"\\begin{{aligned}}{tex}\\end{{aligned}}"
    return tex


def typeset(translator, node, tex, **options):
    macros = translator.builder.config.katex_macros
    try:
        return render(tex, macros=macros, **options)
    except MathError as error:
        logger.warning("unparseable math: %s in %r", error, tex, location=node)
        return translator.encode(tex)


def visit_inline(self, node):
    self.body.append(self.starttag(node, "span", "", CLASS="math notranslate"))
    self.body.append(typeset(self, node, node.astext()) + "</span>")
    raise nodes.SkipNode


def visit_block(self, node):
    self.body.append(self.starttag(node, "div", CLASS="math notranslate"))
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, _("Link to this equation"))
        self.body.append("</span>")
    formula = typeset(self, node, display_source(node.astext()), display=True)
    self.body.append(formula + "</div>\n")
    raise nodes.SkipNode


def setup(app):
    app.add_config_value("katex_macros", {}, "env", types=(dict,))
    app.add_html_math_renderer("katex", (visit_inline, None), (visit_block, None))
    app.add_css_file("katex/katex.min.css")
