"""A run's directory: config.json, model.safetensors, metrics.csv, state.safetensors.

Words that are in no other file are kept there, too, as words.txt.

All of it is data, and none is code: nothing is unpickled. Each file is written under
another name, flushed to the disk and then renamed, so that there is always a whole one.
"""

import csv
import hashlib
import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import torch
from filelock import FileLock, Timeout
from pydantic import Field, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from charlm.runs.config import MAX_STEPS, Checked, Config, sentence
from charlm.vocab import InputError

CONFIG, MODEL, METRICS, STATE, LOSSES = FILES = (
    "config.json",
    "model.safetensors",
    "metrics.csv",
    "state.safetensors",
    "loss.png",
)
WORDS = "words.txt"
LOCK = ".lock"
MAX_CONFIG_BYTES = 2**25
DTYPES = {
    torch.float32: "F32",
    torch.float64: "F64",
    torch.int64: "I64",
    torch.uint8: "U8",
}


class RunError(InputError):
    """A run directory that cannot be read or written; the message names the file."""


class Metrics(Checked, ser_json_inf_nan="constants"):
    """One evaluation: the losses in nats; train_loss is the mean since the last one."""

    step: int = Field(ge=0, le=MAX_STEPS)
    train_loss: float
    dev_loss: float
    learning_rate: float
    seconds: float


class TrainState(Checked, ser_json_inf_nan="constants"):
    """How far a run has come: its evaluations, and the training loss since the last."""

    step: int = Field(default=0, ge=0, le=MAX_STEPS)
    seconds: float = 0.0
    loss_sum: float = 0.0
    loss_count: int = Field(default=0, ge=0, le=MAX_STEPS)
    rows: tuple[Metrics, ...] = ()

    @property
    def best(self) -> Metrics | None:
        """The evaluation whose parameters are kept."""
        return min(self.rows, key=lambda row: row.dev_loss, default=None)


