"""How far a training is: a bar on a terminal, elsewhere a line per evaluation."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from charlm.runs.store import Metrics
from charlm.runs.trainer import Trainer
from charlm.train import Step

Show = Callable[[Step, Metrics | None], None]
UPDATE_SECONDS = 0.1


@contextmanager
def show_progress(trainer: Trainer, console: Console) -> Iterator[Show]:
    """Give a function that takes each step and its evaluation, and shows them."""
    if trainer.group.rank > 0:
        yield lambda step, row: None
        return
    if not console.is_terminal:
        yield lambda step, row: _print_line(row, trainer, console)
        return
    bar = Progress(
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[loss]}"),
        console=console,
    )
    done = trainer.state.step
    task = bar.add_task(
        "", total=trainer.recipe.steps, completed=done, rate="", loss=""
    )
    start = last = monotonic()

    def show(step: Step, row: Metrics | None) -> None:
        nonlocal last
        if row:
            bar.console.print(line(row, trainer), highlight=False)
        if row or monotonic() - last > UPDATE_SECONDS:
            last = monotonic()
            rate = (step.index + 1 - done) / (last - start)
            bar.update(
                task,
                completed=step.index + 1,
                rate=f"{rate:,.0f}/s",
                loss=f"loss {step.loss:.3f}",
            )

    with bar:
        yield show


def _print_line(row: Metrics | None, trainer: Trainer, console: Console) -> None:
    if row:
        print(line(row, trainer), file=console.file, flush=True)


def line(row: Metrics, trainer: Trainer) -> str:
    """Return an evaluation as a line; a star marks the best so far."""
    star = " *" if row is trainer.state.best else ""
    return (
        f"step {row.step:>{len(f'{trainer.recipe.steps:,}')},}   "
        f"train {row.train_loss:.4f}   dev {row.dev_loss:.4f}{star}"
    )
