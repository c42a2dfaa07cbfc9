"""The words of the glossary in the margin, beside the paragraph that first uses them.

Where a page of a part links a word to the glossary for the first time, its explanation
stands level with the paragraph: at most one beside a paragraph, and once on a page for
words that share an explanation. A narrow screen leaves them out, as the link is there.
"""

from docutils import nodes
from sphinx import addnodes

from bookext.place import PART

REPEATED = "take-away"  # the section from which on nothing is new


class margin_note(nodes.General, nodes.Element):
    """A few words beside the text."""


def explanations(env):
    """{anchor: (words, paragraph)} of all glossaries."""
    found: dict[str, tuple[str, nodes.paragraph]] = {}
    for page in sorted({page for page, _ in env.domains["std"]._terms.values()}):
        for glossary in env.get_doctree(page).findall(addnodes.glossary):
            for item in glossary.findall(nodes.definition_list_item):
                terms = list(item.findall(nodes.term))
                text = item.next_node(nodes.definition).next_node(nodes.paragraph)
                words = ", ".join(term.next_node(nodes.Text).astext() for term in terms)
                for term in terms:
                    found |= {anchor: (words, text) for anchor in term["ids"]}
    return found


def is_term(node):
    return isinstance(node, nodes.Element) and "std-term" in node.get("classes", [])


def anchors(paragraph):
    """The glossary's entries to which a paragraph links."""
    for link in paragraph.findall(nodes.reference):
        if link.next_node(is_term):
            yield link.get("refuri", "").partition("#")[2]


def beside(paragraph):
    """What a note for the paragraph stands before: it, or the list that it is in.

    Nothing for a paragraph in a box, a fold, a caption or a table.
    """
    place = paragraph
    while isinstance(place.parent, (nodes.list_item, nodes.Sequential)):
        place = place.parent
    return place if isinstance(place.parent, nodes.section) else None


def add(app, doctree, docname):
    if app.builder.format != "html" or not PART.match(app.env.titles[docname].astext()):
        return
    known, seen, full = explanations(app.env), set(), set()
    for paragraph in list(doctree.findall(nodes.paragraph)):
        place = beside(paragraph)
        if place is None or id(place) in full:
            continue
        if REPEATED in place.parent["ids"]:
            break
        for words, text in filter(None, map(known.get, anchors(paragraph))):
            if words not in seen:
                seen.add(words)
                full.add(id(place))
                note = margin_note()
                name = nodes.strong("", words)
                note += nodes.paragraph("", "", name, nodes.Text(" "), *copies(text))
                place.parent.insert(place.parent.index(place), note)
                break


def copies(text):
    """A paragraph's content without its links, to stand a second time on a page."""
    for child in text.deepcopy().children:
        if isinstance(child, addnodes.pending_xref):
            yield from child.children
        else:
            yield child


def visit(self, node):
    self.body.append('<aside class="margin-note">')


def depart(self, node):
    self.body.append("</aside>\n")


def setup(app):
    app.add_node(margin_note, html=(visit, depart))
    app.connect("doctree-resolved", add)
