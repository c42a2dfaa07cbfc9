"""Training that can be stopped at any instant, and goes on as if it had not been.

The state after an evaluation says all about what follows: parameters, the optimizer's
moments, the generator that draws the batches. It is written last, so a run that is
killed in between repeats some steps, and repeats them bitwise.
"""

import math
import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from torch import Tensor

from charlm.evaluate import evaluate
from charlm.runs.distributed import check_batch, join
from charlm.runs.models import DEFAULT
from charlm.runs.run import CPU, Run, build, device_named, new
from charlm.runs.source import Words
from charlm.runs.store import MODEL, STATE, Metrics, RunError, Store, TrainState
from charlm.runs.windows import WholeWords, Windows
from charlm.train import NonFiniteLossError, Step, adamw, cosine, training_steps
from charlm.vocab import InputError

DEV_WORDS = 10_000


class Trainer:
    """A run being trained: iterate over it, and each step is made when asked for.

    Each item is a `Step`, with `Metrics` after the steps that are followed by an
    evaluation. Between two items `save` may be called. The directory then holds the
    parameters with the lowest dev loss so far, all losses, and the state. `state` says
    how far it is, a `TrainState`.

    Raises RunError for a run that only counts.

    Parameters
    ----------
    run : its directory has to be there when the first step is asked for
    device : "cpu", "cuda", "mps" or "auto"
    """

    def __init__(self, run: Run, device: str = "cpu") -> None:
        if run.config.recipe is None:
            raise RunError("an n-gram is counted in one go: use count or train")
        self.run, self.store, self.recipe = run, run.store, run.config.recipe
        run.device = device_named(device)
        self.group = join(run.device)
        check_batch(self.recipe.batch_size, self.group)
        self.generator = torch.Generator().manual_seed(self.recipe.seed)
        run.model = self.model = build(run.config, self.generator).to(run.device)
        self.optimizer = adamw(
            self.model, self.recipe.learning_rate, self.recipe.weight_decay
        )
        self.state = TrainState()

    @property
    def finished(self) -> bool:
        """Whether all steps have been made."""
        return self.state.step >= self.recipe.steps

    def __iter__(self) -> Iterator[tuple[Step, Metrics | None]]:
        """Make the steps that are left. Raises RunError, NonFiniteLossError."""
        if self.group.rank > 0:
            yield from self._steps()
            return
        with self.store.locked():
            yield from self._steps()

    def _steps(self) -> Iterator[tuple[Step, Metrics | None]]:
        run, recipe = self.run, self.recipe
        kind = WholeWords if hasattr(self.model, "whole_words") else Windows
        words = run.words("train")
        run.let_go("train", "all")  # many words take much room
        examples = kind(words, run.vocab, run.block_size)
        del words
        batches = self._batches(examples.to(run.device))
        schedule = cosine(recipe.learning_rate, recipe.steps, recipe.warmup)
        model = self.group.wrap(self.model)
        before = perf_counter() - self.state.seconds
        with torch.random.fork_rng([run.device] if run.device.type == "cuda" else []):
            for step in training_steps(
                model, self.optimizer, batches, schedule, self.state.step
            ):
                self._note(step, perf_counter() - before)
                is_due = self.state.step % recipe.eval_every == 0 or self.finished
                yield step, self._evaluate(step) if is_due else None

    def _batches(self, examples: Windows) -> Iterator[tuple[Tensor, Tensor]]:
        """Draw the rest of the batches with replacement: each process its share."""
        if isinstance(examples, WholeWords):
            yield from self._batches_of_words(examples)
        size = (self.recipe.batch_size,)
        while not self.finished:
            at = torch.randint(len(examples), size, generator=self.generator)
            yield examples[self.group.share(at)]

    def _batches_of_words(
        self, examples: WholeWords
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Cut the rest of the batches out of passes, which have each word once."""
        size, seed = self.recipe.batch_size, self.recipe.seed
        while not self.finished:
            at = examples.passes(seed, self.state.step * size, size)
            x, y = examples[self.group.share(at)]
            # A process whose words are longer has a larger share of the mean.
            weight = len(y) * self.group.size / examples.n_examples(at)
            self._seed_dropout()
            yield x, y * weight

    def _seed_dropout(self) -> None:
        """Let dropout, too, depend on nothing but the generator that is kept."""
        seed = torch.randint(2**62, (), generator=self.generator)
        torch.manual_seed(int(seed) + self.group.rank)

    def _note(self, step: Step, seconds: float) -> None:
        self.state = self.state.model_copy(
            update={
                "step": step.index + 1,
                "seconds": seconds,
                "loss_sum": self.state.loss_sum + self.group.mean(step.loss),
                "loss_count": self.state.loss_count + 1,
            }
        )

    def _evaluate(self, step: Step) -> Metrics:
        """Measure the model on dev words, and keep it where it is the best so far."""
        state, best = self.state, self.state.best
        words = self.run.words("dev")[:DEV_WORDS]
        row = Metrics(
            step=state.step,
            train_loss=state.loss_sum / state.loss_count,
            dev_loss=evaluate(self.run, words, self.run.vocab).loss,
            learning_rate=step.lr,
            seconds=state.seconds,
        )
        if not math.isfinite(row.dev_loss):
            raise NonFiniteLossError(
                f"the dev loss is {row.dev_loss} after step {row.step}: "
                f"try a lower learning rate than {self.recipe.learning_rate:.3g}"
            )
        rows = (*state.rows, row)
        self.state = state.model_copy(
            update={"loss_sum": 0.0, "loss_count": 0, "rows": rows}
        )
        if self.group.rank == 0:
            if best is None or row.dev_loss < best.dev_loss:
                self.store.write_tensors(MODEL, self.model.state_dict(), self.state)
            self.store.write_metrics(self.state)
        self.save()
        self.group.wait()
        return row

    def save(self) -> None:
        """Write the state after the last step."""
        if self.group.rank == 0:
            self.store.write_tensors(STATE, self._tensors(), self.state)

    def _tensors(self) -> dict[str, Tensor]:
        return {
            **{f"model.{name}": t for name, t in self.model.state_dict().items()},
            **{
                f"optimizer.{i}.{name}": t
                for i, moments in self._moments().items()
                for name, t in moments.items()
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

        Raises RunError where it is damaged, belongs to another run, or is missing after
        more than one evaluation, or where the best parameters are not kept beside it.
        """
        path = self.store.directory / STATE
        if not self.store.has(STATE):
            if self.store.has(MODEL):
                _, kept = self.store.read_tensors(MODEL, self.model.state_dict())
                # After the first evaluation there has been a state, and work to lose.
                if max(len(kept.rows), self.store.n_evaluations()) > 1:
                    raise RunError(
                        f"{path} is missing, so this training cannot go on: "
                        f"train anew, or remove {MODEL} to begin again here"
                    )
            return
        tensors, state = self.store.read_tensors(STATE, self._tensors())
        if state.step > self.recipe.steps:
            raise RunError(f"{path} is damaged: it has made more steps than there are")
        moments = self._moments()
        for i, of_parameter in moments.items():
            for name in of_parameter:
                of_parameter[name] = tensors[f"optimizer.{i}.{name}"]
            if not of_parameter["step"] >= 0:
                raise RunError(f"{path} is damaged: a negative number of steps")
        self._check_best(state)
        groups = self.optimizer.state_dict()["param_groups"]
        try:
            self.generator.set_state(tensors["generator"])
        except RuntimeError:
            raise RunError(f"{path} is damaged: no generator's state") from None
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})
        self.model.load_state_dict(
            {n: tensors[f"model.{n}"] for n in self.model.state_dict()}
        )
        self.state = state

    def _check_best(self, state: TrainState) -> None:
        if state.best is None:
            return
        if not self.store.has(MODEL):
            raise RunError(
                f"{self.store.directory / MODEL} is missing, the best parameters: "
                f"train anew, or remove {STATE} to begin again here"
            )
        _, kept = self.store.read_tensors(MODEL, self.model.state_dict())
        if kept.step < state.best.step:
            path = self.store.directory / MODEL
            raise RunError(f"{path} is older than {STATE}, which needs it")


