"""Training that can be stopped at any instant, and goes on as if it had not been.

The state after an evaluation says all about what follows: parameters, the optimiser's
moments, the generator that draws the batches. It is written last, so a run that is
killed in between repeats some steps, and repeats them bitwise.
"""

import math
import os
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from torch import Tensor

from charlm.data import Windows, split_words
from charlm.evaluate import evaluate
from charlm.runs import store as checkpoint
from charlm.runs.distributed import check_batch, join
from charlm.runs.run import CPU, Run, build, device_named, new, open_run
from charlm.runs.store import Progress, Row, RunError
from charlm.train import NonFiniteLossError, Step, adamw, cosine, training_steps
from charlm.vocab import InputError

DEV_WORDS = 10_000


class Training:
    """A run being trained: iterate over it, and each step is made when asked for.

    Each item is a `Step`, with a `Row` after the steps that are followed by an
    evaluation. Between two items `save` may be called. The directory then holds the
    parameters with the lowest dev loss so far, all losses, and the state. `progress`
    says how far it is, a `Progress`. Raises RunError for a run that only counts.
    """

    def __init__(self, run: Run, device: str = "cpu") -> None:
        if run.config.recipe is None:
            raise RunError("an n-gram is counted in one go: use count or train")
        self.run, self.recipe = run, run.config.recipe
        self.device = device_named(device)
        self.group = join(self.device)
        check_batch(self.recipe.batch_size, self.group)
        self.generator = torch.Generator().manual_seed(self.recipe.seed)
        self.model = build(run.config, self.generator).to(self.device)
        self.optimizer = adamw(
            self.model, self.recipe.learning_rate, self.recipe.weight_decay
        )
        self.progress = Progress()

    @property
    def finished(self) -> bool:
        """Whether all steps have been made."""
        return self.progress.step >= self.recipe.steps

    def __iter__(self) -> Iterator[tuple[Step, Row | None]]:
        """Make the steps that are left. Raises RunError, NonFiniteLossError."""
        if self.group.rank > 0:
            yield from self._steps()
            return
        with checkpoint.locked(self.run.directory):
            yield from self._steps()

    def _steps(self) -> Iterator[tuple[Step, Row | None]]:
        recipe, run = self.recipe, self.run
        train, dev, _ = split_words(run.words(), run.config.data.split_seed)
        run.kept_words, dev = None, dev[:DEV_WORDS]
        examples = Windows(train, run.vocab, self.model.block_size).to(self.device)
        del train
        placed = Run(run.directory, run.config, self.model, self.device)
        schedule = cosine(recipe.learning_rate, recipe.steps, recipe.warmup)
        model = self.group.wrap(self.model)
        before = perf_counter() - self.progress.seconds
        for step in training_steps(
            model, self.optimizer, self._batches(examples), schedule, self.progress.step
        ):
            p = self.progress = self.progress.model_copy(
                update={
                    "step": step.index + 1,
                    "seconds": perf_counter() - before,
                    "loss_sum": self.progress.loss_sum + self.group.mean(step.loss),
                    "loss_count": self.progress.loss_count + 1,
                }
            )
            row = None
            if p.step % recipe.eval_every == 0 or self.finished:
                score = evaluate(placed, dev, run.vocab).loss
                row = Row(
                    step=p.step,
                    train_loss=p.loss_sum / p.loss_count,
                    dev_loss=score,
                    learning_rate=step.lr,
                    seconds=p.seconds,
                )
                self._keep(row)
            yield step, row

    def _batches(self, examples: Windows) -> Iterator[tuple[Tensor, Tensor]]:
        """Draw the rest of the batches with replacement: each process its share."""
        size = (self.recipe.batch_size,)
        while not self.finished:
            at = torch.randint(len(examples), size, generator=self.generator)
            yield examples[self.group.share(at)]

    def _keep(self, row: Row) -> None:
        if not math.isfinite(row.dev_loss):
            raise NonFiniteLossError(
                f"the dev loss is {row.dev_loss} after step {row.step}: "
                f"try a lower learning rate than {self.recipe.learning_rate:.3g}"
            )
        best = self.progress.best
        self.progress = self.progress.model_copy(
            update={
                "loss_sum": 0.0,
                "loss_count": 0,
                "rows": (*self.progress.rows, row),
            }
        )
        if self.group.rank == 0 and (best is None or row.dev_loss < best.dev_loss):
            self._write(checkpoint.MODEL, self.model.state_dict())
        if self.group.rank == 0:
            checkpoint.write_metrics(self.run.directory, self.progress.rows)
        self.save()
        self.group.wait()

    def save(self) -> None:
        """Write the state after the last step."""
        if self.group.rank == 0:
            self._write(checkpoint.STATE, self._state())

    def _write(self, name: str, tensors: dict[str, Tensor]) -> None:
        path = self.run.directory / name
        checkpoint.write_tensors(path, self.run.config, tensors, self.progress)

    def _state(self) -> dict[str, Tensor]:
        return {
            **{f"model.{name}": t for name, t in self.model.state_dict().items()},
            **{
                f"optimizer.{i}.{name}": t
                for i, state in self._moments().items()
                for name, t in state.items()
            },
            "generator": self.generator.get_state(),
        }

    def _moments(self) -> dict[int, dict[str, Tensor]]:
        """Return AdamW's state of each parameter, zeros where it had no gradient."""
        parameters = [p for g in self.optimizer.param_groups for p in g["params"]]
        return {
            i: self.optimizer.state.get(p)
            or {
                "step": torch.tensor(0.0),
                "exp_avg": torch.zeros_like(p),
                "exp_avg_sq": torch.zeros_like(p),
            }
            for i, p in enumerate(parameters)
        }

    def restore(self) -> None:
        """Go back to the state that was saved last, or to the start without one.

        Raises RunError where it is damaged, belongs to another run, or where the best
        parameters are not kept beside it.
        """
        path = self.run.directory / checkpoint.STATE
        if not os.path.lexists(path):
            return
        tensors, progress = checkpoint.read_tensors(
            path, self.run.config, self._state()
        )
        if progress.step > self.recipe.steps:
            raise RunError(f"{path} is damaged: it has made more steps than there are")
        moments = self._moments()
        for i, state in moments.items():
            for name in state:
                state[name] = tensors[f"optimizer.{i}.{name}"]
            if not state["step"] >= 0:
                raise RunError(f"{path} is damaged: a negative number of steps")
        self._check_best(progress)
        groups = self.optimizer.state_dict()["param_groups"]
        try:
            self.generator.set_state(tensors["generator"])
        except RuntimeError:
            raise RunError(f"{path} is damaged: no generator's state") from None
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})
        self.model.load_state_dict(
            {n: tensors[f"model.{n}"] for n in self.model.state_dict()}
        )
        self.progress = progress

    def _check_best(self, progress: Progress) -> None:
        if progress.best is None:
            return
        path = self.run.directory / checkpoint.MODEL
        model = self.model.state_dict()
        _, kept = checkpoint.read_tensors(path, self.run.config, model)
        if kept.step < progress.best.step:
            raise RunError(f"{path} is older than {checkpoint.STATE}, which needs it")


