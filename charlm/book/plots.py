"""The book's figures. Each takes numbers and an optional Axes, and returns the Axes."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.container import Container
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.projections import register_projection
from matplotlib.text import Text
from matplotlib.transforms import ScaledTranslation
from numpy.typing import ArrayLike, NDArray

#: A color of the figures, the same in all of them.
BLUE, ORANGE, GREEN, RED, GRAY = "#1f5f9e", "#d4601a", "#2a6b45", "#b0302a", "#8a8a86"
INK, SOFT, RULE = "#1d2026", "#50545e", "#d9d5cb"
ORANGE_INK = "#a8480c"  # for text, where the orange of shapes is too light
HALO = withStroke(linewidth=2.5, foreground="#fbfaf7")  # around a name, on paper
FONTS = Path(__file__).with_name("fonts")

#: What `use_book_style` sets, as parameters of matplotlib.
STYLE: dict[Any, Any] = {
    "figure.figsize": (4.8, 3.2),
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.h_pad": 0.12,  # inches: room for a label above an axis
    "figure.dpi": 150,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "svg.hashsalt": "charlm",
    "font.family": ["Charlm Sans", "DejaVu Sans"],
    "font.size": 10.5,
    "text.color": INK,
    "axes.labelcolor": SOFT,
    "axes.titlecolor": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "ytick.major.size": 0,
    "axes.prop_cycle": plt.cycler(color=[BLUE, ORANGE, GREEN, INK, GRAY])
    + plt.cycler(linestyle=["-", (0, (4, 2)), "-", (0, (4, 2)), "-"]),
    "axes.edgecolor": SOFT,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.8,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "image.cmap": "charlm",
}
RAMP = ["#fbfaf7", "#cfdcea", "#7da6cf", "#1f5f9e", "#123a63"]

# What the style names, matplotlib has to know, whoever applies it.
for _file in sorted(FONTS.glob("*.ttf")):
    font_manager.fontManager.addfont(_file)
if "charlm" not in mpl.colormaps:
    mpl.colormaps.register(LinearSegmentedColormap.from_list("charlm", RAMP))


class _BookAxes(Axes):
    """Axes whose y label lies above the axis, so that nobody has to turn the head."""

    name = "rectilinear"

    def set_ylabel(self, ylabel: str, *args: Any, **kwargs: Any) -> Text:
        """Write the label flat, above the left end; kwargs as in matplotlib."""
        flat: dict[str, Any] = {"rotation": 0, "ha": "left", "va": "bottom"} | kwargs
        figure: Any = self.get_figure(root=True)
        points = ScaledTranslation(0, 5 / 72, figure.dpi_scale_trans)
        self.yaxis.set_label_coords(0, 1, transform=self.transAxes + points)
        return super().set_ylabel(ylabel, *args, **flat)


def use_book_style() -> None:
    """Give all later figures the book's look: narrow enough to read on a phone."""
    plt.rcParams.update(STYLE)
    register_projection(_BookAxes)


def _axes(ax: Axes | None) -> Axes:
    return plt.figure().add_subplot() if ax is None else ax


