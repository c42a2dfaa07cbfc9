"""Runs side by side, and one run layer by layer, as numbers."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from charlm.evaluate import Evaluation, paired
from charlm.runs.run import Run, n_parameters, open_run
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


def compared(
    directories: Sequence[str | os.PathLike[str]],
    split: str = "dev",
    device: str = "cpu",
) -> list[Compared]:
    """Return the runs, best first.

    Raises InputError where there are none, or where their words differ.
    """
    if not directories:
        raise InputError("there are no runs to compare")
    runs = [open_run(directory, device) for directory in directories]
    first = runs[0].config.data
    for run in runs[1:]:
        data = run.config.data
        if (data.sha256, data.split_seed) != (first.sha256, first.split_seed):
            raise InputError(
                f"{run.directory} learned from another file, or another split of it, "
                f"than {runs[0].directory}"
            )
    words = runs[0].words(split)
    scores = [run.evaluate(words) for run in runs]
    order = sorted(range(len(runs)), key=lambda i: scores[i].loss)
    best, finite = runs[order[0]], math.isfinite(scores[order[0]].loss)

    def difference(run: Run) -> Evaluation | None:
        if run is best or not finite:
            return None
        return paired(run, best, words, best.vocab)

    return [
        Compared(
            str(runs[i].directory),
            n_parameters(runs[i]),
            scores[i],
            difference(runs[i]),
        )
        for i in order
    ]


def layers(run: Run) -> list[tuple[str, str, tuple[int, ...], int]]:
    """Return each layer's name, kind, output shape for one context, parameter count.

    A table of counts has no layers.
    """
    if not isinstance(run.model, nn.Module):
        return []
    found: list[tuple[str, str, tuple[int, ...], int]] = []

    def size_of(module: nn.Module) -> int:
        return sum(p.numel() for p in module.parameters())

    def note(name: str, kind: str, size: int) -> Any:
        def hook(module: nn.Module, args: Any, output: Any) -> None:
            if isinstance(output, torch.Tensor):
                found.append((name, kind, tuple(output.shape), size))

        return hook

    handles = [
        module.register_forward_hook(
            note(
                name, type(module).__name__, sum(p.numel() for p in module.parameters())
            )
        )
        for name, module in run.model.named_modules()
        if not list(module.children())
    ]
    run.eval()
    with torch.no_grad():
        run(torch.zeros(1, run.block_size, dtype=torch.int64))
    for handle in handles:
        handle.remove()
    return found