class Store:
    """The files of one run: nothing else knows their names, or reads and writes them.

    Parameters
    ----------
    directory : need not exist yet
    config : the configuration of the run
    words : the content of a file of words to keep; None where there is one elsewhere
    digest : as `digest_of` gives it for the configuration's text; None makes it anew
    """

    def __init__(
        self,
        directory: Path,
        config: Config,
        words: bytes | None = None,
        digest: str | None = None,
    ) -> None:
        self.directory, self.config, self.words = directory, config, words
        self._digest = digest or digest_of(config.model_dump_json())

    @property
    def digest(self) -> str:
        """The run's hash; its tensors carry it, so that no other run's are taken."""
        return self._digest

    @classmethod
    def open(cls, directory: Path) -> Self:
        """Return the store of a run that has begun.

        Raises RunError where there is none, or none that can be used.
        """
        path = directory / CONFIG
        if not os.path.isdir(directory):
            raise RunError(f"{directory}: there is no such run directory")
        if not os.path.isfile(path):
            raise RunError(f"{directory} is not a run directory: it has no {CONFIG}")
        with _reading(path):
            if path.stat().st_size > MAX_CONFIG_BYTES:
                raise RunError(f"{path} is too long for a configuration")
            raw = path.read_bytes()
        try:
            config = Config.model_validate_json(raw)
            return cls(directory, config, digest=digest_of(raw.decode()))
        except ValidationError as error:
            raise RunError(f"{path} cannot be used: {sentence(error)}") from None

    def create(self) -> None:
        """Begin the run in its directory, which must hold none yet.

        Raises RunError where there is one, or where it cannot be written.
        """
        text = self.config.model_dump_json(indent=2)
        with _writing(self.directory):
            self.directory.mkdir(parents=True, exist_ok=True)
        with self.locked():
            kept = (WORDS,) if self.words is not None else ()
            if any(map(self.has, (*FILES, *kept))):
                raise RunError(
                    f"{self.directory} holds a run already: choose another --out"
                    f"{self._way_on()}"
                )
            if self.words is not None:
                write(self.directory / WORDS, self.words)
                self.words = None  # they may take much room
            write(self.directory / CONFIG, text.encode() + b"\n")

    def _way_on(self) -> str:
        """Return how to go on with the run that is there, where that is possible."""
        try:
            there = Store.open(self.directory)
        except RunError:
            return ""
        if there.config.recipe is None:  # counts are made in one go
            return ""
        return f", or go on with --resume {self.directory}"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep the directory to this process. Raises RunError where another has it."""
        lock = FileLock(self.directory / LOCK, timeout=0)
        with _writing(self.directory):
            try:
                lock.acquire()
            except Timeout:
                raise RunError(
                    f"{self.directory} is being trained by another process"
                ) from None
        try:
            yield
        finally:
            lock.release()

    def has(self, name: str) -> bool:
        """Return whether there is a file of this name, or a link in its place."""
        return os.path.lexists(self.directory / name)

    def write_tensors(
        self, name: str, tensors: dict[str, Tensor], state: TrainState
    ) -> None:
        """Save tensors as safetensors. Raises RunError where they cannot be written.

        Parameters
        ----------
        name : `MODEL` or `STATE`
        tensors : by name, of any shape, on any device
        state : how far the run was when they had these values, for the file's header
        """
        whole = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
        notes = {"run": self.digest, "progress": state.model_dump_json()}
        write(self.directory / name, save(whole, notes))

    def read_tensors(
        self, name: str, like: dict[str, Tensor] | None = None
    ) -> tuple[dict[str, Tensor], TrainState]:
        """Return the tensors of a file, and how far the run was.

        Raises RunError where the file is missing, damaged or another run's, or where
        its tensors are not like those that are asked for.

        Parameters
        ----------
        name : `MODEL` or `STATE`
        like : tensors of the same names, shapes and types, compared before any is read
        """
        with self._opened(name) as file:
            path, state = self.directory / name, self._progress(name, file)
            found = {key: file.get_slice(key) for key in file.keys()}  # noqa: SIM118
            if like is not None:
                kinds = {k: (s.get_shape(), s.get_dtype()) for k, s in found.items()}
                own = {k: (list(t.shape), DTYPES[t.dtype]) for k, t in like.items()}
                if kinds != own:
                    raise RunError(f"{path} holds other tensors than this model has")
            return {key: file.get_tensor(key) for key in found}, state

    def read_state(self, name: str) -> TrainState:
        """Return how far the run was, without its tensors; RunError as there."""
        with self._opened(name) as file:
            return self._progress(name, file)

    @contextmanager
    def _opened(self, name: str) -> Iterator[Any]:
        path = self.directory / name
        if not os.path.isfile(path):
            raise RunError(f"{path}: there is no such file")
        with _reading(path):
            path.open("rb").close()  # safe_open does not say why it cannot
            with _text_name(path) as text, safe_open(text, "pt") as file:
                yield file

    def _progress(self, name: str, file: Any) -> TrainState:
        path, notes = self.directory / name, file.metadata() or {}
        meant = digest_of(self.config.model_dump_json())
        if notes.get("run") not in (self.digest, meant):
            raise RunError(f"{path} does not belong to this run's {CONFIG}")
        try:
            return TrainState.model_validate_json(notes.get("progress", ""))
        except ValidationError as error:
            raise RunError(f"{path} is damaged: {sentence(error)}") from None

    def n_evaluations(self) -> int:
        """Return how many are written down; none where there is no such file."""
        path = self.directory / METRICS
        if not os.path.isfile(path):
            return 0
        with _reading(path):
            lines = path.read_bytes().count(b"\n")
        return max(lines - 1, 0)  # the first has the names of the columns

    def write_metrics(self, state: TrainState) -> None:
        """Save the evaluations as CSV. Raises RunError where it cannot be written."""
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(Metrics.model_fields)
        table.writerows(row.model_dump().values() for row in state.rows)
        write(self.directory / METRICS, text.getvalue().encode())

    def write_picture(self, png: bytes) -> None:
        """Save the losses as a picture. Raises RunError where it cannot be written."""
        write(self.directory / LOSSES, png)


def digest_of(config: str) -> str:
    """Return the hash of a configuration as JSON, however it is indented.

    It is that of the text, not of what the text means here: a field that came later,
    and that an older run lacks, does not change it. (A text that another program has
    written, and that means the same, is known by what it means.)
    """
    text = re.sub(r'("(?:[^"\\]|\\.)*")|\s+', r"\1", config)
    return hashlib.sha256(text.encode()).hexdigest()


def write(path: Path, content: bytes) -> None:
    """Replace a file by its new content, or leave it as it was.

    Raises RunError where the disk is full or the folder may not be written to.
    """
    part = path.with_name(f".{path.name}.part")
    with _writing(path):
        try:
            part.unlink(missing_ok=True)
            with part.open("xb") as file:  # never through a link that lies there
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
            _flush_names(path.parent)
        except OSError:
            part.unlink(missing_ok=True)
            raise


@contextmanager
def _text_name(path: Path) -> Iterator[str]:
    """Give a name that is text, as safetensors needs: a path may have other bytes."""
    name = os.fspath(path)
    if not re.search("[\ud800-\udfff]", name):
        yield name
        return
    with path.open("rb") as file:
        yield f"/dev/fd/{file.fileno()}"


def _flush_names(directory: Path) -> None:
    """Make a renaming last through a power cut, where the system can."""
    if os.name != "posix":
        return
    folder = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise RunError(f"{path} cannot be written: {reason}") from None


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise RunError(f"{path} cannot be read: {reason}") from None
    except SafetensorError as error:
        raise RunError(f"{path} is not a whole safetensors file: {error}") from None
