"""The losses of a run as a picture."""

import io
from collections.abc import Sequence
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from charlm.runs.store import Metrics

STYLE: dict[Any, Any] = {
    "figure.constrained_layout.use": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.4,
    "legend.frameon": False,
}


def draw_losses(rows: Sequence[Metrics]) -> bytes:
    """Return a PNG of the train and dev losses over the steps."""
    with rc_context(STYLE):
        figure = Figure(figsize=(4.8, 3.2), dpi=150)
        axes = figure.subplots()
        steps = [row.step for row in rows]
        axes.plot(steps, [row.train_loss for row in rows], label="train")
        axes.plot(steps, [row.dev_loss for row in rows], label="dev")
        axes.set(xlabel="step", ylabel="loss (nats per character)")
        axes.legend()
        picture = io.BytesIO()
        figure.savefig(picture)
    return picture.getvalue()
