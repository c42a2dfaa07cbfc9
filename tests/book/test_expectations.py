"""An expectation that is met is silent; a missed one leaves a note and a record."""

import json
import math

import pytest

from charlm.book import expectations
from charlm.book.expectations import expect


@pytest.fixture
def notes(monkeypatch):
    shown = []
    monkeypatch.setattr(expectations, "display", lambda html: shown.append(html.data))
    return shown


def test_what_is_met_is_silent(notes):
    expect("both ends count", 1, 1, 1)
    expect("an order", 0.2, low=0)
    assert notes == []


@pytest.mark.parametrize("value", [2.6, 0.9, math.nan])
def test_a_miss_leaves_a_note(notes, value):
    expect("loss < 3", value, 1, 2.5)
    (note,) = notes
    said = f"loss &lt; 3: here {value:.4g}, written for 1 to 2.5"
    assert f'data-expectation="{said}"' in note and "is one draw" in note


def test_a_missed_time_is_told_apart(notes):
    expect("a ratio of times", 0.9, low=1, timed=True)
    (note,) = notes
    assert 'data-timed-expectation="a ratio of times: here 0.9' in note
    assert "A time depends" in note and "one draw" not in note


@pytest.mark.parametrize("band", [{}, {"low": 2, "high": 1}, {"low": math.nan}])
def test_a_band_that_says_nothing_is_refused(band):
    with pytest.raises(ValueError, match="no band"):
        expect("x", 1.5, **band)


def test_each_is_recorded_where_a_file_is_named(notes, tmp_path, monkeypatch):
    file = tmp_path / "record"
    monkeypatch.setenv(expectations.RECORD, str(file))
    expect("met", 1, high=2)
    expect("missed", 3, high=2)
    met, missed = map(json.loads, file.read_text().splitlines())
    assert met == {"name": "met", "value": 1, "low": -math.inf, "high": 2}
    assert missed["value"] == 3
