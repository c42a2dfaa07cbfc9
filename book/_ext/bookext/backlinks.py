"""A word leads back to where it is explained, a work to where it is cited.

A word of the glossary is explained where a `{term}` that links to it stands in bold or
italics, or else where one stands first. Pages are taken in the order of the book.
"""

from docutils import nodes
from sphinx import addnodes

from bookext.pages import in_order


def section_id(node):
    while not isinstance(node, nodes.section):
        node = node.parent
    return node["ids"][0]


def note_terms(app, doctree):
    """Keep (word, the section's id, whether it stands out) of each `{term}`."""
    app.env.metadata[app.env.docname]["terms"] = [
        (
            use["reftarget"].lower(),
            section_id(use),
            isinstance(use.parent, nodes.strong | nodes.emphasis),
        )
        for use in doctree.findall(addnodes.pending_xref)
        if use["reftype"] == "term"
    ]


def explained(env):
    """{word: (page, the section's id)} of each word that some page links to."""
    found = [
        (not stands_out, place, word, page, section)
        for place, page in enumerate(in_order(env))
        for word, section, stands_out in env.metadata[page].get("terms", [])
    ]
    best = sorted(found, key=lambda use: use[:2], reverse=True)
    return {word: (page, section) for _, _, word, page, section in best}


def cited(env):
    """{id of a work's entry: {page: id of the first place that cites it}}."""
    works: dict[str, dict[str, str]] = {}
    if "cite" not in env.domaindata:
        return works
    domain = env.get_domain("cite")
    ids = {work.key: work.citation_id for work in domain.citations}
    for page in in_order(env):
        for use in domain.citation_refs:
            for work in use.targets if use.docname == page else []:
                places = works.setdefault(ids[work.key], {})
                places.setdefault(page, use.citation_ref_id)
    return works


def link(app, here, page, anchor):
    """A link to a place, named by its page's title up to a colon."""
    cover = page == app.config.root_doc
    title = "cover" if cover else app.env.titles[page].astext().partition(":")[0]
    uri = f"{app.builder.get_relative_uri(here, page)}#{anchor}"
    return nodes.reference("", title, refuri=uri, internal=True)


def listed(links):
    """A sentence's end: (Part 1, Part 2)."""
    yield nodes.Text(" (")
    for i, one in enumerate(links):
        yield from [nodes.Text(", ")] if i else []
        yield one
    yield nodes.Text(")")


def add_links(app, doctree, docname):
    places, works = explained(app.env), cited(app.env)
    for glossary in doctree.findall(addnodes.glossary):
        for item in glossary.findall(nodes.definition_list_item):
            words = [term.astext().lower() for term in item.findall(nodes.term)]
            links = dict.fromkeys(places[word] for word in words if word in places)
            if links:
                text = item.next_node(nodes.definition).children[-1]
                text += listed(link(app, docname, *place) for place in links)
    for entry in doctree.findall(nodes.citation):
        for pages in [works[name] for name in entry["ids"] if name in works][:1]:
            text = entry.children[-1]
            text += listed(link(app, docname, *place) for place in pages.items())


def pages_with_links(app, env):
    """Write the glossary and the references anew, as any page may have changed them."""
    objects = env.get_domain("std").objects
    pages = {page for (kind, _), (page, _) in objects.items() if kind == "term"}
    if "cite" in env.domaindata:
        pages |= {key.docname for key in env.get_domain("cite").bibliographies}
    return sorted(pages)


def setup(app):
    app.connect("doctree-read", note_terms)
    app.connect("env-updated", pages_with_links)
    app.connect("doctree-resolved", add_links)
