"""A run: a model, the words that it learns from, and the directory that keeps both."""

import os
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from charlm.counts import NGram
from charlm.evaluate import Evaluation, evaluate, n_parameters, word_losses
from charlm.runs.backoff import FallbackNGram
from charlm.runs.config import SPLITS, Config, configure, versions
from charlm.runs.models import DEFAULT, MODELS
from charlm.runs.packed import PackedWords, split_packed
from charlm.runs.report import Report, report
from charlm.runs.source import Words, find_words, read_source, require_enough
from charlm.runs.store import MODEL, STATE, Metrics, RunError, Store
from charlm.sample import sample_words
from charlm.vocab import InputError, Vocabulary, check_list

CPU = torch.device("cpu")
MAX_PARAMETERS = 2**28
ROUNDS = 50
# The folder of the package with a run on the names: `make first` trains it anew.
FIRST = "first"
# Unless asked, no word is cut at fewer characters, and none goes on for more.
SHORTEST_LIMIT, LONGEST_LIMIT = 100, 10_000


class Drawn(NamedTuple):
    """Words from a model, and how many of them had not ended and are cut off."""

    words: list[str]
    cut: int


class Run:
    """A model with its words and its directory; it maps contexts to logits, on the CPU.

    Parameters
    ----------
    store : the directory, and the configuration
    words : all words of the file; None reads them again when they are asked for
    file : where the words are; None looks for them around the directory
    """

    def __init__(
        self,
        store: Store,
        words: Sequence[str] | None = None,
        file: str | os.PathLike[str] | None = None,
    ) -> None:
        self.store, self.config, self.file = store, store.config, file
        self.vocab: Vocabulary = self.config.vocab
        self.model: Any = None
        self.device = CPU
        seed = self.config.data.split_seed
        self._words = {} if words is None else _split(words, seed)

    @property
    def directory(self) -> Path:
        """The folder of the run."""
        return self.store.directory

    @property
    def block_size(self) -> int:
        """The length of a context."""
        return self.model.block_size

    @property
    def limit(self) -> int:
        """Where a word that has not ended is cut off, unless asked.

        The longest word of the file is not, nor is one of a hundred characters.
        """
        return min(max(self.config.longest or 0, SHORTEST_LIMIT), LONGEST_LIMIT)

    @property
    def n_parameters(self) -> int:
        """How many numbers the model has learned."""
        return n_parameters(self.model)

    @property
    def history(self) -> tuple[Metrics, ...]:
        """The evaluations of the training so far, in their order.

        Raises RunError where the directory has none that can be read.
        """
        name = STATE if self.store.has(STATE) else MODEL  # counts have no state
        return self.store.read_state(name).rows

    def __repr__(self) -> str:
        what = (
            "not loaded" if self.model is None else f"{self.n_parameters:,} parameters"
        )
        return f"<Run {self.directory}: {self.config.model}, {what}>"

    def __call__(self, idx: Tensor) -> Tensor:
        """Return the logits of contexts: (B, T) -> (B, V)."""
        return self.model(idx.to(self.device)).cpu()

    def modules(self) -> Iterator[nn.Module]:
        """Yield the parts of the model that have modes; none where it only counts."""
        if isinstance(self.model, nn.Module):
            yield from self.model.modules()

    def eval(self) -> None:
        """Put the model into eval mode, if it has modes."""
        for module in self.modules():
            module.training = False

    def load(self, device: str = "cpu") -> "Run":
        """Take the best parameters out of the directory, and return self.

        Raises RunError where there are none that can be used, InputError where the
        machine has no such device.
        """
        model, path = build(self.config), self.directory / MODEL
        if not os.path.exists(path):
            go_on = f"go on with charlm train --resume {self.directory}"
            way = "train anew" if self.config.recipe is None else go_on
            raise RunError(f"{self.directory} has no {MODEL} yet: {way}")
        if isinstance(model, NGram):
            tensors, _ = self.store.read_tensors(MODEL)
            try:
                self.model = model.load_state_dict(tensors)
            except ValueError as error:
                raise RunError(f"{path}: {error}") from None
            return self
        tensors, _ = self.store.read_tensors(MODEL, model.state_dict())
        model.load_state_dict(tensors, assign=True)
        self.device = device_named(device)
        self.model = model.to(self.device)
        return self

    def words(
        self, split: str = "all", file: str | os.PathLike[str] | None = None
    ) -> PackedWords:
        """Return the words of a split, a sequence of str in little room.

        It is used as a list is, but cannot be changed, nor written as JSON:
        ``list(run.words())`` can.
        Raises InputError where there is no such split or file, RunError where the run's
        own file is gone or changed.

        Parameters
        ----------
        split : "train", "dev", "test", or "all" of the words
        file : other words, dealt out in the same way; None for the run's own
        """
        if split not in SPLITS:
            raise InputError(f"there is no split {split!r}, only {', '.join(SPLITS)}")
        seed = self.config.data.split_seed
        if file is not None:
            return _split(read_source(file).words, seed)[split]
        if split not in self._words:
            words = find_words(self.config.data, self.directory, self.file)
            self._words = _split(words, seed)
        return self._words[split]

    def let_go(self, *splits: str) -> None:
        """Forget the words of some splits; asked for, they are read again."""
        for split in splits:
            self._words.pop(split, None)

    def evaluate(self, words: Iterable[str]) -> Evaluation:
        """Return the loss on some words. Raises InputError at an unknown character."""
        words = _list(words)
        return evaluate(self, words, self.vocab)

    def score(self, word: str) -> float:
        """Return log p(word) in nats, its end included: likelier words are nearer to 0.

        Raises InputError at an unknown character, and where it is no string.
        """
        if not isinstance(word, str):
            raise InputError(f"score takes one word: got a {type(word).__name__}")
        return -float(word_losses(self, [word], self.vocab).sum())

    def report(self, words: Iterable[str]) -> Report:
        """Return the loss with all that belongs to it, as `charlm.runs.report.report`.

        Raises InputError at an unknown character, RunError where the file is gone.
        """
        words = _list(words)
        train, limit = self.words("train"), self.limit + 1
        return report(self, words, train, self.vocab, max_length=limit)

    def sample(
        self,
        n: int = 20,
        *,
        prefix: str = "",
        temperature: float = 1.0,
        top_k: int | None = None,
        seed: int | None = None,
        novel: bool = False,
        min_length: int = 0,
        max_length: int | None = None,
    ) -> list[str]:
        """Return n words drawn from the model.

        There may be fewer where novel words or words of a length are asked for, and the
        model finds no more. Raises InputError where one of these cannot be used,
        RunError where novel words are asked for and the file is gone.

        Parameters
        ----------
        n : how many words, none if 0
        prefix : how each word starts
        temperature : as in `charlm.sample.next_probs`
        top_k : as in `charlm.sample.next_probs`
        seed : the same seed gives the same words; without one they differ each time
        novel : only words that the run's file lacks, each once
        min_length : shorter words are drawn anew
        max_length : longer words are drawn anew; None cuts them off at `limit`
        """
        return self.draw(
            n,
            prefix=prefix,
            temperature=temperature,
            top_k=top_k,
            seed=seed,
            novel=novel,
            min_length=min_length,
            max_length=max_length,
        ).words

    def draw(
        self,
        n: int = 20,
        *,
        prefix: str = "",
        temperature: float = 1.0,
        top_k: int | None = None,
        seed: int | None = None,
        novel: bool = False,
        min_length: int = 0,
        max_length: int | None = None,
    ) -> Drawn:
        """Return words as `sample` does, and how many of them are cut off.

        Raises InputError and RunError like `sample`.

        Parameters
        ----------
        n : as in `sample`
        prefix : as in `sample`
        temperature : as in `sample`
        top_k : as in `sample`
        seed : as in `sample`
        novel : as in `sample`
        min_length : as in `sample`
        max_length : as in `sample`
        """
        limit = self.limit if max_length is None else max_length
        if max_length is None:
            limit = max(limit, len(prefix), 2 * min_length)
        if not 0 <= min_length <= limit:
            raise InputError(
                f"words of {min_length} to {limit} characters there are none: "
                "change --min-length or --max-length"
            )
        if len(prefix) > limit:
            raise InputError(
                f"the prefix has {len(prefix)} characters, and words at most {limit}"
            )
        generator = torch.Generator()
        if seed is not None and not -(2**63) <= seed < 2**64:
            raise InputError(f"the seed must be a number of 64 bits, got {seed}")
        if seed is None:
            generator.seed()
        else:
            generator.manual_seed(seed)

        def draw(n: int) -> list[str]:
            return sample_words(
                self.model if self.device == CPU else self,
                self.vocab,
                n,
                generator=generator,
                prefix=prefix,
                temperature=temperature,
                top_k=top_k,
                max_length=limit + 1,  # one more than it may have: it has not ended
            )

        if n < 0 or not (novel or min_length or max_length is not None):
            words = draw(n)
            cut = sum(len(word) > limit for word in words)
            return Drawn([word[:limit] for word in words], cut)
        known = {"", *self.words()} if novel else set()
        found: list[str] = []
        for _ in range(ROUNDS):
            if len(found) >= n:
                break
            found += (
                word
                for word in draw(max(n, 100))
                if min_length <= len(word) <= limit and word not in known
            )
            if novel:
                found = list(dict.fromkeys(found))
        return Drawn(found[:n], 0)