def begin(run: Run, device: str = "cpu") -> Training:
    """Make the directory of a new run, and return its training. Raises RunError."""
    training = Training(run, device)
    if training.group.rank == 0:
        checkpoint.create(run.directory, run.config)
    training.group.wait()
    return training


def resume(directory: str | os.PathLike[str], device: str = "cpu") -> Training:
    """Return the training of a run from its last state on. Raises RunError."""
    directory = Path(directory)
    config = checkpoint.read_config(directory)
    if config.recipe is None:
        raise RunError(
            f"{directory} is a table of counts, made in one go: "
            "if it is not whole, remove it and train anew"
        )
    training = Training(Run(directory, config, None), device)
    training.restore()
    return training


def count(run: Run) -> Row:
    """Count the n-grams of a new run, keep them in its directory; return its losses.

    Raises RunError where the directory holds a run already or cannot be written,
    InputError where several processes were started.
    """
    if join(CPU).size > 1:
        raise InputError("n-grams are counted by one process: leave out torchrun")
    start = perf_counter()
    checkpoint.create(run.directory, run.config)
    train, dev, _ = split_words(run.words(), run.config.data.split_seed)
    run.kept_words = None
    model = build(run.config).fit(train)
    row = Row(
        step=0,
        train_loss=evaluate(model, train[:DEV_WORDS], run.vocab).loss,
        dev_loss=evaluate(model, dev[:DEV_WORDS], run.vocab).loss,
        learning_rate=0.0,
        seconds=perf_counter() - start,
    )
    progress = Progress(rows=(row,))
    path = run.directory / checkpoint.MODEL
    checkpoint.write_tensors(path, run.config, model.state_dict(), progress)
    checkpoint.write_metrics(run.directory, progress.rows)
    return row


def train(
    file: str | os.PathLike[str] | None = None,
    *,
    out: str | os.PathLike[str],
    model: str = "wavenet",
    device: str = "cpu",
    **settings: Any,
) -> Run:
    """Train a model on a file of words, and return the run with its best parameters.

    Parameters
    ----------
    file
        One word a line; without it, the bundled names.
    out
        The directory to keep it in; it must not hold a run yet.
    model
        "ngram", "bigram", "mlp", "wavenet", "conv", "shared" or "gated".
    device
        "cpu", "cuda", "mps" or "auto".
    **settings
        The options of `charlm train` with underscores, such as n_hidden=64: fields of
        `charlm.runs.config.Options` and `charlm.runs.config.Recipe`,
        and split_seed as in `charlm.runs.run.new`.

    Raises
    ------
    InputError
        Where anything given cannot be used.
    NonFiniteLossError
        Where the training breaks down.
    """
    run = new(out, file, model=model, **settings)
    if run.config.recipe is None:
        count(run)
    else:
        for _ in begin(run, device):
            pass
    return open_run(out, device)
