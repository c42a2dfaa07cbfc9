"""Figures of Part 7. Each takes numbers and an optional Axes, and returns the Axes."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from charlm.book.plots import BLUE, GRAY
from charlm.seeds import over_seeds


def attention_map(
    weights: ArrayLike, labels: Sequence[str], *, ax: Axes | None = None
) -> Axes:
    """Draw who reads whom, (T, T): a reader is a row, what it reads is a column.

    Parameters
    ----------
    weights : shares from 0 to 1, each row with the sum 1; those ahead are left blank
    labels : what to print for each place, (T,)
    ax : where to draw; None for a new figure
    """
    values = np.array(weights, float)
    values[np.triu_indices(len(values), 1)] = np.nan
    ax = plt.figure().add_subplot() if ax is None else ax
    ax.imshow(values, vmin=0, vmax=1)
    ticks = range(len(labels))
    ax.set_xticks(ticks, labels)
    ax.set_yticks(ticks, labels)
    ax.tick_params(length=0, labelsize="small")
    ax.xaxis.tick_top()
    ax.grid(False)
    ax.spines[:].set_visible(False)
    return ax


def seed_gaps(gaps: Mapping[str, Sequence[float]], *, ax: Axes | None = None) -> Axes:
    """Draw the gaps of each design to a reference, seed by seed, and their mean.

    Parameters
    ----------
    gaps : by the design's name, one for each seed, two or more, in nats per character
    ax : where to draw; None for a new figure
    """
    ax = plt.figure().add_subplot() if ax is None else ax
    for row, values in enumerate(gaps.values()):
        all_of_them = over_seeds(values)
        error = all_of_them.standard_error
        ax.plot(values, [row + 0.25] * len(values), "|", color=GRAY, markersize=8)
        ax.errorbar(all_of_them.mean, row, xerr=error, fmt="o", color=BLUE, capsize=3)
        ax.annotate(
            f"{all_of_them.mean:+.3f}".replace("-", "−"),
            (all_of_them.mean, row),
            xytext=(0, 6),
            textcoords="offset points",
            ha="center",
            fontsize="small",
        )
    ax.axvline(0, color=GRAY, linestyle="--", linewidth=1)
    ax.set_yticks(range(len(gaps)), list(gaps))
    ax.invert_yaxis()
    ax.margins(x=0.12, y=0.1)
    ax.set_xlabel("loss above that of the reference (nats per character)")
    return ax