def heat_map(
    table: ArrayLike,
    labels: Sequence[str],
    *,
    counts: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw a (V, V) table as colors: this character down, the next one across.

    Parameters
    ----------
    table : numbers from 0 up; the scale of colors starts at 0
    labels : what to print for each id, (V,), as in `Vocabulary.labels`
    counts : write into each cell its two characters and its number
    ax : where to draw; None for a new figure
    """
    values = np.asarray(table, float)
    ax = _axes(ax)
    ax.imshow(values, vmin=0)
    ticks = range(len(labels))
    ax.set_xticks(ticks, labels)
    ax.set_yticks(ticks, labels)
    ax.tick_params(length=0, labelsize="small")
    ax.xaxis.tick_top()
    ax.xaxis.set_label_position("top")
    ax.set_xlabel("down: this character, across: the next", loc="left")
    ax.grid(False)
    ax.spines[:].set_visible(False)
    if counts:
        for i, j in np.ndindex(values.shape):
            ink = "white" if values[i, j] > values.max() / 2 else "black"
            text = f"{labels[i]}{labels[j]}\n{values[i, j]:g}"
            style: dict[str, Any] = {"ha": "center", "color": ink, "fontsize": 7}
            # inside its cell, so no layout has to measure it
            ax.text(j, i, text, va="center", in_layout=False, **style)
    return ax


def broadcast_table(
    numerators: ArrayLike, divisors: ArrayLike, *, ax: Axes | None = None
) -> Axes:
    """Write numerator / divisor into each cell; cells with one divisor share a color.

    The divisors are stretched to the shape of the numerators, as PyTorch would.

    Parameters
    ----------
    numerators : of any shape with two dimensions
    divisors : of a shape that can be broadcast to it
    ax : where to draw; None for a new figure
    """
    above = np.asarray(numerators)
    below = np.asarray(divisors)
    source = np.broadcast_to(np.arange(below.size).reshape(below.shape), above.shape)
    below = np.broadcast_to(below, above.shape)
    ax = _axes(ax)
    ax.imshow(source, cmap="Pastel1", vmin=0, vmax=8, aspect="auto")
    for i, j in np.ndindex(above.shape):
        ax.text(j, i, f"{above[i, j]} / {below[i, j]}", ha="center", va="center")
    ax.set_axis_off()
    return ax


def bars(
    labels: Sequence[str],
    values: ArrayLike,
    *,
    ylabel: str = "probability",
    ax: Axes | None = None,
    **kwargs: Any,
) -> Axes:
    """Draw one bar per label, in the given order; kwargs go to `Axes.bar`.

    Parameters
    ----------
    labels : what to print below each bar
    values : their heights
    ylabel : what the heights are
    ax : where to draw; None for a new figure
    **kwargs : for instance color
    """
    ax = _axes(ax)
    ax.bar(range(len(labels)), np.asarray(values, float), **kwargs)
    ax.set_xticks(range(len(labels)), labels)
    ax.tick_params(axis="x", length=0, labelsize="small")
    ax.set(xlabel="next character", ylabel=ylabel)
    ax.grid(visible=False, axis="x")
    return ax


def loss_curves(
    curves: Mapping[str, ArrayLike],
    *,
    xlabel: str = "step",
    references: Mapping[str, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw each curve's losses (nats) over its steps, with references as dashed lines.

    Parameters
    ----------
    curves : by label: losses, one per step, or a pair (steps, losses)
    xlabel : what the curves run over; steps by default
    references : by label: a loss to compare with, such as a simpler model's
    ax : where to draw; None for a new figure
    """
    ax = _axes(ax)
    for label, curve in curves.items():
        values = np.asarray(curve, float)
        steps, losses = values if values.ndim == 2 else (np.arange(len(values)), values)
        ax.plot(steps, losses, label=label)
    for label, loss in (references or {}).items():
        ax.axhline(loss, color=GRAY, linestyle="--", linewidth=1)
        ax.annotate(
            label,
            (1, loss),
            xycoords=("axes fraction", "data"),
            xytext=(0, -4),
            textcoords="offset points",
            ha="right",
            va="top",
            fontsize="small",
        )
    if references:
        ax.margins(y=0.12)
    ax.set(xlabel=xlabel, ylabel="loss (nats per character)")
    return name_curves(ax) if len(curves) > 1 else ax


def loss_dotplot(
    losses: Mapping[str, float],
    errors: Mapping[str, float | None] | None = None,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Draw the models' losses as dots, the first model on top, with error bars.

    Parameters
    ----------
    losses : by the model's name, in nats per character
    errors : the known ones, by the same names; None for none
    ax : where to draw; None for a new figure
    """
    ax = _axes(ax)
    names = list(losses)
    values = [losses[name] for name in names]
    bars_ = [(errors or {}).get(name) or 0.0 for name in names]
    rows = range(len(names))
    ax.errorbar(values, rows, xerr=bars_, fmt="o", markersize=6, capsize=3)
    for row, value in zip(rows, values, strict=True):
        ax.annotate(
            f"{value:.3f}",
            (value, row),
            xytext=(0, 6),
            textcoords="offset points",
            ha="center",
            fontsize="small",
        )
    ax.set_yticks(rows, names)
    ax.invert_yaxis()
    ax.margins(x=0.12, y=0.15)
    ax.set(xlabel="loss (nats per character)")
    return ax


def calibration(
    curves: Mapping[str, tuple[ArrayLike, ArrayLike]], *, ax: Axes | None = None
) -> Axes:
    """Draw, by label, the observed shares over the predicted ones: each (bins,).

    On the dashed diagonal a model is as sure as it may be; below it, too sure.
    """
    ax = _axes(ax)
    ax.plot([0, 1], [0, 1], color=GRAY, linestyle="--", linewidth=1)
    for label, (predicted, observed) in curves.items():
        x, y = np.asarray(predicted, float), np.asarray(observed, float)
        ax.plot(x, y, "o-", markersize=4, linewidth=1, label=label)
    ax.set(xlabel="how sure: probability of the likeliest", ylabel="how often it came")
    ax.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    return name_curves(ax)


def name_rows(
    rows: Mapping[str, Sequence[str]],
    notes: Mapping[str, str] | None = None,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Write a few generated names under each model's label, from the first row down.

    Parameters
    ----------
    rows : the names by label
    notes : what to write at the right end of a label's line; None for nothing
    ax : where to draw; None for a new figure
    """
    ax = _axes(ax)
    for row, (label, names) in enumerate(rows.items()):
        note = (notes or {}).get(label, "")
        ax.text(0, row, label, color=BLUE, weight="bold", va="bottom")
        ax.text(1, row, note, color=GRAY, va="bottom", ha="right")
        ax.text(0, row + 0.12, "  ".join(names), va="top", family="monospace")
    ax.set(xlim=(0, 1), ylim=(len(rows) - 0.4, -0.5))
    ax.set_axis_off()
    return ax


def _shade(i: int, n: int) -> tuple[float, float, float, float]:
    """Return the color of layer i of n, from the first, blue, to the last, orange."""
    scale = LinearSegmentedColormap.from_list("layers", [BLUE, ORANGE])
    return scale(i / max(n - 1, 1))


def _few_numbers(ax: Axes) -> None:
    """Print so few numbers below the axis that they keep apart in a narrow plot."""
    ax.locator_params(axis="x", nbins=4)
    ax.ticklabel_format(axis="x", scilimits=(-2, 3), useMathText=True)


def _name_ends(ax: Axes) -> None:
    """Write each curve's label at its right end, apart from its neighbors' labels."""
    least = 0.075  # of the axis's height
    lines = [line for line in ax.lines if not str(line.get_label()).startswith("_")]
    ends = [np.asarray(line.get_xydata())[-1] for line in lines]
    to_axes = ax.transData + ax.transAxes.inverted()
    heights = np.clip(to_axes.transform(ends)[:, 1], 0.03, 0.97)
    order = np.argsort(heights)
    for low, high in pairwise(order):
        heights[high] = max(heights[high], heights[low] + least)
    for line, height in zip(lines, heights - max(0, heights.max() - 1), strict=True):
        style: dict[str, Any] = {"va": "center", "fontsize": 9, "clip_on": False}
        style |= {"color": line.get_color(), "transform": ax.transAxes}
        ax.text(1.03, height, str(line.get_label()), **style)


def name_curves(ax: Axes) -> Axes:
    """Write each label beside its curve, in its color: no legend to look up.

    Of some places along the curve, above it and below, a label takes the one where it
    lies on the fewest points of all curves; the end, if it can. Call it at last.

    Parameters
    ----------
    ax : a plot whose curves, error bars or histograms have labels
    """
    ax.get_figure(root=True).draw_without_rendering()  # type: ignore[union-attr]
    artists, labels = ax.get_legend_handles_labels()
    lines = [_pixels(ax, artist) for artist in artists]
    taken = np.concatenate([_dense(line) for line in lines])
    frame = ax.get_window_extent()
    for artist, label, line in zip(artists, labels, lines, strict=True):
        text = ax.text(0.5, 0.5, label, color=_ink(artist), transform=ax.transAxes)
        text.set(fontsize=9.5, ha="center", va="center", path_effects=[HALO])
        half = np.array(text.get_window_extent().size) / 2
        room = np.array([frame.min + half, frame.max - half])
        places = np.array(
            [
                line[round(share * (len(line) - 1))] + half * offset
                for share in (1, 0.9, 0.75, 0.6, 0.45, 0.3, 0.15, 0)
                for offset in ((0, 2), (0, -2), (-1.1, 1.6), (-1.1, -1.6), (1.25, 0))
            ]
        ).clip(*room)
        near = np.abs(taken[:, None] - places) < half * (1.05, 1.4)
        best = places[near.all(2).sum(0).argmin()]
        text.set_position(tuple(ax.transAxes.inverted().transform(best)))
        grid = np.mgrid[-1:1:9j, -1:1:5j].reshape(2, -1).T
        taken = np.concatenate([taken, *[best + half * grid] * 3])
    return ax


def _pixels(ax: Axes, artist: Any) -> NDArray[Any]:
    """Return the points of a line, error bar, scatter or histogram, (n, 2)."""
    if isinstance(artist, Rectangle):  # the first bar of a histogram
        (artist,) = (box for box in ax.containers if artist in box)
        tops = [(bar.get_x() + bar.get_width() / 2, bar.get_height()) for bar in artist]
        high = max(top[1] for top in tops)
        points = np.array([top for top in tops if top[1] > high / 3])
    elif isinstance(artist, PathCollection):
        points = np.asarray(artist.get_offsets())
    else:
        line = artist[0] if isinstance(artist, Container) else artist
        points = np.asarray(line.get_xydata())
    return ax.transData.transform(points[np.isfinite(points).all(1)])


def _dense(line: NDArray[Any]) -> NDArray[Any]:
    """Return a line's points and places between them, (n, 2)."""
    shares = np.linspace(0, 1, 12, endpoint=False)[:, None, None]
    between = line[:-1] + shares * (line[1:] - line[:-1])
    return np.concatenate([line, between.reshape(-1, 2)])


def _ink(artist: Any) -> str:
    """Return the color of an artist, as dark as a text has to be."""
    one = artist[0] if isinstance(artist, Container) else artist
    color: Any = one.get_color() if isinstance(one, Line2D) else one.get_facecolor()
    name = to_hex(color[0] if isinstance(one, PathCollection) else color)
    return {ORANGE: ORANGE_INK, GRAY: SOFT}.get(name, name)


def histograms(
    values: Mapping[str, ArrayLike],
    *,
    xlabel: str,
    bins: int = 60,
    ax: Axes | None = None,
) -> Axes:
    """Draw the density of each layer's numbers, one row a layer, the first on top.

    All rows have one scale of x, and each is as high as its row.

    Parameters
    ----------
    values : by label: a layer's numbers, of any shape
    xlabel : what the numbers are
    bins : how many intervals the scale is cut into
    ax : where to draw; None for a new figure
    """
    ax = _axes(ax)
    arrays = {label: np.asarray(numbers, float) for label, numbers in values.items()}
    low = min(array.min() for array in arrays.values())
    high = max(array.max() for array in arrays.values())
    edges = np.histogram_bin_edges([low, high], bins)
    middles = (edges[1:] + edges[:-1]) / 2
    for row, array in enumerate(arrays.values()):
        density, _ = np.histogram(array, edges, density=True)
        curve = density / density.max() * 0.9
        ax.fill_between(middles, row, row - curve, color=BLUE, alpha=0.35, lw=0)
        ax.plot(middles, row - curve, color=BLUE, linestyle="-", linewidth=1)
    ax.set_yticks(range(len(arrays)), list(arrays))
    ax.set_ylim(len(arrays) - 0.9, -1.05)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set(xlabel=xlabel)
    _few_numbers(ax)
    return ax


def update_ratios(
    table: ArrayLike,
    names: Sequence[str],
    *,
    ylim: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw update : data over the steps, one curve per matrix, with a line at 1e-3.

    Each curve has its name at its right end.

    Parameters
    ----------
    table : the ratios, (steps, matrices)
    names : those of the matrices
    ylim : the lower and the upper end of the axis; None for what fits the curves
    ax : where to draw; None for a new figure
    """
    ax = _axes(ax)
    ratios = np.asarray(table, float)
    for column, name in enumerate(names):
        shade = _shade(column, len(names))
        ax.plot(ratios[:, column], label=name, color=shade, linewidth=1)
    ax.axhline(1e-3, color=RED, linestyle="--", linewidth=1.2)
    ax.set(yscale="log", xlabel="step", ylabel="update : data")
    if ylim:
        ax.set_ylim(ylim)
    _name_ends(ax)
    return ax


def saturation_image(
    h: ArrayLike, *, threshold: float = 0.97, ax: Axes | None = None
) -> Axes:
    """Draw which units (across) are saturated for which examples (down).

    A column that is colored from top to bottom is a dead unit.

    Parameters
    ----------
    h : what the units gave, (B, H)
    threshold : the size beyond which one counts as saturated
    ax : where to draw; None for a new figure
    """
    ax = _axes(ax)
    beyond = np.abs(np.asarray(h, float)) > threshold
    ax.imshow(beyond, vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    ax.set(xlabel="hidden unit", ylabel="example")
    ax.grid(False)
    return ax


def embedding_scatter(
    table: ArrayLike, labels: Sequence[str], *, ax: Axes | None = None
) -> Axes:
    """Draw each character at its place in the first two columns of a table.

    Parameters
    ----------
    table : a row for each character, (V, C), with C at least 2
    labels : what to print for each, (V,)
    ax : where to draw; None for a new figure
    """
    ax = _axes(ax)
    x, y = np.asarray(table, float)[:, :2].T
    ax.scatter(x, y, s=0)
    for i, label in enumerate(labels):
        style: dict[str, Any] = {"ha": "center", "va": "center", "weight": "bold"}
        ax.annotate(label, (x[i], y[i]), fontsize=11, color=BLUE, **style)
    ax.set(xlabel="first dimension", ylabel="second dimension")
    ax.set_aspect("equal", adjustable="datalim")
    return ax


def learning_rates(
    rates: ArrayLike, losses: ArrayLike, *, ax: Axes | None = None
) -> Axes:
    """Draw the loss at each rate of a search, on a logarithmic scale of rates.

    Losses above twice the first one, where training blows up, are cut off.

    Parameters
    ----------
    rates : in rising order, (n,)
    losses : one for each, (n,), in nats
    ax : where to draw; None for a new figure
    """
    ax = _axes(ax)
    values = np.asarray(losses, float)
    ax.plot(np.asarray(rates, float), values, linewidth=1)
    if values.max() > 2 * values[0]:
        ax.set_ylim(values.min() - 0.1 * values[0], 2 * values[0])
    ax.set(xscale="log", xlabel="learning rate", ylabel="loss (nats per character)")
    return ax
