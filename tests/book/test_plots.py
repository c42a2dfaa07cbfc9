"""The figures show the numbers they were given, on the Axes they were given."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgba

from charlm.book import plots

DRAW = {
    "heat_map": lambda ax: plots.heat_map(np.eye(2), ".a", ax=ax),
    "bars": lambda ax: plots.bars(".a", [0.25, 0.75], ax=ax),
    "loss_curves": lambda ax: plots.loss_curves({"train": [2.0, 1.0]}, ax=ax),
    "loss_dotplot": lambda ax: plots.loss_dotplot({"bigram": 2.45}, ax=ax),
    "broadcast_table": lambda ax: plots.broadcast_table([[1, 2]], [[3]], ax=ax),
    "name_rows": lambda ax: plots.name_rows({"bigram": ["mor"]}, ax=ax),
    "calibration": lambda ax: plots.calibration({"bigram": ([0.2], [0.3])}, ax=ax),
}


@pytest.fixture(autouse=True)
def no_screen(monkeypatch):
    """Showing is the caller's business; every figure is drawn in full, then closed."""
    monkeypatch.setattr(plt, "show", lambda *_, **__: pytest.fail("a plot called show"))
    with plt.rc_context():
        yield
    for number in plt.get_fignums():
        plt.figure(number).canvas.draw()
    plt.close("all")


