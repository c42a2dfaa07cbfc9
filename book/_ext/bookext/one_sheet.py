"""One short style sheet and small icon fonts in place of the themes' thirteen sheets.

A browser shows nothing before it has all style sheets, and the themes send half a
megabyte of them, most of it for parts that no page has. After the build, the sheets
that the pages name are joined, without the rules of the themes that ask for a class
which stands in no page and no script. The icon fonts keep the icons that are left.
"""

import hashlib
import logging
import os
import re
from itertools import pairwise
from pathlib import Path

import tinycss2
from fontTools import subset

SHEET = "sheet.css"
LINK = re.compile(r'<link(?=[^>]*rel="stylesheet")[^>]*href="([^"?]*)[^"]*"[^>]*>\s*')
ADDRESS = re.compile(r"""url\(\s*["']?(?!data:|https?:|#)([^"')]+)["']?\s*\)""")
OURS = ("book.css", "living.css")
logging.getLogger("fontTools").setLevel(logging.WARNING)  # or it tells all it does
MADE_BY_SCRIPTS = "bs-"  # bootstrap.js puts such names of classes together
PARSING = {"skip_comments": True, "skip_whitespace": True}


def selectors(prelude):
    """The selectors of a rule, as lists of tokens: `a, b` has two."""
    found = [[]]
    for token in prelude:
        if token == ",":
            found.append([])
        else:
            found[-1].append(token)
    return found


def may_match(selector, words):
    """Whether each class that the selector asks for is a word of the pages."""
    classes = [b.value for a, b in pairwise(selector) if a == "."]
    return all(c in words or c.startswith(MADE_BY_SCRIPTS) for c in classes)


def serialize(tokens):
    return re.sub(r"\s+", " ", tinycss2.serialize(tokens)).strip()


def used_rules(rules, words):
    """The rules that may match something, as text."""
    for rule in rules:
        if rule.type == "qualified-rule":
            kept = [s for s in selectors(rule.prelude) if may_match(s, words)]
            if kept:
                heads = ",".join(serialize(selector) for selector in kept)
                yield f"{heads}{{{serialize(rule.content)}}}"
        elif rule.at_keyword in ("media", "supports"):
            rules_inside = tinycss2.parse_rule_list(rule.content, **PARSING)
            inside = "\n".join(used_rules(rules_inside, words))
            if inside:
                yield f"@{rule.at_keyword} {serialize(rule.prelude)}{{{inside}}}"
        elif rule.at_keyword == "import":
            raise ValueError(f"an import must come first: {serialize([rule])}")
        elif rule.at_keyword != "charset":
            yield serialize([rule])


def style_sheet(file, static, words):
    """The text of a style sheet below `static`, after that of those it imports."""

    def moved(match):
        target = os.path.relpath(file.parent / match[1], static)
        return f'url("{Path(target).as_posix()}")'

    text = file.read_text(encoding="utf-8")
    imported = re.findall(r'^@import "([^"]+)";', text, re.MULTILINE)
    for address in imported:
        yield from style_sheet(file.parent / address, static, words)
    text = re.sub(r"^@import .*;", "", ADDRESS.sub(moved, text), flags=re.MULTILINE)
    if file.name in OURS:
        yield text
    else:
        yield from used_rules(tinycss2.parse_stylesheet(text, **PARSING), words)


def keep_icons(font_file, icons):
    options = subset.Options(flavor="woff2")
    font = subset.load_font(font_file, options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=icons)
    subsetter.subset(font)
    subset.save_font(font, font_file, options)


def linked(pages, static):
    """The style sheets that the pages name, in order, each once; not the joined one."""
    addresses = dict.fromkeys(a for html in pages.values() for a in LINK.findall(html))
    files = (static / address.partition("_static/")[2] for address in addresses)
    return list(dict.fromkeys(file for file in files if file.name != SHEET))


def with_one_link(html, version):
    """The page with one link to a style sheet, where the first one was."""
    first = LINK.search(html)
    if not first:
        return html
    static = first[1].rpartition("_static/")[0] + "_static"
    link = f'<link rel="stylesheet" href="{static}/{SHEET}?v={version}">\n'
    return html[: first.start()] + link + LINK.sub("", html[first.end() :])


def join(site):
    """Write the one sheet of a built site (a path), and let its pages name it."""
    static = site / "_static"
    pages = {
        page: page.read_text(encoding="utf-8")
        for page in site.rglob("*.html")
        if static not in page.parents
    }
    files = linked(pages, static)
    if not files:
        return
    scripts = [*static.glob("*.js"), *static.glob("scripts/*.js")]
    texts = [*pages.values(), *(file.read_text(encoding="utf-8") for file in scripts)]
    words = {word for text in texts for word in re.findall(r"[\w-]+", text)}
    rules = (rule for file in files for rule in style_sheet(file, static, words))
    css = "\n".join(['@charset "UTF-8";', *rules])
    (static / SHEET).write_text(css, encoding="utf-8")
    icons = {ord(c) for c in css if "\ue000" <= c <= "\uf8ff"}
    for font_file in static.glob("vendor/fontawesome/webfonts/*.woff2"):
        keep_icons(font_file, icons)
    version = hashlib.sha256(css.encode()).hexdigest()[:8]
    for page, html in pages.items():
        page.write_text(with_one_link(html, version), encoding="utf-8")


def finish(app, exception):
    if not exception and app.builder.format == "html":
        join(Path(app.outdir))


def setup(app):
    after_the_theme = 900  # which writes the colours of code when the build is finished
    app.connect("build-finished", finish, priority=after_the_theme)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
