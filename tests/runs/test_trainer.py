"""Training that is stopped in any way ends as if it had not been."""

import csv
import dataclasses
import errno
import itertools
import multiprocessing
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from charlm.evaluate import Evaluation, evaluate
from charlm.runs import store, trainer
from charlm.runs.cli import main
from charlm.runs.distributed import Group, check_batch
from charlm.runs.run import new, open_run
from charlm.train import NonFiniteLossError
from charlm.vocab import InputError

TINY: dict[str, Any] = {"model": "mlp", "n_embd": 4, "n_hidden": 8, "batch_norm": True}
RECIPE: dict[str, Any] = {"steps": 12, "batch_size": 16, "eval_every": 3, "seed": 7}
MODEL, STATE = "model.safetensors", "state.safetensors"

# They start processes, each of which has to import torch first.
slow = pytest.mark.slow

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(
    [
        "charlm.runs.cli",
        "charlm.runs.progress",
        "charlm.book.plots",
        "torch._dynamo",
        "torch._inductor",
    ]
)


def flags(**settings):
    """Settings as arguments of the command line."""
    words = []
    for name, value in settings.items():
        flag = f"--{name.replace('_', '-')}"
        words += [flag] if value is True else [flag, str(value)]
    return words


def outcome(directory):
    """All that a run has found: its tensors bit by bit, and its losses."""
    files = {name: load_file(directory / name) for name in (MODEL, STATE)}
    bits = {
        f"{file}:{name}": tensor.numpy().tobytes()
        for file, tensors in files.items()
        for name, tensor in tensors.items()
    }
    with open(directory / "metrics.csv") as file:
        rows = [{**row, "seconds": None} for row in csv.DictReader(file)]
    return bits, rows


def finish(job):
    for _ in job:
        pass


@pytest.fixture
def begin(few_words, tmp_path):
    """Return the training of a new small run."""

    def begin(name="run", words=few_words, **settings):
        run = new(tmp_path / name, words, **TINY, **RECIPE | settings)
        return trainer.begin(run)

    return begin


@pytest.fixture(scope="module")
def whole(few_words, tmp_path_factory):
    """The outcome of the small run without an interruption."""
    folder = tmp_path_factory.mktemp("whole")
    finish(trainer.begin(new(folder, few_words, **TINY, **RECIPE)))
    return outcome(folder)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "run"


# Going on


@pytest.mark.parametrize(
    "model", ["bigram", "wavenet", "conv", "gated", "rnn", "gru", "lstm", "gpt"]
)
def test_every_model_goes_on_bitwise(few_words, tmp_path, model):
    settings = {"steps": 5, "batch_size": 16, "eval_every": 2}
    one, two = (
        trainer.begin(new(tmp_path / name, few_words, model=model, **settings))
        for name in ("one", "two")
    )
    finish(one)
    for step, _ in two:
        if step.index == 2:
            two.save()
            break
    finish(trainer.resume(tmp_path / "two"))
    assert outcome(tmp_path / "two") == outcome(tmp_path / "one")


@pytest.mark.parametrize("stop_after", range(1, 12))
def test_saved_after_any_step_it_goes_on_bitwise(begin, out, whole, stop_after):
    job = begin()
    for step, _ in job:
        if step.index + 1 == stop_after:
            job.save()
            break
    again = trainer.resume(out)
    assert again.state.step == stop_after
    finish(again)
    assert outcome(out) == whole


def test_left_without_saving_it_goes_on_from_the_last_evaluation(begin, out, whole):
    for step, _ in begin():
        if step.index + 1 == 8:
            break
    again = trainer.resume(out)
    assert again.state.step == 6
    finish(again)
    assert outcome(out) == whole


def test_the_train_loss_is_the_mean_since_the_last_evaluation(begin):
    since = []
    for step, row in begin():
        since.append(step.loss)
        if row:
            assert row.train_loss == pytest.approx(sum(since) / len(since))
            since.clear()
    assert row.step == 12


