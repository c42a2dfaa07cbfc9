"""The figures of Part 6 show the numbers that they were given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from charlm.book import plots, sequence_plots


@pytest.fixture(autouse=True)
def style():
    with plt.rc_context(plots.STYLE):
        yield
    plt.close("all")


DRAW = {
    "padded_batch": lambda ax: sequence_plots.padded_batch(["ab"], [[1, 0]], ax=ax),
    "state_map": lambda ax: sequence_plots.state_map(np.zeros((2, 3)), "ab", ax=ax),
    "gradient_by_lag": lambda ax: sequence_plots.gradient_by_lag(
        {"RNN": [2.0, 1.0]}, ax=ax
    ),
}


@pytest.mark.parametrize("name", DRAW)
def test_it_draws_on_the_given_axes_or_on_new_ones(name):
    _, (left, right) = plt.subplots(1, 2)
    assert DRAW[name](right) is right
    assert right.get_xlabel() and not left.has_data()
    one, two = DRAW[name](None), DRAW[name](None)
    assert one.figure is not two.figure
    one.figure.canvas.draw()


def test_padding_is_told_from_words():
    inside = [[True, True, False], [True, True, True]]
    ax = sequence_plots.padded_batch(["em.", "ava"], inside)
    assert [text.get_text() for text in ax.texts] == list("em.ava")
    assert [text.get_color() == plots.INK for text in ax.texts] == [
        *inside[0],
        *inside[1],
    ]
    (image,) = ax.images
    assert (np.asarray(image.get_array()) > 0).tolist() == inside


def test_a_column_for_each_character_and_a_row_for_each_unit():
    states = np.linspace(-1, 1, 6).reshape(2, 3)  # two characters, three units
    ax = sequence_plots.state_map(states, "em")
    assert [label.get_text() for label in ax.get_xticklabels()] == ["e", "m"]
    (image,) = ax.images
    assert np.allclose(np.asarray(image.get_array()), states.T)
    assert image.get_clim() == (-1, 1)


def test_gradients_start_at_one():
    ax = sequence_plots.gradient_by_lag({"a": [4.0, 2.0, 1.0], "b": [1.0, 10.0]})
    assert ax.get_yscale() == "log"
    curves = {
        line.get_label(): np.asarray(line.get_ydata()).tolist() for line in ax.lines
    }
    assert curves == {"a": [1.0, 0.5, 0.25], "b": [1.0, 10.0]}
    assert {"a", "b"} <= {text.get_text() for text in ax.texts}


def test_what_was_before_has_the_color_of_what_is_now():
    before = {"b": [2.0, 4.0]}
    ax = sequence_plots.gradient_by_lag({"a": [1, 1], "b": [1, 3]}, before=before)
    a, b, was = ax.lines
    assert np.asarray(was.get_ydata()).tolist() == [1.0, 2.0]
    assert was.get_color() == b.get_color() != a.get_color()
    assert was.get_linestyle() == "--" and b.get_linestyle() == "-"
    assert {text.get_text() for text in ax.texts} == {"a", "b"}
