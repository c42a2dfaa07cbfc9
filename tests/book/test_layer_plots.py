"""The figures hold the numbers that they were given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgba

from charlm.book import plots

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def style():
    with plt.rc_context(plots.STYLE):
        yield
    plt.close("all")


def pixels(ax):
    """The numbers of the one image."""
    (image,) = ax.images
    return image.get_array()


def labeled(ax):
    ax.figure.canvas.draw()
    assert ax.get_xlabel()
    texts = [*ax.get_xticklabels(), *ax.get_yticklabels(), ax.xaxis.label, *ax.texts]
    legend = ax.get_legend()
    texts += legend.get_texts() if legend else []
    assert all(text.get_fontsize() >= 9 for text in texts)
    return ax


def test_histograms_read_from_the_top():
    values = {"first": RNG.normal(size=500), "last": RNG.normal(size=500) + 9}
    ax = labeled(plots.histograms(values, xlabel="gradient"))
    assert [t.get_text() for t in ax.get_yticklabels()] == list(values)
    bottom, top = ax.get_ylim()
    assert bottom > 1 > 0 > top
    for row, (line, array) in enumerate(zip(ax.lines, values.values(), strict=True)):
        x, curve = line.get_data()
        assert abs(x[np.argmin(curve)] - np.median(array)) < 1
        assert top < curve.min() < curve.max() == row


def test_histograms_of_one_value_and_of_tensors():
    ax = plots.histograms({"zero": torch.zeros(4, 3)}, xlabel="gradient")
    assert np.isfinite(ax.lines[0].get_ydata()).all()


def test_update_ratios():
    table = torch.tensor([[1e-3, 1e-2], [2e-3, 3e-2]])
    ax = labeled(plots.update_ratios(table, ["a", "b"]))
    assert ax.get_yscale() == "log"
    np.testing.assert_allclose(ax.lines[1].get_ydata(), [1e-2, 3e-2])
    assert list(ax.lines[2].get_ydata()) == [1e-3, 1e-3]
    assert ax.lines[0].get_color() == to_rgba(plots.BLUE)


def test_update_ratios_name_each_curve_at_its_end_apart_from_the_others():
    table = torch.tensor([[1e-3, 1e-2, 2e-3]] * 2 + [[1e-2, 1.01e-2, 1e-3]])
    ax = labeled(plots.update_ratios(table, ["a", "b", "c"], ylim=(1e-5, 1)))
    assert ax.get_ylim() == (1e-5, 1) and ax.get_legend() is None
    height = {text.get_text(): text.get_position()[1] for text in ax.texts}
    assert height["b"] - height["a"] > 0.05 and height["a"] > height["c"]
    colors = [text.get_color() for text in ax.texts]
    assert colors == [line.get_color() for line in ax.lines[:3]]


def test_names_at_the_upper_end_stay_inside():
    ax = plots.update_ratios(np.full((3, 4), 0.9), list("abcd"), ylim=(1e-5, 1))
    heights = [text.get_position()[1] for text in ax.texts]
    assert 0 < min(heights) < max(heights) <= 1


def test_saturation_image():
    h = np.array([[0.975, 0.2], [-0.999, 0.96]])
    ax = labeled(plots.saturation_image(h))
    assert pixels(ax).tolist() == [[True, False], [True, False]]
    ax = plots.saturation_image(h, threshold=0.9)
    assert pixels(ax).tolist() == [[True, False], [True, True]]


def test_embedding_scatter():
    table = torch.tensor([[0.0, 1.0, 9.0], [2.0, 3.0, 9.0]])
    ax = labeled(plots.embedding_scatter(table, [".", "a"]))
    assert [(t.get_text(), t.xy) for t in ax.texts] == [(".", (0, 1)), ("a", (2, 3))]
    assert ax.collections[0].get_offsets().tolist() == [[0, 1], [2, 3]]


def test_learning_rates_cut_off_the_explosion():
    ax = labeled(plots.learning_rates([1e-3, 1e-2, 1e-1], [3.0, 2.0, 90.0]))
    assert ax.get_xscale() == "log"
    assert ax.get_ylim()[1] == 6
    calm = plots.learning_rates([1e-3, 1e-2], [3.0, 2.0])
    assert calm.get_ylim()[1] < 4


def test_axes_are_taken_and_given_back():
    _, axes = plt.subplots(5)
    h = np.ones((3, 2))
    assert plots.histograms({"a": h}, xlabel="x", ax=axes[0]) is axes[0]
    assert plots.update_ratios(h, ["a", "b"], ax=axes[1]) is axes[1]
    assert plots.saturation_image(h, ax=axes[2]) is axes[2]
    assert plots.embedding_scatter(h, "abc", ax=axes[3]) is axes[3]
    assert plots.learning_rates([1, 2], [1, 2], ax=axes[4]) is axes[4]
