"""The first screen waits for little: one style sheet, and no script.

A phone that waits for fourteen sheets, 100 KB, shows nothing for seconds. So they
become two. `first.css` has what can match an element of some page; `later.css` has the
theme's other rules, for what its scripts make, and holds nothing up. Nothing is left
out: sheets that few pages have come later as they are. What comes later stands before
`first.css`: what a rule overrides stays the same, as the theme's general rules come
before the particular ones.

And what the theme asks for ahead of the text is not asked for ahead: its scripts, among
them an empty one (see `light`), and a file of settings, which stands in the page.
"""

import hashlib
import posixpath
import re
from pathlib import Path

import tinycss2

SHEET = re.compile(
    r'<link(?=[^>]* rel="stylesheet")(?![^>]*media="print" onload)[^>]*? href="'
    r'(?P<to>[^"]*?)_static/(?P<file>[^"?]+\.css)(?:\?[^"]*)?"[^>]*>\n?'
)
LATER = re.compile(
    r'<link [^>]*media="print" onload[^>]*>\n<noscript>.*?</noscript>\n?'
)
AHEAD = re.compile(
    r"(?:<!--[^>]*-->\n)?<(?:link(?=[^>]* rel=\"preload\")(?=[^>]* as=\"script\")"
    r"|script(?=[^>]*/fontawesome\.js))[^>]*>(?:</script>)?\n?"
)
SETTINGS = re.compile(r'<script src="[^"]*/documentation_options\.js[^"]*"></script>')
WHOLE = {"hero.css", "tokens.css", "page.css", "book.css"}  # the book's own
WHOLE |= {"copybutton.css", "togglebutton.css"}  # for what scripts make at once
# Most pages have no use for what is left of these.
RARE = ("katex/katex.min.css", "sphinx-design.min.css")
APART = ("living.css", "print.css")
MADE = ("first.css", "later.css")
MADE_OF = re.compile(r"\A/\* (.*?) \*/")
CLASSES = re.compile(r'\bclass="([^"]*)"')
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
CHARSET = re.compile(r'@charset "[^"]*";')
IMPORT = re.compile(r"@import\s+(?:url\()?[\"']?([^\"')]+)[\"']?\)?\s*;")
ADDRESS = re.compile(r"url\((?!['\"]?(?:data:|#|/|https?:))(['\"]?)([^'\")]+)\1\)")
NEGATED = re.compile(r":not\((?:[^()]|\([^()]*\))*\)")
NESTED = re.compile(r":(?:is|where|has)\((?:[^()]|\([^()]*\))*\)")
CLASS = re.compile(r"\.(-?[A-Za-z_][\w-]*)")


def read(static, file):
    """A sheet with those that it imports, its addresses as seen from `static`."""
    text = COMMENT.sub("", CHARSET.sub("", (static / file).read_text("utf-8-sig")))
    folder = posixpath.dirname(file)

    def near(address):
        return posixpath.normpath(posixpath.join(folder, address))

    text = ADDRESS.sub(lambda m: f"url({m[1]}{near(m[2])}{m[1]})", text)
    return IMPORT.sub(lambda m: read(static, near(m[1].partition("?")[0])), text)


def rules_of(css):
    """The rules of a sheet, a text, or of the inside of a group, tokens."""
    parse = tinycss2.parse_stylesheet
    return parse(css, skip_comments=True, skip_whitespace=True)


def can_match(prelude, known):
    """Whether some element with the known classes can match one of the selectors."""
    plain = NESTED.sub("", NEGATED.sub("", tinycss2.serialize(prelude)))
    return any(known.issuperset(CLASS.findall(one)) for one in plain.split(","))


def divide(rules, known):
    """The rules that can match, and the others; groups such as @media are divided."""
    parts: tuple[list[str], list[str]] = [], []
    for rule in rules:
        if rule.type == "error":
            raise ValueError(f"a style sheet has a broken rule: {rule.message}")
        if rule.type == "at-rule" and rule.lower_at_keyword in ("media", "supports"):
            head = f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}"
            inner = divide(rules_of(rule.content), known)
            for part, text in zip(parts, inner, strict=True):
                part.extend([f"{head}{{{text}}}"] if text else [])
        else:
            may_match = rule.type == "at-rule" or can_match(rule.prelude, known)
            parts[not may_match].append(rule.serialize())
    first, later = parts
    return "".join(first), "".join(later)


def in_order(pages, known=()):
    """The sheets of all pages, each after all that stand before it on some page."""
    found = list(known)
    for html in pages:
        at = 0
        for file in (match["file"] for match in SHEET.finditer(html)):
            if file in (*APART, *MADE):
                continue
            if file in found:
                at = max(at, found.index(file) + 1)
            else:
                found.insert(at, file)
                at += 1
    return found


def linked(html, versions):
    """A page with the two sheets in the place of those that they are made of."""
    todo = iter([True])
    later = ["later.css", *(file for file in RARE if f"_static/{file}" in html)]

    def replace(match):
        if match["file"] in APART:
            return match[0]
        if not next(todo, False):
            return ""
        *waiting, first = (
            f'href="{match["to"]}_static/{name}?v={versions[name]}"'
            for name in (*later, "first.css")
        )
        links = [
            f'<link {href} media="print" onload="this.media=\'all\'" rel="stylesheet"/>'
            f'\n<noscript><link {href} rel="stylesheet"/></noscript>\n'
            for href in waiting
        ]
        return "".join([*links, f'<link {first} rel="stylesheet"/>\n'])

    return SHEET.sub(replace, LATER.sub("", html))


def classes(pages):
    """The names of all classes of all elements of some pages."""
    groups = (names for html in pages for names in CLASSES.findall(html))
    return {name for names in groups for name in names.split()}


def write_sheets(static, pages):
    """Write the two sheets; return {file: its hash}. A later build knows the order."""
    made = static / "first.css"
    old = MADE_OF.match(made.read_text("utf-8")) if made.exists() else None
    order = in_order(pages, old[1].split() if old else ())
    order = [file for file in order if (static / file).exists()]
    known = classes(pages)
    parts = {"first.css": [f"/* {' '.join(order)} */"], "later.css": []}
    for file in order:
        css = read(static, file)
        whole = file in WHOLE
        first, later = (css, "") if whole else divide(rules_of(css), known)
        parts["first.css"].append(first)
        parts["later.css"].append("" if file in RARE else later)
    for name, texts in parts.items():
        (static / name).write_text("\n".join(filter(None, texts)), "utf-8")
    return {
        name: hashlib.sha256((static / name).read_bytes()).hexdigest()[:8]
        for name in (*MADE, *RARE)
        if (static / name).exists()
    }


def mend(out):
    """Write the two sheets of a built site, and let the heads of its pages be short."""
    static = out / "_static"
    files = sorted(p for p in out.rglob("*.html") if static not in p.parents)
    pages = {page: page.read_text("utf-8") for page in files}
    versions = write_sheets(static, pages.values())
    settings = (static / "documentation_options.js").read_text("utf-8")
    for page, html in pages.items():
        changed = AHEAD.sub("", linked(html, versions))
        changed = SETTINGS.sub(lambda _: f"<script>{settings}</script>", changed)
        if changed != html:
            page.write_text(changed, "utf-8")


def write(app, exception):
    if not exception and app.builder.name == "html":
        mend(Path(app.outdir))


def setup(app):
    app.connect("build-finished", write, priority=750)
