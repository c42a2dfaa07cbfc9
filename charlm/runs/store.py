"""A run directory: config.json, model.safetensors, metrics.csv, state.safetensors.

All of it is data, and none is code: nothing is unpickled. Each file is written under
another name, flushed to the disk and then renamed, so that there is always a whole one.
"""

import csv
import hashlib
import io
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from filelock import FileLock, Timeout
from pydantic import Field, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from charlm.runs.config import MAX_STEPS, Checked, Config, sentence
from charlm.vocab import InputError

CONFIG, MODEL, METRICS, STATE = FILES = (
    "config.json",
    "model.safetensors",
    "metrics.csv",
    "state.safetensors",
)
LOCK = ".lock"
LOSSES = "loss.png"
MAX_CONFIG_BYTES = 2**25
DTYPES = {
    torch.float32: "F32",
    torch.float64: "F64",
    torch.int64: "I64",
    torch.uint8: "U8",
}


class RunError(InputError):
    """A run directory that cannot be read or written; the message names the file."""


class Row(Checked, ser_json_inf_nan="constants"):
    """One evaluation: the losses in nats; train_loss is the mean since the last one."""

    step: int = Field(ge=0, le=MAX_STEPS)
    train_loss: float
    dev_loss: float
    learning_rate: float
    seconds: float


class Progress(Checked, ser_json_inf_nan="constants"):
    """How far a run has come: its evaluations, and the training loss since the last."""

    step: int = Field(default=0, ge=0, le=MAX_STEPS)
    seconds: float = 0.0
    loss_sum: float = 0.0
    loss_count: int = Field(default=0, ge=0, le=MAX_STEPS)
    rows: tuple[Row, ...] = ()

    @property
    def best(self) -> Row | None:
        """The evaluation whose parameters are kept."""
        return min(self.rows, key=lambda row: row.dev_loss, default=None)


@contextmanager
def _saving(path: Path) -> Iterator[None]:
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


def write(path: Path, content: bytes) -> None:
    """Replace a file by its new content, or leave it as it was.

    Raises RunError where the disk is full or the folder may not be written to.
    """
    part = path.with_name(f".{path.name}.part")
    with _saving(path):
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
def locked(directory: Path) -> Iterator[None]:
    """Keep a directory to this process. Raises RunError where another one has it."""
    lock = FileLock(directory / LOCK, timeout=0)
    with _saving(directory):
        try:
            lock.acquire()
        except Timeout:
            raise RunError(f"{directory} is being trained by another process") from None
    try:
        yield
    finally:
        lock.release()


def create(directory: Path, config: Config) -> None:
    """Begin a run in a directory that holds none yet.

    Raises RunError where there is one, or where it cannot be written.
    """
    with _saving(directory):
        directory.mkdir(parents=True, exist_ok=True)
    with locked(directory):
        if any(os.path.lexists(directory / name) for name in (*FILES, LOSSES)):
            raise RunError(
                f"{directory} holds a run already: choose another --out, "
                f"or go on with --resume {directory}"
            )
        write(directory / CONFIG, config.model_dump_json(indent=2).encode() + b"\n")


def read_config(directory: Path) -> Config:
    """Return the checked configuration of a run.

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
        return Config.model_validate_json(raw)
    except ValidationError as error:
        raise RunError(f"{path} cannot be used: {sentence(error)}") from None


def fingerprint(config: Config) -> str:
    """Return a run's hash; its tensors carry it, so that no other run's are taken."""
    return hashlib.sha256(config.model_dump_json().encode()).hexdigest()


def write_tensors(
    path: Path, config: Config, tensors: dict[str, Tensor], progress: Progress
) -> None:
    """Save tensors as safetensors, with how far the run was in the file's header.

    Parameters
    ----------
    path
        Replaced as a whole, as by `write`.
    config
        Its fingerprint goes into the header: `read_tensors` takes no other run's file.
    tensors
        By name, of any shape, on any device.
    progress
        How far the run was when the tensors had these values.

    Raises
    ------
    RunError
        Where the file cannot be written.
    """
    whole = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
    notes = {"run": fingerprint(config), "progress": progress.model_dump_json()}
    write(path, save(whole, notes))


def read_tensors(
    path: Path, config: Config, like: dict[str, Tensor] | None = None
) -> tuple[dict[str, Tensor], Progress]:
    """Return the tensors of a file, and how far the run was.

    With like, the names, shapes and types must be the same as there; the file's header
    tells them before any tensor is read. Raises RunError where they differ, or the file
    is missing, damaged or another run's.
    """
    if not os.path.isfile(path):
        raise RunError(f"{path}: there is no such file")
    with _reading(path), safe_open(path, "pt") as file:
        notes = file.metadata() or {}
        if notes.get("run") != fingerprint(config):
            raise RunError(f"{path} does not belong to this run's {CONFIG}")
        found = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
        if like is not None:
            kinds = {name: (s.get_shape(), s.get_dtype()) for name, s in found.items()}
            if kinds != {n: (list(t.shape), DTYPES[t.dtype]) for n, t in like.items()}:
                raise RunError(f"{path} holds other tensors than this model has")
        try:
            progress = Progress.model_validate_json(notes.get("progress", ""))
        except ValidationError as error:
            raise RunError(f"{path} is damaged: {sentence(error)}") from None
        return {name: file.get_tensor(name) for name in found}, progress


def write_metrics(directory: Path, rows: Iterable[Row]) -> None:
    """Save the evaluations as CSV."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(Row.model_fields)
    table.writerows(row.model_dump().values() for row in rows)
    write(directory / METRICS, text.getvalue().encode())
