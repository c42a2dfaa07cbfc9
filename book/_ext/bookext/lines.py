"""A line of code that is too long wraps with a hanging indent, and an output fits.

The style sheet must know each line of a listing with its indentation (`--i`), and how
wide an output is (`--cols`): on a phone it shrinks until it fits. An output that is too
wide for the box, on any screen or on a phone, wraps. Written into the pages when the
links in their code are there.
"""

import re
from html import unescape
from pathlib import Path

LISTING = re.compile(
    r'(?P<kind><div class="[^"]*highlight-[^"]*">)(?P<open><div class="highlight">)'
    r"<pre>(?P<text>.*?)</pre>",
    re.DOTALL,
)
INDENT = re.compile(r"^((?:<[^>]*>)*)( +)")
TAG = re.compile(r"<[^>]*>")
BOX, PHONE = 78, 57  # columns that fit
AS_TEXT = ("myst-ansi", "highlight-text", "highlight-default", "highlight-none")


def plain(line):
    return unescape(TAG.sub("", line))


def with_lines(match):
    if 'class="ln"' in match["text"]:
        return match[0]  # the page was not written again
    lines = match["text"].removeprefix("<span></span>").rstrip("\n").split("\n")
    start = f"{match['kind']}{match['open']}"
    if any(kind in match["kind"] for kind in AS_TEXT):
        widest = max(len(plain(line)) for line in lines)
        fits = {"wraps": BOX, "wraps-when-narrow": PHONE}
        names = " ".join(name for name, columns in fits.items() if widest > columns)
        attributes = f'style="--cols:{widest}"' + f' class="{names}"' * bool(names)
        return f"{start}<pre {attributes}>{match['text']}</pre>"
    wrapped = []
    for line in lines:
        text = plain(line)
        indent = len(text) - len(text.lstrip())
        if indent:
            line = INDENT.sub(r'\1<span class="indent">\2</span>', line, count=1)
        style = f' style="--i:{indent}"' if indent else ""
        wrapped.append(f'<span class="ln"{style}>{line}\n</span>')
    return f"{start}<pre><span></span>{''.join(wrapped)}</pre>"


def write(app, exception):
    if exception or app.builder.name != "html":
        return
    for docname in app.env.found_docs:
        page = Path(app.builder.get_outfilename(docname))
        if page.exists():
            html = page.read_text(encoding="utf-8")
            changed = LISTING.sub(with_lines, html)
            if changed != html:
                page.write_text(changed, encoding="utf-8")


def setup(app):
    app.connect("build-finished", write, priority=550)
