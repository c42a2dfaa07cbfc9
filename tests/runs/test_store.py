"""A run directory from a stranger: read as data, refused in a sentence, never run."""

import errno
import json
import os
import pickle
import shutil
import stat
import struct
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save

from charlm.runs import store, trainer
from charlm.runs.config import Config
from charlm.runs.run import open_run
from charlm.runs.store import Metrics, RunError, Store, TrainState, digest_of
from charlm.vocab import InputError

CONFIG, MODEL, METRICS, STATE, LOSSES = store.FILES
SETTINGS: dict[str, Any] = {
    "steps": 4,
    "batch_size": 16,
    "eval_every": 2,
    "n_embd": 4,
    "n_hidden": 8,
}
COMMANDS = [("sample", "RUN"), ("evaluate", "RUN"), ("info", "RUN"), ("compare", "RUN")]
RESUME = ("train", "--resume", "RUN")


@pytest.fixture(scope="module")
def trained(tmp_path_factory, names):
    """A folder with three runs: mlp, the same with another seed, and ngram."""
    folder = tmp_path_factory.mktemp("trained")
    words = folder / "words.txt"
    words.write_text("\n".join(names[:300]))
    trainer.train(words, out=folder / "mlp", model="mlp", **SETTINGS)
    trainer.train(words, out=folder / "other", model="mlp", seed=9, **SETTINGS)
    trainer.train(words, out=folder / "ngram", model="ngram", order=3)
    return folder


@pytest.fixture
def run(trained, tmp_path):
    """A copy of the mlp run, to be damaged, with its words beside it."""
    shutil.copy(trained / "words.txt", tmp_path)
    return shutil.copytree(trained / "mlp", tmp_path / "run")


@pytest.fixture
def ngram(trained, tmp_path):
    shutil.copy(trained / "words.txt", tmp_path)
    return shutil.copytree(trained / "ngram", tmp_path / "ngram")


@pytest.fixture
def all_refused(refused):
    """Run the commands on a run: each must refuse with a sentence; return the last."""

    def all_refused(run, *commands):
        for command in commands:
            sentence = refused(*(run if word == "RUN" else word for word in command))
        return sentence

    return all_refused


def changed(config, **changes):
    """A configuration as a dictionary, with entries of any depth changed."""
    config = json.loads(json.dumps(config))
    for where, value in changes.items():
        *path, last = where.split("__")
        inner = config
        for name in path:
            inner = inner[name]
        inner[last] = value
    return config


def signed(run, **changes):
    """Change a configuration, and make the tensors belong to the new one."""
    raw = json.dumps(changed(json.loads((run / CONFIG).read_text()), **changes))
    before, after = Store.open(run), Store(run, Config.model_validate_json(raw))
    for name in (MODEL, STATE):
        after.write_tensors(name, *before.read_tensors(name))
    (run / CONFIG).write_text(raw)


