"""The figures of Part 7 show the numbers that they were given."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest

from charlm.book import attention_plots


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_a_map_has_a_row_for_each_reader_and_nothing_ahead():
    weights = np.tril(np.arange(9).reshape(3, 3) / 9)
    ax = attention_plots.attention_map(weights, ["·", "e", "m"])
    shown: Any = ax.images[0].get_array()
    assert (
        shown is not None
        and shown.mask.tolist() == np.triu(np.ones((3, 3)), 1).tolist()
    )
    np.testing.assert_array_equal(shown.filled(0), weights)
    assert ax.images[0].get_clim() == (0, 1)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["·", "e", "m"]


def test_a_map_leaves_its_numbers_alone_and_takes_an_axes():
    weights, (_, ax) = np.ones((2, 2)), plt.subplots()
    assert attention_plots.attention_map(weights, "ab", ax=ax) is ax
    assert (weights == 1).all()


def test_gaps_show_each_seed_and_the_mean():
    ax = attention_plots.seed_gaps(
        {"no positions": [0.01, 0.03], "one head": [0.0, -0.02]}
    )
    lines = [line for line in ax.lines if line.get_marker() == "|"]
    drawn = [np.asarray(line.get_xdata()).tolist() for line in lines]
    marks = [values for values in drawn if len(values) > 1]
    assert marks == [[0.01, 0.03], [0.0, -0.02]]
    assert [text.get_text() for text in ax.texts] == ["+0.020", "−0.010"]
    bars: list[Any] = list(ax.containers)
    means = [bar.lines[0].get_xdata()[0] for bar in bars]
    assert means == pytest.approx([0.02, -0.01])
    assert [text.get_text() for text in ax.get_yticklabels()] == [
        "no positions",
        "one head",
    ]
    top, bottom = ax.transData.transform([(0, 0), (0, 1)])[:, 1]
    assert top > bottom  # the first design is on top
