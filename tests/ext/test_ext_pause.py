"""A place to stop says how much is left, by the words before the exercises."""

from bookext.pause import fill, pause
from docutils import nodes
from docutils.utils import new_document


def text(number):
    return nodes.paragraph("", "word " * number)


def said(before, after, exercises=0, minutes=90):
    doctree = new_document("page")
    last = nodes.section("", text(exercises), ids=["exercises"])
    doctree += [text(before), pause(minutes=minutes), text(after), last]
    fill(None, doctree, "page")
    assert not list(doctree.findall(pause))
    (line,) = doctree.findall(
        lambda n: "pause" in getattr(n, "attributes", {}).get("classes", [])
    )
    return line.astext()


def test_it_tells_the_share_of_the_minutes_that_is_left():
    assert said(100, 200) == "A good place to stop: about 60 minutes remain."
    assert said(300, 100, minutes=120).endswith("about 30 minutes remain.")


def test_exercises_do_not_count_and_five_minutes_are_the_least():
    assert said(100, 200, exercises=500) == said(100, 200)
    assert said(1000, 1).endswith("about 5 minutes remain.")
