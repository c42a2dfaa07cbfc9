"""Where am I? The rail lists the book and the open page's sections, the bar the place.

Both are templates (`sections/header.html`, `rail.html`); this module hands them their
lists, and cuts "Part 1: Bigrams" into the name and what stands above it.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote

from docutils import nodes
from sphinx import addnodes

PART = re.compile(r"Part (\d+): (.*)", re.DOTALL)
TITLE = re.compile(r"(<h1>)Part \d+: ")


@dataclass(frozen=True)
class Entry:
    """A page in the rail: its number, if it is a part, its name and its address."""

    number: str
    name: str
    href: str
    here: bool


def entry(app, context, page):
    title = app.env.titles[page].astext()
    part = PART.match(title)
    number, name = part.groups() if part else ("", title)
    here = page == context["pagename"]
    return Entry(number, name, "#" if here else context["pathto"](page), here)


def sections(env, page):
    """(anchor, title, names) of each section right below the title of a page.

    The names are (anchor, text) of the entries of the reference in that section.
    """
    contents = env.tocs.get(page)
    if contents is None:
        return []
    found = []
    for item in contents[0].children[1] if len(contents[0]) > 1 else []:
        link = item.next_node(nodes.reference)
        if link is not None and link["anchorname"]:
            lines = item.findall(addnodes.compact_paragraph)
            names = [line for line in lines if line.get("skip_section_number")]
            found.append((*anchor_and_text(link), [*map(name_of, names)]))
    return found


def anchor_and_text(link):
    return link["anchorname"], link.astext()


def name_of(paragraph):
    return anchor_and_text(paragraph.next_node(nodes.reference))


def pages_of(env, tree):
    """The pages of a group that exist; the build tells of the others itself."""
    return [page for page in map(str, tree.items) if page in env.titles]


def groups(app, context):
    """(caption, entries) of each group of pages in the table of contents."""
    site_map = getattr(app.env, "external_site_map", None)
    return [
        (tree.caption, [entry(app, context, page) for page in pages_of(app.env, tree)])
        for tree in (site_map.root.subtrees if site_map else ())
    ]


def ways_to_answer(app, page):
    """The addresses where a reader can change the page, and report an error in it."""
    options = app.config.html_theme_options
    repository = options.get("repository_url", "")
    branch = options.get("repository_branch", "main")
    title = quote(f"On the page /{page}.html", safe="")
    return (
        f"{repository}/edit/{branch}/{app.env.doc2path(page, base=False)}",
        f"{repository}/issues/new?title={title}",
    )


def add(app, pagename, templatename, context, doctree):
    context["rail"] = groups(app, context)
    context["sections"] = sections(app.env, pagename)
    every = [page for _, pages in context["rail"] for page in pages]
    here = next((page for page in every if page.here), None)
    context["place"] = here
    if doctree is not None:
        context["edit_address"], context["report_address"] = ways_to_answer(
            app, pagename
        )
    if here and here.number:
        parts = sum(bool(page.number) for page in every)
        above = f'<p class="eyebrow">Part {here.number} of {parts}</p>\n'
        context["body"] = TITLE.sub(rf"{above}\1", context["body"], count=1)


def setup(app):
    # Early: the theme leaves out what is empty before its own turn, at 500.
    app.connect("html-page-context", add, priority=400)
