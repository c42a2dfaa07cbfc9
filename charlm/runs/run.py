"""Runs: a model, what it learned from, and a directory that keeps both together."""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from charlm.counts import NGram
from charlm.data import load_words, split_words
from charlm.evaluate import Evaluation, evaluate
from charlm.gated import GatedWaveNet
from charlm.honesty import Report, report
from charlm.models import MODELS
from charlm.runs import store as checkpoint
from charlm.runs.config import Config, Data, Options, Recipe, options_for, recipe_for
from charlm.runs.store import RunError
from charlm.sample import sample_words
from charlm.vocab import InputError, Vocabulary

#: All networks that a run may hold, by name.
NETWORKS: dict[str, Callable[..., Any]] = {**MODELS, "gated": GatedWaveNet}
CPU = torch.device("cpu")
#: What `Run.words` takes.
SPLITS = ("train", "dev", "test", "all")
MIN_WORDS = 10
MAX_PARAMETERS = 2**28
NOVEL_ROUNDS = 50


@dataclass
class Run:
    """A model with its configuration; it takes contexts and gives logits on the CPU.

    model is None in a new run; kept_words spares reading the file a second time.
    """

    directory: Path
    config: Config
    model: Any
    device: torch.device = CPU
    kept_words: list[str] | None = None

    @property
    def vocab(self) -> Vocabulary:
        """The characters that the model knows."""
        return self.config.vocab

    @property
    def block_size(self) -> int:
        """The length of a context."""
        return self.model.block_size

    def __call__(self, idx: Tensor) -> Tensor:
        """Return the logits of contexts: (B, T) -> (B, V)."""
        return self.model(idx.to(self.device)).cpu()

    def each_once(self, idx: Tensor) -> Tensor:
        """Return the logits in eval mode, faster where it can: (B, T) -> (B, V)."""
        logits_of = getattr(self.model, "each_once", self.model)
        return logits_of(idx.to(self.device)).cpu()

    def modules(self) -> Sequence[nn.Module]:
        """The parts of the model that have modes; none where it only counts."""
        return list(self.model.modules()) if isinstance(self.model, nn.Module) else []

    def eval(self) -> None:
        """Put the model into eval mode, if it has modes."""
        for module in self.modules():
            module.training = False

    def words(self, split: str = "all") -> list[str]:
        """Return the words of "train", "dev" or "test", or "all" of the run's file.

        Raises RunError where the file is gone, or is another than at the start.
        """
        words = self.kept_words or read(self.config.data)
        return part(words, split, self.config.data.split_seed)

    def evaluate(self, words: Sequence[str]) -> Evaluation:
        """Return the loss on some words. Raises InputError at an unknown character."""
        if not words:
            raise InputError("there are no words to evaluate on")
        return evaluate(self, words, self.vocab)

    def report(self, words: Sequence[str]) -> Report:
        """Return the loss with all that belongs to it, as `charlm.honesty.report`.

        Raises InputError at an unknown character, RunError where the file is gone.
        """
        if not words:
            raise InputError("there are no words to evaluate on")
        return report(self, words, self.words("train"), self.vocab)

    def sample(
        self,
        n: int = 20,
        *,
        prefix: str = "",
        temperature: float = 1.0,
        top_k: int | None = None,
        seed: int | None = None,
        novel: bool = False,
    ) -> list[str]:
        """Return n words drawn from the model.

        Parameters
        ----------
        n
            How many words, none if 0.
        prefix
            How each word starts.
        temperature, top_k
            As in `charlm.sample.next_probs`.
        seed
            The same seed gives the same words; without one they differ each time.
        novel
            Only words that the run's file lacks, each once. There may be fewer than n
            when the model finds no more.

        Raises
        ------
        InputError
            Where one of these cannot be used.
        RunError
            Where novel words are asked for and the file is gone.
        """
        generator = torch.Generator()
        if seed is not None and not -(2**63) <= seed < 2**64:
            raise InputError(f"the seed must be a number of 64 bits, got {seed}")
        if seed is None:
            generator.seed()
        else:
            generator.manual_seed(seed)

        def draw(n: int) -> list[str]:
            return sample_words(
                self,
                self.vocab,
                n,
                generator=generator,
                prefix=prefix,
                temperature=temperature,
                top_k=top_k,
            )

        if not novel:
            return draw(n)
        known = {"", *self.words()}
        found: dict[str, None] = {}
        for _ in range(NOVEL_ROUNDS):
            if len(found) >= n:
                break
            found |= dict.fromkeys(w for w in draw(max(n, 100)) if w not in known)
        return list(found)[:n]


def read(data: Data) -> list[str]:
    """Return the words of a run's file. Raises RunError if it is gone or changed."""
    name = data.path or "the bundled names.txt"
    if data.path is not None and not os.path.isfile(data.path):
        raise RunError(f"{name}, which the run learned from, is not there any more")
    if data.path is not None and os.path.getsize(data.path) != data.bytes:
        raise RunError(f"{name} is not the file any more that the run learned from")
    words, found = load(data.path, data.split_seed)
    if found != data:
        raise RunError(f"{name} is not the file any more that the run learned from")
    return words