def test_the_best_parameters_are_kept_and_not_the_last(begin, out, monkeypatch):
    """Each look at dev is made to come out worse, so the first parameters are best."""
    looks = itertools.count()

    def harsher(*arguments):
        score = evaluate(*arguments)
        return dataclasses.replace(score, loss=score.loss + 10 * next(looks))

    monkeypatch.setattr(trainer, "evaluate", harsher)
    finish(begin())
    losses = [float(row["dev_loss"]) for row in outcome(out)[1]]
    assert len(losses) > 2 and losses == sorted(losses)
    run = open_run(out)
    assert run.evaluate(run.words("dev")).loss == pytest.approx(losses[0], abs=1e-6)


class Killed(BaseException):
    """What no code expects, as a power cut."""


@pytest.mark.parametrize("when", ["before", "within", "after"])
def test_dying_at_any_file_it_goes_on_bitwise(begin, out, monkeypatch, when):
    """Before a file is written, with half of it written, and after its renaming."""
    settings = {"steps": 6}  # two evaluations: one with files from before, one without
    finish(begin("whole", **settings))
    whole = outcome(out.with_name("whole"))
    write, deaths, left = store.write, 0, 0

    def deadly(path, content):
        nonlocal left
        left -= 1
        if left == 0 and when == "within":
            path.with_name(f".{path.name}.part").write_bytes(
                content[: len(content) // 2]
            )
        if left == 0 and when != "after":
            raise Killed
        write(path, content)
        if left == 0:
            raise Killed

    monkeypatch.setattr(store, "write", deadly)
    for n in range(1, 100):
        directory = out.with_name(f"run{n}")
        left = n
        try:
            finish(begin(directory.name, **settings))
        except Killed:
            deaths += 1
        else:
            break
        left = 0
        if (directory / "config.json").exists():
            finish(trainer.resume(directory))
        else:
            finish(begin(directory.name, **settings))
        assert outcome(directory) == whole, f"died at file {n}"
    assert deaths >= 7


@slow
def test_killed_at_twenty_random_moments_it_ends_bitwise_the_same(
    few_words, tmp_path, monkeypatch
):
    """Each process is one `charlm train`; a file is written every few milliseconds."""
    settings = flags(**TINY | RECIPE | {"steps": 80, "eval_every": 1})
    whole = tmp_path / "whole"

    def start(out):
        begun = (out / "config.json").exists()
        how = ["--resume", out] if begun else [few_words, "--out", out, *settings]
        monkeypatch.setattr(sys, "argv", ["charlm", "train", *map(str, how)])
        process = processes.Process(target=main)
        process.start()
        return process

    start(whole).join()
    moments = random.Random(1)
    killed_in: list[int] = []
    for n in range(20):
        out = tmp_path / f"run{n}"
        process = start(out)
        while process.exitcode is None and len(killed_in) < 20:
            time.sleep(moments.uniform(0, 0.3 if out.exists() else 0.1))
            process.kill()
            process.join()
            if process.exitcode == -signal.SIGKILL:
                killed_in.append(n)
                process = start(out)
        process.join()
        assert process.exitcode == 0
        assert outcome(out) == outcome(whole), f"killed {killed_in.count(n)} times"
        if len(killed_in) == 20:
            break
    assert len(killed_in) == 20


def test_two_processes_do_not_train_in_one_directory(begin, out, refused, whole):
    job = begin()
    for _, row in job:
        if row and row.step == 3:
            assert "being trained by another process" in refused(
                "train", "--resume", out
            )
            with pytest.raises(store.RunError, match="being trained"):
                begin()
    assert outcome(out) == whole


def test_a_run_goes_on_only_with_the_words_it_began_with(
    begin, out, few_words, refused
):
    words = out.with_name("own.txt")
    words.write_text(few_words.read_text())
    for _, row in begin(words=words):
        if row:
            break
    words.write_text(words.read_text().replace("mm", "nn", 1))
    assert "not the file that the run learned" in refused("train", "--resume", out)
    words.unlink()
    assert "is not there: name it" in refused("train", "--resume", out)


# Ctrl-C


def interrupt_at(monkeypatch, at, times=1):
    """Press Ctrl-C right before the yield of a step, or at -1 before all of them."""
    steps = trainer.training_steps

    def interrupted(*args):
        for _ in range(times * (at < 0)):
            signal.raise_signal(signal.SIGINT)
        for step in steps(*args):
            for _ in range(times * (step.index == at)):
                signal.raise_signal(signal.SIGINT)
            yield step

    monkeypatch.setattr(trainer, "training_steps", interrupted)


@pytest.mark.parametrize("at", [-1, 0, 4, 5, 10])
def test_ctrl_c_saves_says_how_to_go_on_and_exits_with_130(
    command, few_words, out, whole, monkeypatch, at
):
    with monkeypatch.context() as patch:
        interrupt_at(patch, at)
        status, printed, err = command(
            "train", few_words, "--out", out, *flags(**TINY, **RECIPE)
        )
    assert (status, printed) == (130, "")
    *_, stopped, to_go_on = err.splitlines()
    assert stopped == f"stopped after step {max(at, 0) + 1} of 12"
    assert to_go_on == f"to go on: charlm train --resume {out}"
    assert trainer.resume(out).state.step == max(at, 0) + 1
    assert command("train", "--resume", out)[0] == 0
    assert outcome(out) == whole


def test_ctrl_c_at_the_last_step_ends_the_run(command, few_words, out, monkeypatch):
    interrupt_at(monkeypatch, 11)
    status, printed, _ = command(
        "train", few_words, "--out", out, *flags(**TINY, **RECIPE)
    )
    assert status == 0 and "bits a character" in printed


def test_a_second_ctrl_c_ends_at_once(command, few_words, out, whole, monkeypatch):
    with monkeypatch.context() as patch:
        interrupt_at(patch, 4, times=2)
        arguments = ("train", few_words, "--out", out, *flags(**TINY, **RECIPE))
        assert command(*arguments)[0] == 130
    finish(trainer.resume(out))
    assert outcome(out) == whole


def test_ctrl_c_before_anything_is_written(command, few_words, out, monkeypatch):
    def press(*args):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("charlm.runs.source.read_in_parts", press)
    assert command("train", few_words, "--out", out)[0] == 130
    assert not out.exists()


@slow
def test_ctrl_c_from_outside(few_words, out):
    settings = TINY | RECIPE | {"steps": 10**6, "eval_every": 10}
    command = [sys.executable, "-m", "charlm", "train", few_words, "--out", out]
    process = subprocess.Popen(
        [*command, *flags(**settings)],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert "400 words" in process.stderr.readline()
    process.stderr.readline()  # of the first evaluation
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.endswith(f"to go on: charlm train --resume {out}\n")
    assert trainer.resume(out).state.step >= 10


# Files that cannot be written


@pytest.mark.parametrize("at", [1, 2, 3, 4, 6, 9])
def test_a_full_disk_gets_one_sentence_and_what_was_there_stays(
    command, few_words, out, whole, monkeypatch, at
):
    fsync, calls = os.fsync, iter(range(1, 1000))

    def full(descriptor):
        if next(calls) >= at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(descriptor)

    anew = ("train", few_words, "--out", out, *flags(**TINY, **RECIPE))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        status, printed, err = command(*anew)
    *progress, sentence = err.splitlines()
    assert (status, printed) == (2, "")
    assert all(line.startswith(("400 words, ", "step")) for line in progress)
    assert sentence.startswith("charlm: ")
    assert sentence.endswith("cannot be written: No space left on device")
    assert not list(out.glob(".*.part"))
    begun = (out / "config.json").exists()
    assert begun == (at > 1)
    status, _, err = command(*(("train", "--resume", out) if begun else anew))
    assert status == 0, err
    assert outcome(out) == whole


def test_a_real_limit_on_the_size_of_files(command, few_words, out, whole):
    """The state is the largest file: it is cut off in the middle of writing."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (7000, hard))
    try:
        status, _, err = command(
            "train", few_words, "--out", out, *flags(**TINY, **RECIPE)
        )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert status == 2
    assert err.endswith(f"\ncharlm: {out / STATE} cannot be written: File too large\n")
    assert err.count("\n") == 2 and err.startswith("400 words, ")
    assert {path.name for path in out.iterdir()} == {
        *("config.json", "metrics.csv", MODEL, store.LOCK)
    }
    finish(trainer.resume(out))
    assert outcome(out) == whole


def test_a_read_only_folder(refused, few_words, out, begin, monkeypatch):
    if os.path.isdir("/proc/1"):
        assert "cannot be written" in refused("train", few_words, "--out", "/proc/run")

    job = begin()
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def read_only(self, *args):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "open", read_only)
    with pytest.raises(store.RunError, match="Read-only file system"):
        finish(job)
    monkeypatch.undo()
    after = {path.name: path.read_bytes() for path in out.iterdir()}
    assert after == before


def test_a_folder_below_a_file(refused, few_words):
    sentence = refused("train", few_words, "--out", few_words / "run")
    assert sentence == f"{few_words / 'run'} cannot be written: Not a directory"
    sentence = refused("train", few_words, "--out", few_words)
    assert sentence == f"{few_words} cannot be written: File exists"
    refused("train", few_words, "--out", "a" * 300)


@pytest.mark.parametrize("name", store.FILES)
def test_an_existing_run_stays(refused, few_words, out, name):
    out.mkdir()
    (out / name).write_text("here before")
    sentence = refused("train", few_words, "--out", out)
    assert sentence == f"{out} holds a run already: choose another --out"
    refused("train", few_words, "--out", out, "--model", "ngram")
    assert (out / name).read_text() == "here before"


@pytest.mark.parametrize("model", ["ngram", "bigram"])
def test_only_a_run_that_has_steps_is_to_be_gone_on_with(
    command, refused, few_words, out, model
):
    """What the sentence advises must work."""
    steps = [] if model == "ngram" else ["--steps", 2]
    train = ("train", few_words, "--out", out, "--model", model, *steps)
    assert command(*train)[0] == 0
    sentence = refused(*train)
    advised = sentence.endswith(f"choose another --out, or go on with --resume {out}")
    assert advised or sentence.endswith("choose another --out")
    assert advised == (command("train", "--resume", out)[0] == 0)
    assert advised == (model == "bigram")


@pytest.mark.parametrize(
    "mistake",
    [
        {"warmup": 12},
        {"batch_size": 1},
        {"model": "wavenet", "batch_size": 1},
        {"model": "wavenet", "block_size": 6},
        {"device": "tpu"},
    ],
)
def test_a_mistake_leaves_no_directory(refused, few_words, out, mistake):
    settings = RECIPE | {"model": "mlp", **mistake}
    settings |= {"batch_norm": True} if settings["model"] == "mlp" else {}
    refused("train", few_words, "--out", out, *flags(**settings))
    assert not out.exists()


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_left_over_parts_do_no_harm(begin, out, whole, tmp_path, name):
    """Not even a link to a file elsewhere, which would be written to."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("not ours")
    out.mkdir()
    (out / f".{name}.part").symlink_to(elsewhere)
    (out / f".{STATE}.part").write_bytes(b"half")
    finish(begin())
    assert elsewhere.read_text() == "not ours"
    assert outcome(out) == whole


# A loss that is no number


EXPLOSIVE = {"steps": 30, "learning_rate": 100.0, "weight_decay": 100.0, "warmup": 0}


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good(
    command, few_words, out
):
    settings = TINY | {"batch_norm": False} | RECIPE | EXPLOSIVE | {"eval_every": 1}
    settings = {k: v for k, v in settings.items() if v is not False}
    status, printed, err = command("train", few_words, "--out", out, *flags(**settings))
    sentence = err.splitlines()[-1]
    assert (status, printed) == (1, "")
    assert "step" in sentence and "try a lower learning rate than" in sentence
    assert sentence.endswith(f"{out} keeps what was best before")
    run, best = open_run(out), trainer.resume(out).state.best
    assert best is not None
    assert run.evaluate(run.words("dev")).loss == pytest.approx(best.dev_loss, abs=1e-6)


def test_no_good_parameters_no_promise(command, few_words, out):
    settings = {"model": "bigram"} | RECIPE | EXPLOSIVE | {"eval_every": 1000}
    status, _, err = command("train", few_words, "--out", out, *flags(**settings))
    assert status == 1 and err.count("\n") == 2 and "\ncharlm: the loss" in err
    assert "try a lower learning rate" in err and "keeps" not in err
    assert err.endswith("; train anew with a lower rate into another --out\n")
    assert not (out / MODEL).exists()


def test_a_dev_loss_that_is_no_number_stops_too(begin, out, monkeypatch):
    job = begin()
    monkeypatch.setattr(
        trainer, "evaluate", lambda *_: Evaluation(float("nan"), 0.0, 1)
    )
    with pytest.raises(NonFiniteLossError, match="after step 3: try a lower"):
        finish(job)
    assert not (out / MODEL).exists() and not (out / STATE).exists()


# Several processes


def test_a_batch_that_cannot_be_shared():
    check_batch(16, Group(0, 4))
    with pytest.raises(InputError, match="a batch of 16 cannot be shared by 3"):
        check_batch(16, Group(0, 3))


def test_shares_make_up_the_batch():
    at = torch.arange(12)
    shares = [Group(rank, 3).share(at) for rank in range(3)]
    assert all(len(share) == 4 for share in shares)
    assert sorted(torch.cat(shares).tolist()) == at.tolist()


# In double precision, so that only the order of additions differs.
IN_DOUBLE = """
import os, torch
os.environ |= environment
torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
from charlm.runs import trainer
from charlm.runs.run import new
for _ in trainer.begin(new(out, words, **settings)):
    pass
"""


def train_in_double(size, out, words, settings):
    with socket.create_server(("localhost", 0)) as free:
        port = free.getsockname()[1]
    ranks = []
    for rank in range(size):
        environment = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size}
        environment |= {"MASTER_ADDR": "localhost", "MASTER_PORT": port}
        names = {
            "environment": {k: str(v) for k, v in environment.items()},
            **{"out": out, "words": words, "settings": settings},
        }
        ranks.append(processes.Process(target=exec, args=(IN_DOUBLE, names)))
    for process in ranks:
        process.start()
    for process in ranks:
        process.join()
    return [process.exitcode for process in ranks]


@slow
@pytest.mark.parametrize("model", ["bigram", "mlp", "conv", "gated", "gru", "gpt"])
def test_two_processes_have_the_losses_of_one(few_words, tmp_path, model):
    settings = {"model": model, "batch_size": 16, "steps": 8, "eval_every": 2}
    if model not in ("bigram", "gpt"):
        settings["n_hidden"] = 16
    if model in ("gru", "gpt"):
        settings["dropout"] = 0.0  # each process drops by itself
    if model == "mlp":
        settings["batch_norm"] = True
    for size in (1, 2):
        out = tmp_path / f"{size}"
        assert train_in_double(size, out, few_words, settings) == [0] * size
    (one, rows), (two, others) = (outcome(tmp_path / size) for size in "12")
    assert one.keys() == two.keys() and len(rows) == len(others) == 4
    for row, other in zip(rows, others):
        for loss in ("train_loss", "dev_loss"):
            assert float(row[loss]) == pytest.approx(float(other[loss]), abs=1e-9)


@slow
def test_the_memoized_tree_differs_a_little_between_processes(few_words, tmp_path):
    """A piece that two of them meet counts twice for the statistics."""
    settings = {"model": "wavenet", "batch_size": 64, "steps": 8, "eval_every": 8}
    for size in (1, 2):
        out = tmp_path / f"{size}"
        assert train_in_double(size, out, few_words, settings) == [0] * size
    (one,), (two,) = (outcome(tmp_path / size)[1] for size in "12")
    assert float(one["dev_loss"]) == pytest.approx(float(two["dev_loss"]), abs=0.1)


@slow
def test_torchrun_writes_and_prints_once(few_words, tmp_path, out):
    """The command of the documentation; it resumes, and an odd batch is refused."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    run = ["-m", "charlm", "train"]
    done = subprocess.run(
        [*torchrun, *run, few_words, "--out", out, *flags(**TINY, **RECIPE)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("bits a character") == 1
    steps = [line for line in done.stderr.splitlines() if line.startswith("step")]
    assert [line.split()[1] for line in steps] == ["3", "6", "9", "12"]
    assert "Warning" not in done.stderr
    assert open_run(out).sample(1)
