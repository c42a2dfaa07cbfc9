"""A run that is moved, shared, fed from a pipe, or older than this version."""

import io
import json
import os
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

import charlm
from charlm.runs import trainer
from charlm.runs.run import open_run
from charlm.runs.store import RunError

SHORT: dict[str, Any] = {
    "model": "mlp",
    "n_hidden": 4,
    "n_embd": 2,
    "steps": 4,
    "eval_every": 2,
}
FORMAT_1 = Path(__file__).parent / "format_1"


@pytest.fixture
def home(tmp_path, names, monkeypatch):
    """A folder with a file of words and a run, where the user is."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.chdir(folder)
    Path("words.txt").write_text("\n".join(names[:100]))
    trainer.train("words.txt", out="runs/first", **SHORT)
    return folder


def config(run):
    return json.loads((run / "config.json").read_text(encoding="utf-8"))


def test_a_config_names_no_place_and_tells_the_versions(home):
    found = config(home / "runs/first")
    assert found["data"]["path"] == "../../words.txt"
    assert str(home.parent) not in json.dumps(found)
    assert found["format"] == 2
    assert found["versions"] == {
        "charlm": charlm.__version__,
        "torch": torch.__version__,
    }


def everything(home, tmp_path):
    shutil.move(home, tmp_path / "elsewhere")
    return tmp_path / "elsewhere/runs/first"


def the_run_with_its_file_inside(home, tmp_path):
    run = shutil.copytree(home / "runs/first", tmp_path / "far/away/run")
    return shutil.move(home / "words.txt", run) and run


def the_run_with_its_file_beside_it(home, tmp_path):
    run = shutil.copytree(home / "runs/first", tmp_path / "far/away/run")
    return shutil.move(home / "words.txt", run.parent) and run


def the_run_alone(home, tmp_path):
    return shutil.move(home / "runs/first", tmp_path / "run")


MOVES = [everything, the_run_with_its_file_inside, the_run_with_its_file_beside_it]


@pytest.mark.parametrize(
    "move", [*MOVES, the_run_alone], ids=lambda move: move.__name__
)
def test_a_run_that_was_moved_finds_its_words(home, tmp_path, monkeypatch, move):
    before = open_run("runs/first").words("dev")
    run = move(home, tmp_path)
    if move is not the_run_alone:  # its file lies where the user is
        monkeypatch.chdir(tmp_path)
    assert open_run(run).words("dev") == before


def test_a_run_far_from_its_words_is_told_their_file(
    home, tmp_path, command, refused, monkeypatch
):
    run = Path(shutil.move("runs/first", tmp_path / "run"))
    words = shutil.move("words.txt", tmp_path / "list")
    monkeypatch.chdir(tmp_path)
    gone = refused("evaluate", run)
    assert gone.endswith(
        "words.txt, which the run learned from, is not there: name it by --words"
    )
    status, alone, _ = command("evaluate", run, "--words", words)
    assert status == 0 and "dev: " in alone
    for arguments in (["sample", run, "--novel"], ["compare", run]):
        assert refused(*arguments) == gone
        assert command(*arguments, "--words", words)[0] == 0
    for name in ("state", "model"):
        (run / f"{name}.safetensors").unlink()
    assert refused("train", "--resume", run) == gone
    assert command("train", "--resume", run, "--words", words)[0] == 0
    again = trainer.resume(run, words=words)
    assert again.finished and again.run.words("dev")
    (tmp_path / "other").write_text("\n".join(["emma"] * 20))
    told = refused("evaluate", run, "--words", tmp_path / "other")
    assert "other is not the file that the run learned from: it is recog" in told
    told = refused("evaluate", run, "--words", tmp_path / "none")
    assert "which the run learned from, is not there" in told
    assert "goes with --resume" in refused("train", words, "--words", words)


def test_another_file_of_the_same_name_is_passed_by(home, tmp_path, monkeypatch):
    """The digest decides: the wrong file is nearer."""
    right = open_run("runs/first").words("dev")
    content = Path("words.txt").read_text()
    (home / "runs/first/words.txt").write_text(content.replace("emma", "anna"))
    assert open_run("runs/first").words("dev") == right
    Path("words.txt").unlink()
    with pytest.raises(RunError, match="is not the file that the run learned from"):
        open_run("runs/first").words("dev")


def test_a_run_in_a_linked_folder_finds_its_words(home, tmp_path):
    (tmp_path / "disk").mkdir()
    (home / "linked").symlink_to(tmp_path / "disk")
    trainer.train("words.txt", out="linked/run", **SHORT)
    os.chdir(tmp_path)
    assert open_run(home / "linked/run").words("dev")


def feed(monkeypatch, content):
    stream = io.BytesIO(content)
    stream.name = "<stdin>"
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=stream))


@pytest.mark.parametrize("model", ["mlp", "ngram"])
def test_standard_input(home, command, monkeypatch, tmp_path, model):
    content = Path("words.txt").read_bytes()
    size = ["--n-hidden", 4, "--n-embd", 2, "--steps", 4] if model == "mlp" else []
    arguments = ["train", "-", "--out", "piped", "--model", model, *size]
    feed(monkeypatch, content)
    assert command(*arguments)[0] == 0
    assert Path("piped/words.txt").read_bytes() == content
    assert config(home / "piped")["data"]["path"] == "words.txt"
    shutil.move("piped", tmp_path / "moved")
    status, _, err = command("sample", tmp_path / "moved", "--novel", "-n", 3)
    assert (status, err) == (0, "")
    feed(monkeypatch, b"emma\nava\n")
    status, out, _ = command("evaluate", tmp_path / "moved", "-", "--json")
    assert status == 0 and json.loads(out)["characters"] == 9


def test_a_closed_standard_input(refused, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    assert refused("train", "-") == "there is no standard input: name a file of words"


@pytest.mark.parametrize(
    "content, sentence",
    [
        (b"", "<stdin> contains no words"),
        (b"emma\n", "has 1 word: it takes 10"),
        (b"emma\n" * 20 + b"\xff", "<stdin>, line 21: this is not UTF-8 text"),
    ],
)
def test_standard_input_that_cannot_be_learned_from(
    content, sentence, refused, monkeypatch, tmp_path
):
    feed(monkeypatch, content)
    assert sentence in refused("train", "-", "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_standard_input_is_not_for_several_processes(refused, monkeypatch, tmp_path):
    monkeypatch.setenv("WORLD_SIZE", "2")
    sentence = refused("train", "-", "--out", tmp_path / "run")
    assert sentence == "several processes cannot share standard input"


# What charlm 0.1 left: its tensors carry the hash of a text without the later fields.


@pytest.mark.parametrize("model, loss", [("mlp", 3.162370), ("ngram", 2.626387)])
def test_a_run_of_format_1_opens(tmp_path, model, loss):
    shutil.copytree(FORMAT_1, tmp_path / "old")
    run = open_run(tmp_path / "old" / model)
    assert run.config.format == 1 and run.config.versions is None
    assert run.config.data.path == "/home/emma/words.txt"  # and there is none now
    assert run.evaluate(run.words("dev")).loss == pytest.approx(loss, rel=1e-5)
    assert len(run.history) == {"mlp": 2, "ngram": 1}[model]


def test_a_run_of_format_1_goes_on(tmp_path, command):
    shutil.copytree(FORMAT_1, tmp_path / "old")
    for name in ("state", "model"):
        (tmp_path / f"old/mlp/{name}.safetensors").unlink()
    assert command("train", "--resume", tmp_path / "old/mlp")[0] == 0
    assert open_run(tmp_path / "old/mlp").history[-1].step == 4