def load(path: str | os.PathLike[str] | None, seed: int = 42) -> tuple[list[str], Data]:
    """Return the words of a file, and what to recognise it by. Raises InputError."""
    words = load_words(path)
    if len(words) < MIN_WORDS:
        raise InputError(
            f"{path} has {len(words)} word{'s'[: len(words) != 1]}: "
            f"it takes {MIN_WORDS} to split them into train, dev and test"
        )
    file = Path(path) if path is not None else files("charlm").joinpath("names.txt")
    raw = file.read_bytes()
    if not raw:
        raise InputError(f"{path} can be read only once: write it to a file first")
    return words, Data.of(
        {
            "path": None if path is None else os.path.abspath(path),
            "bytes": len(raw),
            "sha256": hashlib.sha256(raw).hexdigest(),
            "words": len(words),
            "split_seed": seed,
        }
    )


def part(words: list[str], split: str, seed: int) -> list[str]:
    """Return one split of the words, or all. Raises InputError for another name."""
    if split not in SPLITS:
        raise InputError(f"there is no split {split!r}, only {', '.join(SPLITS)}")
    if split == "all":
        return words
    return split_words(words, seed)[SPLITS.index(split)]


def build(config: Config, generator: torch.Generator | None = None) -> Any:
    """Return the model of a configuration, not yet trained.

    Without a generator a network has shapes but no values, on the device "meta".
    Raises InputError where it would be too large or its sizes do not fit.
    """
    if config.model == "ngram":
        return NGram(config.vocab, **config.model_options)
    arguments = (len(config.chars) + 1,)
    network = NETWORKS[config.model]
    try:
        with torch.device("meta"):
            sketch = network(*arguments, **config.model_options)
    except ValueError as error:
        raise InputError(str(error)) from None
    size = sum(p.numel() for p in sketch.parameters())
    if size > MAX_PARAMETERS:
        raise InputError(
            f"this {config.model} would have {size:,} parameters, "
            f"more than the {MAX_PARAMETERS:,} that are allowed"
        )
    if generator is None:
        return sketch
    return network(*arguments, **config.model_options, generator=generator)


def new(
    directory: str | os.PathLike[str],
    file: str | os.PathLike[str] | None = None,
    *,
    model: str = "wavenet",
    split_seed: int = 42,
    **settings: Any,
) -> Run:
    """Return a run that is still to be trained; nothing is written yet.

    Parameters
    ----------
    directory
        Where it will be kept.
    file
        One word a line; without it, the bundled names.
    model
        A key of `charlm.runs.config.OPTIONS`.
    split_seed
        Shuffles the words before the split into train, dev and test.
    **settings
        The options of `charlm train` with underscores, such as n_hidden=64: fields of
        `charlm.runs.config.Options` and `charlm.runs.config.Recipe`.

    Raises
    ------
    InputError
        Where the file, the settings, or both together cannot be used.
    """
    options = {k: v for k, v in settings.items() if k in Options.model_fields}
    asked = {k: v for k, v in settings.items() if k not in options}
    if unknown := asked.keys() - Recipe.model_fields:
        raise InputError(f"there is no setting {min(unknown)!r}")
    chosen, recipe = options_for(model, options), recipe_for(model, asked)
    words, data = load(file, split_seed)
    config = Config.of(
        {
            "model": model,
            "options": chosen,
            "chars": Vocabulary.from_words(words).chars,
            "data": data,
            "recipe": recipe,
        }
    )
    build(config)
    return Run(Path(directory), config, None, kept_words=words)


def open_run(directory: str | os.PathLike[str], device: str = "cpu") -> Run:
    """Return a trained run with its best parameters. Raises RunError, InputError."""
    directory = Path(directory)
    config = checkpoint.read_config(directory)
    model = build(config)
    path = directory / checkpoint.MODEL
    if not os.path.exists(path):
        counts = config.recipe is None
        way = (
            "train anew" if counts else f"go on with charlm train --resume {directory}"
        )
        raise RunError(f"{directory} has no {checkpoint.MODEL} yet: {way}")
    if isinstance(model, NGram):
        tensors, _ = checkpoint.read_tensors(path, config)
        try:
            model.load_state_dict(tensors)
        except ValueError as error:
            raise RunError(f"{path}: {error}") from None
        return Run(directory, config, model)
    tensors, _ = checkpoint.read_tensors(path, config, model.state_dict())
    model.load_state_dict(tensors, assign=True)
    place = device_named(device)
    return Run(directory, config, model.to(place), place)


def device_named(name: str) -> torch.device:
    """Return "cpu", "cuda", "mps", or for "auto" a GPU where there is one.

    Raises InputError where the machine has no such device.
    """
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        name = next(device for device, found in there.items() if found)
    if name not in there:
        raise InputError(f"there is no device {name!r}, only auto, {', '.join(there)}")
    if not there[name]:
        raise InputError(f"PyTorch finds no {name} device here: use --device cpu")
    if name == "cuda" and "LOCAL_RANK" in os.environ:
        return torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    return torch.device(name)


def n_parameters(run: Run) -> int:
    """Return how many numbers the model has learned."""
    if isinstance(run.model, NGram):
        return len(run.model.key_counts)
    return sum(p.numel() for p in run.model.parameters())