def tick_labels(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def is_drawn(ax):
    return ax.has_data() or bool(ax.texts)


def texts(ax):
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("name", DRAW)
def test_it_draws_on_the_given_axes(name):
    figure, (left, right) = plt.subplots(1, 2)
    assert DRAW[name](right) is right
    assert plt.get_fignums() == [figure.number]
    assert is_drawn(right) and not is_drawn(left)


@pytest.mark.parametrize("name", DRAW)
def test_without_axes_it_opens_a_new_figure(name):
    one, two = DRAW[name](None), DRAW[name](None)
    assert one.figure is not two.figure
    assert is_drawn(one) and is_drawn(two)


def layer_figures():
    """The figures of Parts 2 and 3, which test_layer_plots.py draws."""
    return {
        "histograms",
        "update_ratios",
        "saturation_image",
        "embedding_scatter",
        "learning_rates",
    }


def test_every_figure_is_tested_here():
    public = {
        name
        for name, value in vars(plots).items()
        if callable(value) and getattr(value, "__module__", "") == plots.__name__
        and not name.startswith("_")
    }  # fmt: skip
    assert public - layer_figures() == {*DRAW, "use_book_style", "name_curves"}


def test_the_heat_map_is_the_table():
    table = torch.tensor([[2, 3], [10, 1]])
    ax: Any = plots.heat_map(table, ".a")
    (image,) = ax.images
    assert image.get_array().tolist() == table.tolist()
    assert image.get_clim() == (0, 10)
    assert tick_labels(ax.xaxis) == tick_labels(ax.yaxis) == [".", "a"]
    assert ax.get_xlabel() == "down: this character, across: the next"
    assert texts(ax) == []


def test_the_heat_map_writes_each_count_in_its_cell():
    """Rows go down and columns across, and the ink can be read on the color."""
    table = [[0, 3], [10, 1]]
    ax = plots.heat_map(table, ".a", counts=True)
    cells = {text.get_position()[::-1]: text.get_text() for text in ax.texts}
    assert cells == {
        (0, 0): "..\n0",
        (0, 1): ".a\n3",
        (1, 0): "a.\n10",
        (1, 1): "aa\n1",
    }
    ink = {t.get_text(): to_rgba(t.get_color()) for t in ax.texts}
    assert ink["a.\n10"] == to_rgba("white") and ink[".a\n3"] == to_rgba("black")


def test_bars_are_as_high_as_the_values():
    values = torch.tensor([0.5, 0.2, 0.3])
    ax: Any = plots.bars(".ab", values, ylabel="count", color=plots.RED)
    assert [bar.get_height() for bar in ax.patches] == pytest.approx(values.tolist())
    centers = [bar.get_x() + bar.get_width() / 2 for bar in ax.patches]
    assert centers == pytest.approx([0, 1, 2])
    assert {bar.get_facecolor() for bar in ax.patches} == {to_rgba(plots.RED)}
    assert tick_labels(ax.xaxis) == [".", "a", "b"]
    assert ax.get_ylabel() == "count"


def test_loss_curves_are_the_losses():
    measured: Any = [0, 100], torch.tensor([3.0, 2.2])
    ax: Any = plots.loss_curves(
        {"train": [3.0, 2.5, 2.0], "dev": measured}, references={"uniform": 3.296}
    )
    train, dev, reference = ax.lines
    assert train.get_xydata().tolist() == [[0, 3], [1, 2.5], [2, 2]]
    assert dev.get_xdata().tolist() == [0, 100]
    assert dev.get_ydata().tolist() == pytest.approx([3.0, 2.2])
    assert set(reference.get_ydata()) == {3.296}
    assert reference.get_linestyle() == "--"
    assert texts(ax) == ["uniform", "train", "dev"]
    assert ax.texts[0].xy[1] == 3.296
    assert ax.get_legend() is None
    assert ax.get_xlabel() == "step"
    assert ax.get_ylabel() == "loss (nats per character)"


def test_a_y_label_lies_flat_above_its_axis_and_inside_the_figure():
    plots.use_book_style()
    fig, panels = plt.subplots(2, 1)
    for ax in panels:
        ax.plot([1, 2])
        ax.set(xlabel="step", ylabel="loss (nats per character)")
    fig.draw_without_rendering()
    for ax in panels:
        label, frame = ax.yaxis.label.get_window_extent(), ax.get_window_extent()
        assert label.width > 2 * label.height  # flat
        assert label.y0 > frame.y1 and abs(label.x0 - frame.x0) < 3
        assert fig.bbox.y1 >= label.y1 and label.x1 < fig.bbox.x1
    step = panels[0].xaxis.label.get_window_extent()
    assert step.y0 >= panels[1].yaxis.label.get_window_extent().y1


def test_one_curve_needs_no_legend():
    ax = plots.loss_curves({"train": [1.0]}, xlabel="epoch")
    assert ax.get_legend() is None
    assert ax.get_xlabel() == "epoch"


def test_the_ladder_stands_in_the_given_order_from_the_top():
    losses = {"unigram": 2.83, "bigram": 2.454, "network": 2.46}
    ax: Any = plots.loss_dotplot(losses, {"bigram": 0.1, "network": None})
    (container,) = ax.containers
    points, _, (bars,) = container.lines
    assert points.get_xydata().tolist() == [[2.83, 0], [2.454, 1], [2.46, 2]]
    widths = [segment[1, 0] - segment[0, 0] for segment in bars.get_segments()]
    assert widths == pytest.approx([0, 0.2, 0])
    assert tick_labels(ax.yaxis) == list(losses)
    bottom, top = ax.get_ylim()
    assert bottom > top
    assert texts(ax) == ["2.830", "2.454", "2.460"]
    assert [text.xy for text in ax.texts] == [(2.83, 0), (2.454, 1), (2.46, 2)]


def test_the_broadcast_table_stretches_the_divisors_as_torch_does():
    table = torch.tensor([[1, 2], [3, 4]])
    for divisors in (table.sum(1, keepdim=True), table.sum(0), torch.tensor(5)):
        ax: Any = plots.broadcast_table(table, divisors)
        stretched = divisors.expand(2, 2)
        cells = {text.get_position(): text.get_text() for text in ax.texts}
        assert cells == {
            (j, i): f"{table[i, j]} / {stretched[i, j]}"
            for i in range(2)
            for j in range(2)
        }
        colors = ax.images[0].get_array()
        for i, j in np.ndindex(2, 2):
            alike = stretched == stretched[i, j]
            assert ((colors == colors[i, j]) == alike.numpy()).all()


def test_name_rows_write_the_names_under_their_labels():
    ax = plots.name_rows(
        {"uniform": ["xq", "zk"], "bigram": ["mor", "axx"]}, {"bigram": "2.454"}
    )
    assert texts(ax) == ["uniform", "", "xq  zk", "bigram", "2.454", "mor  axx"]
    heights = [text.get_position()[1] for text in ax.texts]
    bottom, top = ax.get_ylim()
    assert bottom > heights[-1] and heights == sorted(heights) and heights[0] > top


def test_the_book_style_reaches_later_figures():
    plots.use_book_style()
    ax: Any = plots.bars(".a", [1, 2])
    assert ax.figure.get_size_inches().tolist() == [4.8, 3.2]
    assert not ax.spines["top"].get_visible()
    assert ax.patches[0].get_facecolor() == to_rgba(plots.BLUE)


def test_names_stand_beside_their_curves_in_their_colors():
    """On no other name, on hardly a point of a curve, and inside the plot."""
    plots.use_book_style()
    _, ax = plt.subplots()
    x = np.linspace(0, 6, 100)
    ax.plot(x, np.sin(x), label="sine")
    ax.plot(x, np.cos(x), label="cosine", color=plots.GRAY)
    plots.name_curves(ax)
    frame = ax.get_window_extent()
    boxes = {text.get_text(): text.get_window_extent() for text in ax.texts}
    assert list(boxes) == ["sine", "cosine"]
    assert not boxes["sine"].overlaps(boxes["cosine"])
    curves = np.concatenate([ax.transData.transform(c.get_xydata()) for c in ax.lines])
    for box in boxes.values():
        inside = (curves > box.min).all(1) & (curves < box.max).all(1)
        assert not inside.any() and frame.containsy(box.y0) and frame.containsx(box.x1)
    assert [t.get_color() for t in ax.texts] == [plots.BLUE, plots.SOFT]


def test_a_histogram_and_dots_are_named_too():
    _, ax = plt.subplots()
    ax.hist([1, 2, 2, 3], label="words")
    ax.scatter([4, 5], [1, 1], label="chosen", color=plots.ORANGE)
    ax.errorbar([6], [1], yerr=[0.1], fmt="o", label="mean")
    plots.name_curves(ax)
    assert {t.get_text() for t in ax.texts} == {"words", "chosen", "mean"}
    assert plots.ORANGE_INK in [t.get_color() for t in ax.texts]
