"""A notebook says all that its page says: the text as Markdown for any Jupyter.

What the page says in directives, roles and references has been resolved by then, so
there is only HTML to read: formulas come from KaTeX's own annotation, links lead to
the published site, and pictures are carried inside the text.
"""

import re
from base64 import b64encode
from html import escape
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from markdownify import MarkdownConverter

KEPT = {"code", "em", "strong"}
NOT_TEXT = (
    "script, svg, a.headerlink, span.eqno, .notebook-links, .toctree-wrapper,"
    " .margin-note, .pause"
)


class Converter(MarkdownConverter):
    """Converts the elements of one page, whose address and file are known."""

    def __init__(self, address: str, file: Path) -> None:
        super().__init__(heading_style="atx", bullets="-", strip_document=None)
        self.address, self.file = address, file
        self.pictures: dict[str, str] = {}

    def convert_cell(self, elements) -> str:
        """The text of one notebook cell, its pictures at the end."""
        self.pictures = {}
        text = "\n\n".join(self.process_tag(element).strip() for element in elements)
        definitions = [f"[{name}]: {data}" for name, data in self.pictures.items()]
        return "\n\n".join(part for part in (text, "\n".join(definitions)) if part)

    def escape(self, text, parent_tags):
        text = super().escape(text, parent_tags).replace("<", "&lt;")
        return text.replace("$", r"\$").replace("[", r"\[").replace("]", r"\]")

    def convert_span(self, el, text, parent_tags):
        if "math" not in el.get("class", []):
            return text
        return f"${formula(el, in_table='td' in parent_tags)}$"

    def convert_code(self, el, text, parent_tags):
        text = super().convert_code(el, text, parent_tags)
        return text.replace("|", r"\|") if parent_tags & {"td", "th"} else text

    def convert_div(self, el, text, parent_tags):
        kinds = el.get("class", [])
        if "math" in kinds:
            return f"\n\n$$\n{formula(el)}{number(el)}\n$$\n\n"
        if "admonition" in kinds:
            return self.convert_blockquote(el, text, parent_tags)
        return super().convert_div(el, text, parent_tags)

    def convert_p(self, el, text, parent_tags):
        if "admonition-title" in el.get("class", []):
            text = f"**{text.strip()}**"
        return super().convert_p(el, text, parent_tags)

    def convert_pre(self, el, text, parent_tags):
        kinds = [
            kind for div in el.find_parents("div") for kind in div.get("class", [])
        ]
        names = [kind[10:] for kind in kinds if kind.startswith("highlight-")]
        self.options["code_language"] = (names or [""])[0]
        return super().convert_pre(el, text, parent_tags)

    def convert_details(self, el, text, parent_tags):
        return f"\n\n<details>\n{text.strip()}\n\n</details>\n\n"

    def convert_summary(self, el, text, parent_tags):
        return f"<summary>{title(el).strip()}</summary>\n\n"

    def convert_figure(self, el, text, parent_tags):
        if "living" in el.get("class", []):
            text += f"\n\n*[To play with, on the page]({self.link('#' + near(el))}).*"
        return "\n\n" + re.sub(r"\n{3,}", "\n\n", text.strip()) + "\n\n"

    def convert_dl(self, el, text, parent_tags):
        return f"\n\n{text.strip()}\n\n"

    def convert_dt(self, el, text, parent_tags):
        return f"\n\n{signature(el) or text.strip()}\n\n"

    convert_dd = convert_dl  # Jupyter knows no lists of definitions

    def convert_a(self, el, text, parent_tags):
        el["href"] = self.link(el["href"])
        del el["title"]
        return super().convert_a(el, text, parent_tags)

    def convert_img(self, el, text, parent_tags):
        source, alt = el["src"], self.escape(" ".join(el["alt"].split()), parent_tags)
        if source.startswith("data:"):
            data, name = source, f"picture-{len(self.pictures) + 1}"
        else:
            path = self.file.parent / unquote(source)
            kind = {".svg": "svg+xml"}.get(path.suffix, path.suffix[1:])
            data = f"data:image/{kind};base64,{b64encode(path.read_bytes()).decode()}"
            name = path.stem
        self.pictures[name] = data
        return f"![{alt}][{name}]"

    def link(self, href):
        """The address of what the page links to, on the published site."""
        return href if urlsplit(href).scheme else urljoin(self.address, href)


def signature(el):
    """What the reference says of a name's arguments, in one line of code."""
    if "sig" not in el.get("class", []):
        return ""
    text = " ".join(el.get_text().split())
    return f"**`{re.sub(r',? *(?=[)])', '', text.replace('( ', '('))}`**"


def formula(el, in_table=False):
    """The TeX of which KaTeX made this element."""
    tex = el.find("annotation", encoding="application/x-tex").get_text().strip()
    return tex.replace("|", r"\vert ") if in_table else tex


def title(el):
    """The text of a fold's title as HTML, which Jupyter shows there: no Markdown."""
    if isinstance(el, str):
        return escape(el, quote=False)
    if "math" in el.get("class", []):
        return f"${formula(el)}$"
    text = "".join(map(title, el.children))
    return f"<{el.name}>{text}</{el.name}>" if el.name in KEPT else text


def number(el):
    eqno = el.find(class_="eqno")
    return rf" \tag{{{eqno.get_text().strip('()# ¶')}}}" if eqno else ""


def near(el):
    """The id of the section that an element stands in."""
    return el.find_parent("section")["id"]


def blocks(section):
    """The elements of an article in order, out of their sections."""
    for child in section.find_all(True, recursive=False):
        if child.name == "section":
            yield from blocks(child)
        else:
            yield child