def new(
    directory: str | os.PathLike[str],
    words: Words = None,
    *,
    model: str = DEFAULT,
    split_seed: int = 42,
    **settings: Any,
) -> Run:
    """Return a run that is still to be trained; nothing is written yet.

    Raises InputError where the file, the settings, or both together cannot be used.

    Parameters
    ----------
    directory : where it will be kept
    words : as in `charlm.runs.trainer.train`
    model : a key of `charlm.runs.models.MODELS`
    split_seed : shuffles the words before the split into train, dev and test
    **settings : the options of `charlm train` with underscores, such as n_hidden=64:
        fields of `charlm.runs.config.ModelConfig` and `charlm.runs.config.TrainConfig`
    """
    directory = Path(directory)
    options, recipe = configure(model, settings)
    source = read_source(words)
    require_enough(source, words)
    config = Config.of(
        {
            "model": model,
            "options": options,
            "chars": tuple(sorted(source.words.chars())),
            "data": source.describe(directory, split_seed),
            "recipe": recipe,
            "versions": versions(),
            "longest": source.words.longest(),
        }
    )
    build(config)
    words, path, kept = source.words, source.path, source.kept
    del source  # what was read takes as much room as the words
    return Run(Store(directory, config, kept), words, path)


def open_run(
    directory: str | os.PathLike[str] | None = None,
    device: str = "cpu",
    *,
    words: str | os.PathLike[str] | None = None,
) -> Run:
    """Return a trained run with its best parameters. Raises RunError, InputError.

    Parameters
    ----------
    directory : of the run; without it, the small one that comes with the package
    device : "cpu", "cuda", "mps" or "auto"
    words : the file that it learned from, where that is not beside the run any more
    """
    if directory is None:
        directory = str(files("charlm") / FIRST)
    return Run(Store.open(Path(directory)), file=words).load(device)