def begin(run: Run, device: str = "cpu") -> Trainer:
    """Make the directory of a new run, and return its trainer. Raises RunError."""
    trainer = Trainer(run, device)
    if trainer.group.rank == 0:
        run.store.create()
    trainer.group.wait()
    return trainer


def resume(
    directory: str | os.PathLike[str],
    device: str = "cpu",
    words: str | os.PathLike[str] | None = None,
) -> Trainer:
    """Return the trainer of a run from its last state on. Raises RunError.

    Parameters
    ----------
    directory : of the run
    device : "cpu", "cuda", "mps" or "auto"
    words : the file that it learns from, where that is not beside the run any more
    """
    store = Store.open(Path(directory))
    if store.config.recipe is None:
        raise RunError(
            f"{directory} is a table of counts, made in one go: "
            "if it is not whole, remove it and train anew"
        )
    trainer = Trainer(Run(store, file=words), device)
    trainer.restore()
    return trainer


def count(run: Run) -> Metrics:
    """Count the n-grams of a new run, keep them in its directory; return its losses.

    Raises RunError where the directory holds a run already or cannot be written,
    InputError where several processes were started.
    """
    if join(CPU).size > 1:
        raise InputError("n-grams are counted by one process: leave out torchrun")
    start = perf_counter()
    run.store.create()
    words = run.words("train")
    run.let_go("all")
    run.model = build(run.config).fit(words)
    losses = {
        f"{split}_loss": run.evaluate(run.words(split)[:DEV_WORDS]).loss
        for split in ("train", "dev")
    }
    run.let_go("train")
    row = Metrics(step=0, learning_rate=0.0, seconds=perf_counter() - start, **losses)
    state = TrainState(rows=(row,))
    run.store.write_tensors(MODEL, run.model.state_dict(), state)
    run.store.write_metrics(state)
    return row


def train(
    words: Words = None,
    *,
    out: str | os.PathLike[str] | None = None,
    model: str = DEFAULT,
    device: str = "cpu",
    progress: bool = False,
    **settings: Any,
) -> Run:
    """Train a model on words, and return the run with its best parameters.

    Raises InputError where anything given cannot be used, NonFiniteLossError where the
    training breaks down.

    Parameters
    ----------
    words : the path of a file, one word per line; or a list of words, or a column of a
        table, which the run then keeps; without them, the bundled names
    out : the directory to keep it in, which must not hold a run yet; "runs/MODEL"
    model : a key of `charlm.runs.models.MODELS`
    device : "cpu", "cuda", "mps" or "auto"
    progress : whether to show on stderr how far it is
    **settings : the options of `charlm train` with underscores, such as n_hidden=64,
        and split_seed: as in `charlm.runs.run.new`
    """
    run = new(out or Path("runs", model), words, model=model, **settings)
    if run.config.recipe is None:
        count(run)
    else:
        job = begin(run, device)
        with _shown(job) if progress else nullcontext() as show:
            for step, row in job:
                if show:
                    show(step, row)
    return run.load(device)


def _shown(job: Trainer) -> Any:
    """Return what shows the steps of a training on stderr."""
    from rich.console import Console

    from charlm.runs.progress import show_progress  # which needs this module

    return show_progress(job, Console(stderr=True, force_jupyter=False))
