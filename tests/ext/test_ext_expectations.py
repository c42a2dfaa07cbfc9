"""A missed expectation takes the place of its cell, and ends the build's log."""

import atexit
from types import SimpleNamespace

import pytest
from bookext.expectations import PlaceNotes, tell
from docutils import nodes
from docutils.utils import new_document

SAID = "gain: here 0.5, written for 1 to 2"


def cell(tag, *notes):
    raw = [nodes.raw("", note, format="html") for note in notes]
    return nodes.container("", *raw, cell_metadata={"tags": [tag]})


@pytest.fixture
def app(monkeypatch):
    """A build that has read a page with a note in a cell of each kind."""
    monkeypatch.delenv("CHARLM_STRICT", raising=False)
    note = f'<p data-expectation="{SAID}">{SAID}</p>'
    document = new_document("a.md")
    document += [cell("other", note), cell("expect", note, "<p>A table</p>")]
    document += cell("expect")
    env = SimpleNamespace(docname="a", metadata={"a": {}})
    document.settings.env = env
    PlaceNotes(document).apply()
    return SimpleNamespace(env=env, document=document)


def test_a_cell_of_expectations_shows_only_what_was_missed(app):
    kinds = [type(child).__name__ for child in app.document]
    assert kinds == ["container", "raw"] and SAID in app.document[1].astext()
    assert [said for _, said, _ in app.env.metadata["a"]["missed"]] == [SAID]


@pytest.mark.parametrize("exception, told", [(None, 1), (ValueError(), 0)])
def test_the_build_ends_with_the_list(app, monkeypatch, exception, told):
    said = []
    monkeypatch.setattr(atexit, "register", lambda *lines, **_: said.append(lines))
    tell(app, exception)
    assert len(said) == told and all(lines[-1].endswith(SAID) for lines in said)


def test_a_strict_build_warns(app, monkeypatch, caplog):
    monkeypatch.setenv("CHARLM_STRICT", "1")
    warned = []
    monkeypatch.setattr(
        "bookext.expectations.logger.warning", lambda *a, **k: warned.append((a, k))
    )
    tell(app, None)
    assert [(a[1], k["location"][0]) for a, k in warned] == [(SAID, "a")]


def test_a_strict_build_lists_a_time_and_does_not_fail_for_it(monkeypatch):
    """Other programs disturb a clock, so a time is no reason to publish nothing."""
    monkeypatch.setenv("CHARLM_STRICT", "1")
    warned, told = [], []
    logger = "bookext.expectations.logger.warning"
    monkeypatch.setattr(logger, lambda *a, **_: warned.append(a[1]))
    monkeypatch.setattr(atexit, "register", lambda *lines, **_: told.extend(lines))
    document = new_document("a.md")
    document += cell(
        "expect",
        '<p data-timed-expectation="a time">…</p>',
        f'<p data-expectation="{SAID}">…</p>',
    )
    env = SimpleNamespace(docname="a", metadata={"a": {}})
    document.settings.env = env
    PlaceNotes(document).apply()
    tell(SimpleNamespace(env=env), None)
    assert warned == [SAID]
    assert told[-1].endswith("a time") and SAID not in "".join(map(str, told))