# Writing and reading


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "file"
    store.write(path, b"first")
    monkeypatch.setattr(os, "fsync", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        store.write(path, b"second")
    assert path.read_bytes() == b"first"


def test_a_file_is_flushed_before_it_is_renamed(tmp_path, monkeypatch):
    path, flushed = tmp_path / "file", []
    fsync = os.fsync

    def note(descriptor):
        fsync(descriptor)
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            flushed.append((os.fstat(descriptor).st_size, path.exists()))

    monkeypatch.setattr(os, "fsync", note)
    store.write(path, b"content")
    assert flushed == [(7, False)] and path.read_bytes() == b"content"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_tensors_and_state_come_back_bit_by_bit(trained, tmp_path):
    kept = Store(tmp_path, Store.open(trained / "mlp").config)
    tensors = {"a": torch.randn(3, 4), "b": torch.tensor([-0.0, 1e-45])}
    row = Metrics(
        step=3, train_loss=1 / 3, dev_loss=float("inf"), learning_rate=0.1, seconds=1e9
    )
    state = TrainState(step=3, loss_sum=2 / 3, loss_count=2, rows=(row,))
    kept.write_tensors("file", tensors, state)
    found, again = kept.read_tensors("file", tensors)
    assert again == state
    for name, tensor in tensors.items():
        assert found[name].numpy().tobytes() == tensor.numpy().tobytes()


def test_a_run_directory_has_the_promised_files(trained):
    def shown(name):
        return {file for file in os.listdir(trained / name) if file[0] != "."}

    assert shown("mlp") == {*store.FILES} - {LOSSES}
    assert shown("ngram") == {CONFIG, MODEL, METRICS}


# Configurations


OUT_OF_RANGE: dict[str, dict[str, Any]] = {
    "a billion units": {"options__n_hidden": 10**9},
    "a billion parameters": {"options__n_hidden": 16384, "options__n_layer": 5},
    "as many as can be": {
        **{"options__n_hidden": 16384, "options__n_layer": 256},
        **{"options__n_embd": 16384, "options__block_size": 1024},
    },
    "a number beyond all": {"recipe__steps": 10**400},
    "steps without end": {"recipe__steps": 10**30},
    "a huge batch": {"recipe__batch_size": 2**40},
    "no batch": {"recipe__batch_size": 0},
    "a negative context": {"options__block_size": -1},
    "nan": {"recipe__learning_rate": float("nan")},
    "infinity": {"recipe__weight_decay": float("inf")},
    "nan of the data": {"data__words": float("nan")},
    "text for a number": {"recipe__steps": "4"},
    "a fraction for a number": {"recipe__steps": 4.0},
    "truth for a number": {"recipe__steps": True},
    "a list for a number": {"options__n_hidden": [8]},
    "a warm-up without end": {"recipe__warmup": 10**6},
    "another format": {"format": 3},
    "no version": {"versions": {"charlm": 2}},
    "a model that is none": {"model": "os.system"},
    "a dunder": {"model": "__class__"},
    "the options of another": {"model": "gated"},
    "no recipe": {"recipe": None},
    "a recipe for counts": {"model": "ngram", "options": {"order": 2, "smoothing": 0}},
    "unsorted": {"chars": ["b", "a"]},
    "twice the same": {"chars": ["a", "a"]},
    "two in one": {"chars": ["ab"]},
    "none in one": {"chars": [""]},
    "half a character": {"chars": ["a", "\ud800"]},
    "numbers for characters": {"chars": [1, 2]},
    "a field too many": {"more": 1},
    "no hash": {"data__sha256": "0" * 63 + "\n"},
    "a number for a path": {"data__path": 1},
}


@pytest.mark.parametrize("case", OUT_OF_RANGE)
def test_a_config_that_asks_for_too_much(run, refused, case):
    config = json.loads((run / CONFIG).read_text())
    (run / CONFIG).write_text(json.dumps(changed(config, **OUT_OF_RANGE[case])))
    with pytest.raises(InputError) as error:
        open_run(run)
    sentence = str(error.value)
    assert "does not belong" not in sentence  # which any change leads to, in the end
    assert refused("info", run) == sentence
    with pytest.raises(InputError):
        trainer.resume(run)


def test_a_config_that_asks_for_too_much_is_refused_by_every_command(run, all_refused):
    config = json.loads((run / CONFIG).read_text())
    (run / CONFIG).write_text(json.dumps(changed(config, recipe__steps=10**30)))
    all_refused(run, *COMMANDS, RESUME)


RAW = {
    "empty": b"",
    "null": b"null",
    "a list": b"[]",
    "not UTF-8": b'{"model": "\xff"}',
    "a pickle": pickle.dumps({"model": "mlp"}),
    "deep": b"[" * 10**6,
    "deep inside": b'{"options": ' * 10**5,
    "unfinished": b'{"format": 1, "model": "ml',
}


@pytest.mark.parametrize("case", RAW)
def test_a_config_that_is_no_config(run, all_refused, case):
    (run / CONFIG).write_bytes(RAW[case])
    all_refused(run, *COMMANDS, RESUME)


def test_of_two_values_for_one_key_one_is_taken_and_checked(run, refused):
    text = (run / CONFIG).read_text()
    (run / CONFIG).write_text(text.replace("{", '{"model": "ngram", ', 1))
    assert open_run(run).config.model == "mlp"
    (run / CONFIG).write_text(text.rstrip().removesuffix("}") + ', "model": "ngram"}')
    refused("sample", run)


def test_a_run_whose_config_lacks_what_came_later_is_the_same(few_words, tmp_path):
    """A field that an older charlm did not write does not break the seal."""
    out = tmp_path / "run"
    trained = trainer.train(few_words, out=out, model="ngram", order=2, smoothing=0.1)
    config = json.loads((out / CONFIG).read_text())
    del config["longest"], config["options"]["fallback"]
    text = json.dumps(config, indent=2, ensure_ascii=False)
    tensors, state = trained.store.read_tensors(MODEL)
    older = Store(out, trained.config, digest=digest_of(text))
    (out / CONFIG).write_text(text + "\n")
    older.write_tensors(MODEL, tensors, state)
    opened = open_run(out)
    assert opened.config.longest is None and opened.limit == 100
    words = opened.words("dev")
    assert opened.evaluate(words) == trained.evaluate(words)


def test_a_config_without_end(run, all_refused):
    os.truncate(run / CONFIG, 2**40)
    sentence = all_refused(run, *COMMANDS, RESUME)
    assert sentence.endswith("is too long for a configuration")


def test_a_config_of_every_character_is_read(run, refused):
    """30 MB are read, and found not to belong to the tensors."""
    config = json.loads((run / CONFIG).read_text())
    every = [chr(i) for i in range(0x110000) if not 0xD800 <= i < 0xE000]
    (run / CONFIG).write_text(json.dumps(changed(config, chars=every[: 2 * 10**5])))
    refused("sample", run)


# Files that are missing, cut off, exchanged, or something else


class Evil:
    """What unpickles as a call."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def cut(path):
    os.truncate(path, path.stat().st_size // 2)


def cut_one(path):
    os.truncate(path, path.stat().st_size - 3)


def longer(path):
    path.write_bytes(path.read_bytes() + b"\0")


def emptied(path):
    os.truncate(path, 0)


def folder(path):
    path.unlink()
    path.mkdir()


def fifo(path):
    path.unlink()
    os.mkfifo(path)


def endless(path):
    path.unlink()
    path.symlink_to("/dev/zero")


def dangling(path):
    path.unlink()
    path.symlink_to("nowhere")


def zeros(path):
    path.write_bytes(b"\0" * 100)


def boundless(path):
    path.write_bytes(struct.pack("<Q", 2**63) + b"{}")


def pickled(path):
    path.write_bytes(pickle.dumps(Evil(path.parents[1] / "opened")))


def saved_by_torch(path):
    torch.save({"weight": Evil(path.parents[1] / "opened")}, path)


DAMAGES = [
    *(os.unlink, cut, cut_one, longer, emptied, folder, fifo, endless, dangling),
    *(zeros, boundless, pickled, saved_by_torch),
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("name", [CONFIG, MODEL, STATE])
def test_a_damaged_file(run, all_refused, command, name, damage):
    damage(run / name)
    if (name, damage) == (CONFIG, longer):
        (run / name).write_text("{}")
    if name != STATE:
        all_refused(run, *(COMMANDS if damage is cut else COMMANDS[:1]), RESUME)
    else:
        all_refused(run, RESUME)
        assert command("sample", run)[0] == 0
    assert not (run.parent / "opened").exists()


@pytest.mark.parametrize("damage", [cut, emptied, pickled, os.unlink, dangling])
def test_the_metrics_are_written_and_never_read(run, damage):
    before = (run / METRICS).read_text()
    (run / STATE).unlink()
    (run / MODEL).unlink()  # so it begins again
    damage(run / METRICS)
    for _ in trainer.resume(run):
        pass
    after = (run / METRICS).read_text()
    assert [line.split(",")[:4] for line in after.splitlines()] == [
        line.split(",")[:4] for line in before.splitlines()
    ]
    assert not (run.parent / "opened").exists()


@pytest.mark.parametrize("name", [MODEL, STATE])
def test_a_file_of_another_run(run, trained, all_refused, name):
    shutil.copy(trained / "other" / name, run / name)
    sentence = all_refused(run, *(COMMANDS if name == MODEL else []), RESUME)
    assert sentence == f"{run / name} does not belong to this run's {CONFIG}"


def test_files_in_each_others_place(run, all_refused):
    (run / MODEL).rename(run / "aside")
    (run / STATE).rename(run / MODEL)
    (run / "aside").rename(run / STATE)
    sentence = all_refused(run, *COMMANDS, RESUME)
    assert sentence.endswith("holds other tensors than this model has")


def test_no_training_begins_over_parameters_that_are_there(run, all_refused, command):
    (run / STATE).unlink()
    before = (run / MODEL).read_bytes()
    assert f"remove {MODEL} to begin again" in all_refused(run, RESUME)
    assert (run / MODEL).read_bytes() == before
    (run / MODEL).unlink()
    assert command("train", "--resume", run)[0] == 0
    assert (run / MODEL).exists()


def test_nor_where_the_first_evaluation_was_the_best(run, all_refused):
    kept = Store.open(run)
    tensors, state = kept.read_tensors(MODEL)
    kept.write_tensors(
        MODEL, tensors, state.model_copy(update={"rows": state.rows[:1]})
    )
    (run / STATE).unlink()
    assert "cannot go on" in all_refused(run, RESUME)


def test_a_state_without_parameters_says_how_to_begin_again(run, all_refused, command):
    (run / MODEL).unlink()
    assert f"remove {STATE} to begin again" in all_refused(run, RESUME)
    (run / STATE).unlink()
    assert command("train", "--resume", run)[0] == 0


def test_a_file_that_may_not_be_read_says_so(run, refused, monkeypatch):
    opened = type(run).open

    def forbidden(path, *args, **named):  # root may read all files
        if path.name == MODEL:
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(path, *args, **named)

    monkeypatch.setattr(type(run), "open", forbidden)
    assert refused("info", run) == f"{run / MODEL} cannot be read: Permission denied"


def test_a_model_older_than_the_state(run, trained, all_refused):
    tensors = load_file(run / MODEL)
    Store.open(run).write_tensors(MODEL, tensors, TrainState(step=1))
    assert "is older than" in all_refused(run, RESUME)


def test_an_empty_folder_and_no_folder(refused, tmp_path):
    assert refused("sample", tmp_path).endswith(f"it has no {CONFIG}")
    for nowhere in (tmp_path / "none", "a" * 300, "/dev/zero"):
        assert "there is no such run directory" in refused("sample", nowhere)


def test_a_run_without_parameters_yet_says_how_to_get_them(run, refused):
    (run / MODEL).unlink()
    assert f"go on with charlm train --resume {run}" in refused("sample", run)


# Tensors and notes that are well-formed and wrong


def rewritten(path, tensors=None, **notes):
    """Write a safetensors file with its own fingerprint, and anything else changed."""
    kept = Store.open(path.parent)
    before, state = kept.read_tensors(path.name)
    right = {"run": kept.digest, "progress": state.model_dump_json()}
    path.write_bytes(save({**before, **(tensors or {})}, right | notes))


PROGRESS = {
    "nothing": "",
    "negative": '{"step": -1}',
    "beyond all": f'{{"step": {10**400}}}',
    "more than there are": '{"step": 5}',
    "a negative count": '{"step": 2, "loss_count": -1}',
    "rows of nonsense": '{"step": 2, "rows": ["a", null, 7]}',
    "a row of text": '{"step": 2, "rows": [{"step": "2"}]}',
    "a step beyond all": '{"step": 2, "rows": [{"step": 1e999, "train_loss": 1, '
    '"dev_loss": 1, "learning_rate": 1, "seconds": 1}]}',
    "deep": "[" * 10**5,
    "a field too many": '{"step": 2, "__class__": "os"}',
}


@pytest.mark.parametrize("case", PROGRESS)
def test_progress_of_nonsense(run, all_refused, case):
    rewritten(run / STATE, progress=PROGRESS[case])
    all_refused(run, RESUME)


def a_weight(run):
    return next(name for name in load_file(run / MODEL) if name.endswith("weight"))


TENSORS = {
    "another shape": lambda t: torch.zeros(1, *t.shape),
    "another type": lambda t: t.double(),
    "half precision": lambda t: t.half(),
    "complex": lambda t: t.to(torch.complex64),
    "no numbers": lambda t: t[:0],
}


@pytest.mark.parametrize("case", TENSORS)
@pytest.mark.parametrize("name", [MODEL, STATE])
def test_tensors_of_another_kind(run, all_refused, name, case):
    weight = "model." * (name == STATE) + a_weight(run)
    tensor = TENSORS[case](load_file(run / name)[weight])
    rewritten(run / name, {weight: tensor.contiguous()})
    all_refused(run, RESUME, *(COMMANDS if name == MODEL else []))


def test_a_tensor_too_many(run, all_refused):
    rewritten(run / MODEL, {"more": torch.zeros(1)})
    all_refused(run, *COMMANDS, RESUME)


def test_parameters_that_are_no_numbers(run, refused, command):
    weight = a_weight(run)
    spoilt = torch.full_like(load_file(run / MODEL)[weight], float("nan"))
    rewritten(run / MODEL, {weight: spoilt})
    assert "the model's parameters are spoiled" in refused("sample", run)


def unfinished(run):
    """Put a run back to its second step, so that there is more to be made."""
    kept = Store.open(run)
    tensors, _ = kept.read_tensors(STATE)
    kept.write_tensors(STATE, tensors, TrainState(step=2))


@pytest.mark.parametrize(
    "name, tensor",
    [
        ("generator", torch.zeros(5056, dtype=torch.uint8)),
        ("generator", torch.full((5056,), 255, dtype=torch.uint8)),
        ("generator", torch.zeros(16, dtype=torch.uint8)),
        ("optimizer.0.step", torch.tensor(-1.0)),
        ("optimizer.0.step", torch.tensor(float("nan"))),
        ("optimizer.0.step", torch.tensor([2.0])),
    ],
)
def test_a_state_that_cannot_be(run, all_refused, name, tensor):
    unfinished(run)
    rewritten(run / STATE, {name: tensor})
    all_refused(run, RESUME)


@pytest.mark.parametrize(
    "name, value",
    [
        ("optimizer.0.exp_avg", float("nan")),
        ("optimizer.0.exp_avg_sq", -1.0),
        ("optimizer.0.step", float("inf")),
        ("optimizer.0.step", 1e30),
    ],
)
def test_moments_of_nonsense_stop_or_go_on_but_never_break(run, command, name, value):
    unfinished(run)
    tensor = load_file(run / STATE)[name]
    rewritten(run / STATE, {name: torch.full_like(tensor, value)})
    assert command("train", "--resume", run)[0] in (0, 1)


COUNTS = {
    "negative": {"key_counts": lambda t: -t},
    "unsorted": {"keys": lambda t: t.flip(0)},
    "too few": {"key_counts": lambda t: t[1:]},
    "fractions": {"keys": lambda t: t.double()},
    "a matrix": {"keys": lambda t: t[:, None]},
    "negative keys": {"levels.0": lambda t: t - 100},
    "a level too many": {"levels.7": lambda t: t},
}


@pytest.mark.parametrize("case", COUNTS)
def test_counts_that_cannot_be(ngram, all_refused, case):
    tensors = load_file(ngram / MODEL)
    changes = {
        name: change(tensors.get(name, tensors["keys"])).contiguous()
        for name, change in COUNTS[case].items()
    }
    rewritten(ngram / MODEL, changes)
    all_refused(ngram, *COMMANDS)


# Paths that lead elsewhere


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret"
    path.write_text("the secret\n" * 20)
    return path


@pytest.mark.parametrize("kind", ["secret", "relative", "fifo", "folder", "null"])
def test_a_path_in_the_config_gives_nothing_away(
    run, secret, all_refused, command, monkeypatch, kind
):
    """Only the very file that the run learned from is read: it is known by its hash."""
    monkeypatch.chdir(run)
    os.mkfifo(run.parent / "fifo")
    path = {
        "secret": str(secret),
        "relative": "../secret",
        "fifo": str(run.parent / "fifo"),
        "folder": "/",
        "null": "a\0b",
    }[kind]
    (run / STATE).unlink()
    rewritten_config = {"data__path": path, "data__bytes": secret.stat().st_size}
    shutil.copy(run / MODEL, run / STATE)
    signed(run, **rewritten_config)
    (run / STATE).unlink()
    commands = [("evaluate", "RUN"), ("sample", "RUN", "--novel"), RESUME]
    for one in commands:
        assert "the secret" not in all_refused(run, one)
    assert command("sample", run)[0] == 0
    with pytest.raises(RunError):
        open_run(run).words()


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="there is no /dev/zero")
def test_a_path_to_an_endless_file(run, all_refused):
    signed(run, data__path="/dev/zero")
    all_refused(run, ("evaluate", "RUN"), ("sample", "RUN", "--novel"))


def test_markup_in_a_path_is_shown_as_it_is(trained, tmp_path, command):
    folder = tmp_path / "x["
    folder.mkdir()
    shutil.copytree(trained / "mlp", folder / "b]")
    shutil.copy(trained / "words.txt", folder)
    assert command("compare", folder / "b]")[0] == 0
    signed(folder / "b]", data__path=str(folder / "red] words"))
    status, out, _ = command("info", folder / "b]")
    assert status == 0 and "red]words" in "".join(out.split())
