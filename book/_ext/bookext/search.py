"""The search finds sections, also in a folder: `sections.js` has the text of each.

Sphinx's own index knows only pages, and its excerpts are fetched, which no browser does
for files. So the search page loads the sections, and `search.js` ranks them. A section
is (address, title, prose, other words): its prose is shown around a word that is found.
The words of code and of solutions are found too, but not shown. An entry of the
reference or of the glossary counts as a section.
"""

import json
import re
from pathlib import Path

from bs4 import BeautifulSoup, NavigableString

from bookext.pages import in_order
from bookext.place import PART

ARTICLE = re.compile(r"<article.*?</article>", re.DOTALL)
LISTING = re.compile(r"(<pre[^>]*>)(.*?)</pre>", re.DOTALL)
FORMULA = re.compile(r"<math\b.*?</math>", re.DOTALL)  # its text stands there once more
TAG = re.compile(r"<[^>]*>")
SPACE = re.compile(r"\s+")
WORD = re.compile(r"[^\W\d]\w+")
HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
LEFT_OUT = {*HEADINGS, "nav", "script", "style"}
NOT_READ = {"headerlink", "way-back", "run-time", "slow-cell", "eyebrow", "cell_output"}
ENTRY = re.compile(r"(?:[A-Z]\w*\.)?\w+$")  # the name of a method has its class
BLOCKS = {"p", "li", "td", "th", "dt", "dd", "div", "figcaption"}


class Section:
    """A place in the book; `prose` and `words` are pieces of text."""

    def __init__(self, address, title):
        self.address, self.title = address, title
        self.prose, self.words = [], []

    def row(self):
        prose = SPACE.sub(" ", "".join(self.prose)).strip()
        words = {*WORD.findall(" ".join(self.words).lower())}
        words -= {*WORD.findall(prose.lower())}
        return [self.address, self.title, prose, " ".join(sorted(words))]


class Reader:
    """The sections of a page: the page itself, its sections and its entries."""

    def __init__(self, html, address, title):
        part = PART.match(title)
        self.address, self.name = address, f"Part {part[1]}" if part else title
        self.found = [Section(address, title)]
        (article,) = ARTICLE.findall(html)
        article = FORMULA.sub("", LISTING.sub(as_text, article))
        self.read(BeautifulSoup(article, "html.parser"), self.found[0])

    def read(self, tag, here):
        for child in tag.children:
            if isinstance(child, NavigableString):
                here.prose.append(child)
            else:
                self.read_tag(child, here)

    def read_tag(self, tag, here):
        kinds = {*tag.get("class", ())}
        if tag.name in LEFT_OUT or (tag.name == "div" and "math" in kinds):
            return
        if kinds & NOT_READ:
            for caption in tag.find_all("figcaption"):
                self.read(caption, here)
        elif tag.name == "section" and not tag.find("h1", recursive=False):
            name = text_of(tag.find(HEADINGS, recursive=False))
            self.read(tag, self.begin(tag["id"], name))
        elif tag.name == "dt" and tag.get("id"):
            name = entry_of(tag) if "sig" in kinds else text_of(tag)
            self.read(tag.find_next_sibling("dd"), self.begin(tag["id"], name))
        elif tag.name == "dd" and tag.find_previous_sibling("dt").get("id"):
            return  # read with its entry
        elif tag.name == "summary" and "hide" in tag.parent["class"]:
            return
        elif tag.name == "pre" or kinds & {"sd-dropdown", "toggle"}:
            here.words.append(tag.get_text(" "))
        else:
            self.read(tag, here)
            here.prose.append(" " * (tag.name in BLOCKS))

    def begin(self, anchor, name):
        section = Section(f"{self.address}#{anchor}", f"{self.name} › {name}")
        self.found.append(section)
        return section


def text_of(heading):
    strings = (text for text in heading.strings if text != "#")  # the link to it
    return SPACE.sub(" ", "".join(strings)).strip()


def entry_of(signature):
    return "".join(ENTRY.findall(signature["id"]))


def as_text(listing):
    return f"{listing[1]}{TAG.sub('', listing[2])}</pre>"


def write(app, exception):
    if exception or app.builder.name != "html":
        return
    rows = []
    for page in in_order(app.env):
        html = Path(app.builder.get_outfilename(page)).read_text(encoding="utf-8")
        title = app.env.titles[page].astext()
        reader = Reader(html, app.builder.get_target_uri(page), title)
        rows += [section.row() for section in reader.found]
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    script = f"const SECTIONS = [\n{lines}\n]\n"
    Path(app.outdir, "sections.js").write_text(script, encoding="utf-8")


def setup(app):
    app.connect("build-finished", write, priority=650)
