"""Figures of what goes along a word: padded batches, hidden states, gradients."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from numpy.typing import ArrayLike

from charlm.book.plots import BLUE, GRAY, GREEN, INK, ORANGE, name_curves

COLORS = [BLUE, ORANGE, GREEN, INK]

# From -1 over 0, the paper, to 1.
SIGNED = LinearSegmentedColormap.from_list(
    "signed", ["#8f3d0c", "#e3935f", "#fbfaf7", "#7da6cf", "#123a63"]
)


def _axes(ax: Axes | None, width: float, height: float) -> Axes:
    return plt.figure(figsize=(width, height)).add_subplot() if ax is None else ax


def padded_batch(
    rows: Sequence[Sequence[str]],
    inside: ArrayLike,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Draw a batch of words as a grid of characters, (B, T), its padding gray.

    Parameters
    ----------
    rows : what to print in each cell, B rows of T texts
    inside : whether a cell belongs to a word, (B, T); the others are padding
    ax : where to draw; None for a new figure
    """
    mask = np.asarray(inside, bool)
    B, T = mask.shape
    ax = _axes(ax, 4.8, 0.34 * B + 0.5)
    for i, j in np.ndindex(B, T):
        color = INK if mask[i, j] else GRAY
        ax.text(j, i, rows[i][j], ha="center", va="center", color=color)
    ax.imshow(np.where(mask, 0.25, 0.0), vmin=0, vmax=1, aspect="auto")
    ax.set_xticks(range(T), [str(t) for t in range(T)])
    ax.set_yticks([])
    ax.set_xlabel("time step")
    ax.grid(False)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    return ax


def state_map(
    states: ArrayLike, letters: Sequence[str], *, ax: Axes | None = None
) -> Axes:
    """Draw hidden states (T, H) as colors: one column per character, one row per unit.

    Parameters
    ----------
    states : numbers from -1 to 1, one row for each character read
    letters : the characters, T of them
    ax : where to draw; None for a new figure
    """
    values = np.asarray(states, float)
    ax = _axes(ax, 4.8, 3.6)
    image = ax.imshow(values.T, vmin=-1, vmax=1, cmap=SIGNED, aspect="auto")
    ax.set_xticks(range(len(letters)), list(letters))
    ax.set_yticks([])
    ax.set(xlabel="character read", ylabel="hidden units")
    ax.grid(False)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    ax.figure.colorbar(image, ax=ax, ticks=[-1, 0, 1])
    return ax


def gradient_by_lag(
    norms: Mapping[str, ArrayLike],
    *,
    before: Mapping[str, ArrayLike] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how large a gradient still is some steps back, on a scale of powers of ten.

    Parameters
    ----------
    norms : for each label the norms at lag 0, 1, 2, ...; each is divided by its first
    before : for some of the labels, norms to compare with: thin dashes of the same
        color; None for no such lines
    ax : where to draw; None for a new figure
    """
    ax = _axes(ax, 4.8, 3.2)
    for i, (label, values) in enumerate(norms.items()):
        curve, color = np.asarray(values, float), COLORS[i % len(COLORS)]
        ax.plot(curve / curve[0], ".-", color=color, label=label)
        if before and label in before:
            curve = np.asarray(before[label], float)
            ax.plot(curve / curve[0], "--", color=color, linewidth=1)
    ax.set_yscale("log")
    ax.set(xlabel="steps back", ylabel="gradient, relative to the first")
    return name_curves(ax)
