"""Words in the margin: at their first use, one beside a paragraph, none in a box."""

from types import SimpleNamespace

from bookext.margin import add, margin_note
from docutils import nodes
from docutils.utils import new_document
from sphinx import addnodes


def entry(anchor, words, text):
    terms = [nodes.term("", word, ids=[anchor]) for word in words]
    text = nodes.paragraph("", "", nodes.Text(text))
    return nodes.definition_list_item("", *terms, nodes.definition("", text))


GLOSSARY = new_document("notation")
GLOSSARY += addnodes.glossary(
    "",
    nodes.definition_list(
        "",
        entry("term-Bigram", ["Bigram"], "Two characters."),
        entry("term-Nat", ["Nat", "Bit"], "Units of the loss."),
    ),
)


def link(anchor):
    word = nodes.inline("", "word", classes=["std", "std-term"])
    return nodes.reference("", "", word, refuri=f"notation.html#{anchor}")


def paragraph(*anchors):
    return nodes.paragraph("", "See ", *map(link, anchors))


def page(*children, title="Part 1: Bigrams"):
    """What `add` makes of a page: its notes, each with the words that it is about."""
    doctree = new_document("page")
    doctree += nodes.section("", *children, ids=["begin"])
    env = SimpleNamespace(
        titles={"page": nodes.title("", title)},
        domains={"std": SimpleNamespace(_terms={("x", "Bigram"): ("notation", "id")})},
        get_doctree=lambda name: GLOSSARY,
    )
    app = SimpleNamespace(env=env, builder=SimpleNamespace(format="html"))
    add(app, doctree, "page")
    return [
        note.next_node(nodes.strong).astext() for note in doctree.findall(margin_note)
    ]


def test_a_word_is_explained_beside_its_first_use_only():
    plain = nodes.paragraph("", "", nodes.reference("", "other", refuri="a.html#b"))
    children = [plain, paragraph("term-Bigram"), paragraph("term-Bigram")]
    assert page(*children) == ["Bigram"]
    (note,) = children[1].parent.findall(margin_note)
    place = children[1].parent
    assert place.index(note) + 1 == place.index(children[1])
    assert note.astext() == "Bigram Two characters."


def test_words_with_one_explanation_share_a_note():
    assert page(paragraph("term-Nat"), paragraph("term-Nat")) == ["Nat, Bit"]


def test_a_paragraph_has_one_note_and_the_second_word_waits():
    both = paragraph("term-Bigram", "term-Nat")
    assert page(both) == ["Bigram"]
    assert page(both.deepcopy(), paragraph("term-Nat")) == ["Bigram", "Nat, Bit"]


def test_boxes_and_what_is_no_part_have_none():
    box = nodes.admonition("", paragraph("term-Bigram"))
    assert page(box) == []
    assert page(paragraph("term-Bigram"), title="Honest evaluation") == []


def test_a_list_has_its_note_before_it():
    item = nodes.list_item("", paragraph("term-Bigram"))
    several = nodes.bullet_list("", item)
    assert page(several) == ["Bigram"]
    assert isinstance(several.parent[0], margin_note)


def test_from_the_take_away_on_nothing_is_new():
    summary = nodes.section("", paragraph("term-Bigram"), ids=["take-away"])
    assert page(nodes.paragraph("", "Text."), summary) == []