def build(config: Config, generator: torch.Generator | None = None) -> Any:
    """Return the model of a configuration, not yet trained.

    Without a generator a network has shapes but no values, on the device "meta".
    Raises InputError where it would be too large or its sizes do not fit.
    """
    module, _, name = MODELS[config.model].network.partition(":")
    network = getattr(import_module(module), name)
    options = config.model_options
    if network is NGram:
        kind = FallbackNGram if "fallback" in options else NGram
        return kind(config.vocab, **options)
    try:
        with torch.device("meta"):
            sketch = network(len(config.vocab), **options)
    except ValueError as error:
        raise InputError(str(error)) from None
    size = n_parameters(sketch)
    if size > MAX_PARAMETERS:
        raise InputError(
            f"this {config.model} would have {size:,} parameters, "
            f"more than the {MAX_PARAMETERS:,} that are allowed"
        )
    if generator is None:
        return sketch
    return network(len(config.vocab), **options, generator=generator)


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


def _list(words: Iterable[str]) -> list[str]:
    """Return words of any kind of list. Raises InputError where there are none."""
    check_list(words)
    words = list(words)
    if not words:
        raise InputError("there are no words to evaluate on")
    return words


def _split(words: Sequence[str], seed: int) -> dict[str, PackedWords]:
    if not isinstance(words, PackedWords):
        words = PackedWords.of([words])
    return dict(zip(SPLITS, (*split_packed(words, seed), words), strict=True))
