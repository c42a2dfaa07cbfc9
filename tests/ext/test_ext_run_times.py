"""Times are said as you would say them, where you look for them."""

from types import SimpleNamespace

import pytest
from bookext import run_times
from docutils import nodes
from docutils.utils import new_document
from myst_nb.sphinx_ import HideInputCells


@pytest.mark.parametrize(
    "seconds, text",
    [(0.2, "under 1 s"), (1.4, "1 s"), (12.3, "12 s"), (99, "99 s"), (180, "3 min")],
)
def test_duration(seconds, text):
    assert run_times.duration(seconds) == text


def page(runtime, seconds):
    """A page with a title, a sentence that tells its time, and two cells."""
    document = new_document("a.md")
    place = run_times.run_time("")
    section = nodes.section("", nodes.title("", "A"), nodes.paragraph("", "", place))
    for index, style in enumerate(["cell_input", "cell_output"]):
        inside = nodes.container(classes=[style])
        section += nodes.container("", inside, cell_index=index)
    document += section
    document.settings.env = SimpleNamespace(
        app=None,
        config=None,
        docname="a",
        metadata={"a": {"language_info": {"seconds": seconds}}},
        nb_metadata={"a": {"exec_data": {"runtime": runtime}}},
    )
    run_times.ShowRunTimes(document).run()
    return section


def test_the_time_is_in_the_sentence_and_below_the_title():
    title, badge, sentence, *_ = page(12.3, {}).children
    assert title.astext() == "A" and sentence.astext() == "12 s"
    assert badge.astext() == '<p class="run-time">Code ran in 12 s</p>'


def test_a_slow_cell_says_so_where_it_shows_its_code():
    *_, first, second = page(30, {"0": 6.2, "1": 20}).children
    assert first[0].astext() == '<p class="slow-cell">This cell ran for 6 s.</p>'
    assert len(second) == 1
    *_, first, second = page(30, {"0": 4.9}).children
    assert len(first) == len(second) == 1


def test_a_page_without_cells_has_no_time(monkeypatch):
    warned = []
    monkeypatch.setattr(
        run_times.logger, "warning", lambda *a, location: warned.append(location)
    )
    assert page(None, {})[2].astext() == "under 1 s"
    assert len(warned) == 1


def test_a_folded_cell_stays_folded_however_slow():
    """MyST-NB folds a cell by the places of its parts: a note before would hide it."""
    assert run_times.ShowRunTimes.default_priority > HideInputCells.default_priority
