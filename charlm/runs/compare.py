"""Runs side by side, and one run layer by layer, as numbers."""

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import nn

from charlm.evaluate import Evaluation, eval_mode, n_parameters, paired
from charlm.runs.run import Run, open_run
from charlm.vocab import InputError


@dataclass(frozen=True)
class Compared:
    """One run: its loss, and how much that exceeds the best run's on the same words.

    difference is None for the best run, and where the best loss is infinite too.
    """

    run: str
    parameters: int
    score: Evaluation
    difference: Evaluation | None

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers for JSON; None is a number that there is not."""
        d = self.difference
        return {
            "run": self.run,
            "parameters": self.parameters,
            "loss": self.score.loss,
            "standard_error": self.score.standard_error,
            "bits_per_char": self.score.bits_per_char,
            "difference": d and d.loss,
            "difference_standard_error": d and d.standard_error,
        }

    def cells(self) -> tuple[str, ...]:
        """Return the numbers for a table."""
        return (
            self.run,
            f"{self.parameters:,}",
            str(self.score),
            f"{self.score.bits_per_char:.3f}",
            str(self.difference or ""),
        )


def compare(
    directories: Sequence[str | os.PathLike[str]],
    split: str = "dev",
    device: str = "cpu",
    words: str | os.PathLike[str] | None = None,
) -> list[Compared]:
    """Return the runs, best first.

    Raises InputError where there are none, or where their words differ.

    Parameters
    ----------
    directories : those of the runs
    split : "train", "dev", "test" or "all" of the words
    device : as in `open_run`
    words : the file that they learned from, as in `open_run`
    """
    if not directories:
        raise InputError("there are no runs to compare")
    runs = [open_run(directory, device, words=words) for directory in directories]
    first = runs[0].config.data
    for run in runs[1:]:
        data = run.config.data
        if (data.sha256, data.split_seed) != (first.sha256, first.split_seed):
            raise InputError(
                f"{run.directory} learned from another file, or another split of it, "
                f"than {runs[0].directory}"
            )
    chosen = runs[0].words(split)
    scores = [run.evaluate(chosen) for run in runs]
    order = sorted(range(len(runs)), key=lambda i: scores[i].loss)
    best, finite = runs[order[0]], math.isfinite(scores[order[0]].loss)

    def difference(run: Run) -> Evaluation | None:
        if run is best or not finite:
            return None
        return paired(run, best, chosen, best.vocab)

    return [
        Compared(
            str(runs[i].directory),
            runs[i].n_parameters,
            scores[i],
            difference(runs[i]),
        )
        for i in order
    ]


class LayerInfo(NamedTuple):
    """One layer of a network: what it gives for one context, what it has learned."""

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int


def list_layers(run: Run) -> list[LayerInfo]:
    """Return the innermost layers, in the order in which a context passes them.

    A table of counts has none. What the model was before, it is afterwards.
    """
    if not isinstance(run.model, nn.Module):
        return []
    found: list[LayerInfo] = []

    def note(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
            kind, shape = type(module).__name__, tuple(output.shape)
            found.append(LayerInfo(name, kind, shape, n_parameters(module)))

        return hook

    handles = [
        module.register_forward_hook(note(name))
        for name, module in run.model.named_modules()
        if not list(module.children())
    ]
    try:
        with eval_mode(run), torch.no_grad():
            run(torch.zeros(1, run.block_size, dtype=torch.int64))
    finally:
        for handle in handles:
            handle.remove()
    return found
