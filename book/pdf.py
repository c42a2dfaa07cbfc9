"""Make one PDF of the built site, `_build/html/charlm.pdf`: `make pdf`.

All pages become one document, in the order of the book, and Chromium prints it with the
style of any printed page. Links lead to their places in the PDF. It prints twice: the
contents, which become the bookmarks too, name sheets that only a print tells.
"""

import logging
import shutil
import sys
from html import escape
from pathlib import Path
from urllib.parse import urldefrag, urljoin

import yaml
from bs4 import BeautifulSoup
from playwright.sync_api import sync_playwright
from pypdf import PdfReader, PdfWriter

SITE = Path("_build/html")
NAME = "charlm.pdf"
MARK = "<!-- pdf -->"  # the cover has it where the link to the PDF belongs
LINK = '<p class="pdf"><a href="{}">The whole book as a PDF</a></p>'
LICENSE = "Text and figures: CC BY 4.0. Code: MIT."
STYLE = """
@page title { @bottom-center { content: none } }
.title-page { page: title }
.title-page h1 { margin: 7cm 0 2rem !important }
.title-page h1::after { color: var(--dot); content: "." }
.title-page p { margin: 0 0 .6rem; font: 400 1.1rem/1.4 var(--sans) }
.bd-article { break-before: page }
.bd-article .eyebrow { display: none }
.list ul { margin: 0; padding: 0; columns: 2; column-gap: 3rem }
.list li { margin: 0 0 0 1.4rem; list-style: none; font: 400 1rem/1.5 var(--sans) }
.list .depth-1 { margin: .6rem 0 0; break-after: avoid; font-weight: 600 }
.list a { display: flex; gap: 1rem; text-decoration: none }
.list span { margin-inline-start: auto; font-variant-numeric: tabular-nums }
"""


def order(toc):
    """The names of the pages after the cover, as `_toc.yml` lists them."""
    parts = toc.get("parts", [toc])
    return [chapter["file"] for part in parts for chapter in part["chapters"]]


def key(page, anchor=""):
    """A name for a place that no other page has."""
    name = page.removesuffix(".html").replace("/", "-")
    return f"{name}--{anchor}" if anchor else name


class Book:
    """The pages of a site as one document."""

    def __init__(self, site, pages, config):
        self.site, self.config = site.resolve(), config
        self.pages = {f"{page}.html" for page in pages}
        self.styles, self.articles, self.contents = {}, [], []
        for page in pages:
            self.add(f"{page}.html")

    def add(self, page):
        html = (self.site / page).read_text(encoding="utf-8")
        soup = BeautifulSoup(html, "html.parser")
        here = (self.site / page).as_uri()
        for sheet in soup.select("link[rel=stylesheet]"):
            sheet["href"] = urljoin(here, sheet["href"])
            self.styles[sheet["href"]] = str(sheet)
        article = soup.select_one("article.bd-article")
        for tag in article.select("script, nav, .headerlink"):
            tag.decompose()
        for tag in article.select("[id]"):
            tag["id"] = key(page, tag["id"])
        for tag in article.select("img[src]"):
            tag["src"] = urljoin(here, tag["src"])
            tag["loading"] = "eager"
        for tag in article.select("a[href]"):
            tag["href"] = self.address(page, tag["href"])
        article["id"] = key(page)
        self.contents += self.entries(article)
        self.articles.append(str(article))

    def address(self, page, href):
        """Inside the PDF, if the book has this place; else online."""
        place, anchor = urldefrag(urljoin(page, href))
        if place in self.pages:
            return f"#{key(place, anchor)}"
        return urljoin(self.config["html"]["baseurl"], urljoin(page, href))

    def entries(self, article):
        """(place, title, depth) of the page and of its sections."""
        eyebrow, title = article.select_one(".eyebrow"), article.select_one("h1")
        if eyebrow:  # "Part 1 of 5"
            title.insert(0, f"{eyebrow.get_text().partition(' of ')[0]}: ")
        yield article["id"], title.get_text(), 1
        for section in article.select("section > section:has(> h2)"):
            yield section["id"], section.find("h2").get_text(), 2

    def list_of_contents(self):
        line = '<li class="depth-{}"><a href="#{}">{} <span></span></a></li>'
        return "".join(
            line.format(depth, place, escape(title))
            for place, title, depth in self.contents
        )

    def html(self):
        title = self.config["title"]
        online = self.config["html"]["baseurl"]
        return f"""<!DOCTYPE html>
<html lang="en" data-content_root="./" data-theme="light"><head><meta charset="utf-8">
<title>{title}</title>{"".join(self.styles.values())}<style>{STYLE}</style></head>
<body><main class="bd-main"><div class="bd-content"><div class="bd-article-container">
<div class="bd-article title-page"><h1>{title}</h1><p>{self.config["author"]}</p>
<p><a href="{online}">{online}</a></p><p>{LICENSE}</p></div>
<nav class="bd-article list"><h2>Contents</h2>
<ul>{self.list_of_contents()}</ul></nav>
{"".join(self.articles)}</div></div></main></body></html>"""


def print_twice(browser, source, target):
    """Print a document; the second time its contents have the numbers of the sheets."""
    page = browser.new_page()
    page.goto(source.as_uri())
    for _ in range(2):
        page.pdf(path=target, prefer_css_page_size=True, print_background=True)
        page.evaluate(
            """sheets => {
                for (const link of document.querySelectorAll('.list a'))
                    link.lastChild.textContent = sheets[link.hash.slice(1)]
            }""",
            sheets(PdfReader(target)),
        )
    page.close()


def sheets(reader):
    """{name of a place: number of its sheet} of a PDF."""
    return {
        name.removeprefix("/"): reader.get_destination_page_number(place) + 1
        for name, place in reader.named_destinations.items()
    }


def add_bookmarks(file, contents, config):
    """Give a PDF the entries of its contents as bookmarks, title and author."""
    reader = PdfReader(file)
    sheet = sheets(reader)
    logging.getLogger("pypdf").setLevel(logging.ERROR)  # it miscounts when it clones
    writer = PdfWriter(clone_from=reader)
    above = None
    for place, title, depth in contents:
        parent = above if depth > 1 else None
        page = sheet[place] - 1
        item = writer.add_outline_item(title=title, page_number=page, parent=parent)
        above = parent or item
    writer.add_metadata({"/Title": config["title"], "/Author": config["author"]})
    writer.page_mode = "/UseOutlines"
    writer.write(file)


def make(site, toc, config):
    """Write the PDF of a site into it, and put the link to it on the cover."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if not executable:
        sys.exit("there is no Chromium: `apt-get install chromium`, or see .ci/run")
    source = site / "_static" / "print.html"
    book = Book(site, order(toc), config)
    source.write_text(book.html(), encoding="utf-8")
    with sync_playwright() as playwright:
        options = {"executable_path": executable, "args": ["--no-sandbox"]}
        browser = playwright.chromium.launch(**options)
        print_twice(browser, source.resolve(), site / NAME)
        browser.close()
    source.unlink()
    add_bookmarks(site / NAME, book.contents, config)
    link_from(site / f"{toc['root']}.html", "../" * toc["root"].count("/") + NAME)


def link_from(cover, address):
    html = cover.read_text(encoding="utf-8")
    link = LINK.format(address)
    if link not in html:
        cover.write_text(html.replace(MARK, MARK + link), encoding="utf-8")


if __name__ == "__main__":
    settings = (Path(name).read_text("utf-8") for name in ("_toc.yml", "_config.yml"))
    make(SITE, *map(yaml.safe_load, settings))
    print(f"The book is in {SITE / NAME}")
