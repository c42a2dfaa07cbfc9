"""The command line: what a user types, sees on each stream, and gets as a status."""

import ast
import csv
import json
import os
import runpy
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from rich.console import Console

from charlm.runs import cli
from charlm.runs.config import MODELS

TINY = ["--steps", "20", "--batch-size", "16", "--eval-every", "5"]
DRAW_LOSSES = cli._draw_losses
SMALL = {"n_embd": "4", "n_hidden": "8"}


@pytest.fixture
def run(command, monkeypatch, tmp_path):
    """Run `charlm ...` in an empty folder: status, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    return command


@pytest.fixture
def words(tmp_path, names):
    path = tmp_path / "words.txt"
    path.write_text("\n".join(names[:500]))
    return path


def small(model):
    """The arguments that make a model small and its training short."""
    sizes = [(k, v) for k, v in SMALL.items() if k in MODELS[model].options]
    flags = [part for k, v in sizes for part in (f"--{k.replace('_', '-')}", v)]
    return ["--model", model, *flags, *(TINY if MODELS[model].recipe else [])]


@pytest.mark.parametrize("model", MODELS)
def test_each_model_through_the_same_commands(run, words, model):
    status, out, _ = run("train", words, *small(model), "--json")
    assert status == 0
    trained = json.loads(out)
    assert trained["run"] == f"runs/{model}" and trained["parameters"] > 0

    with open(f"runs/{model}/metrics.csv") as file:
        best = min(float(row["dev_loss"]) for row in csv.DictReader(file))
    assert trained["loss"] == pytest.approx(best, abs=1e-6)

    status, out, _ = run("evaluate", f"runs/{model}", "--json")
    score = json.loads(out)
    assert {*score} == {"loss", "bits_per_char", "standard_error", "characters"}
    assert score["loss"] == trained["loss"]

    status, out, err = run("sample", f"runs/{model}", "-n", 5, "--seed", 1)
    assert status == 0 and len(out.splitlines()) == 5 and err == ""
    assert run("sample", f"runs/{model}", "-n", 5, "--seed", 1)[1] == out

    status, out, _ = run("info", f"runs/{model}")
    assert status == 0 and f"{trained['parameters']:,}" in out
    found = json.loads(run("info", f"runs/{model}", "--json")[1])["layers"]
    if model != "ngram":
        assert sum(size for *_, size in found) == trained["parameters"]


def test_results_on_stdout_and_progress_on_stderr(run, words):
    _, out, err = run("train", words, *small("mlp")[:-2])  # as often as by default
    assert "bits a character" in out and "step" not in out
    assert len(err.splitlines()) == 20 and all("dev" in x for x in err.splitlines())


@pytest.mark.parametrize("every", [5, 20])
def test_the_losses_are_drawn_be_they_many_or_one(run, words, monkeypatch, every):
    monkeypatch.setattr(cli, "_draw_losses", DRAW_LOSSES)
    run("train", words, *small("mlp"), "--eval-every", every)
    assert os.path.getsize("runs/mlp/loss.png") > 1000


def test_samples_keep_to_what_is_asked_for(run, words, names):
    run("train", words, *small("mlp"))
    _, out, _ = run("sample", "runs/mlp", "-n", 30, "--prefix", "ma", "--novel")
    found = out.splitlines()
    assert len(set(found)) == 30 and all(word.startswith("ma") for word in found)
    assert not set(found) & set(names[:500])
    _, out, _ = run("sample", "runs/mlp", "--top-k", 1, "-n", 4, "--json")
    assert len(set(json.loads(out)["words"])) == 1


def test_novel_says_when_it_cannot_find_enough(run, tmp_path):
    path = tmp_path / "few.txt"
    path.write_text("ab\n" * 40)
    run("train", path, "--model", "ngram", "--order", 3, "--smoothing", 0)
    status, out, err = run("sample", "runs/ngram", "--novel", "-n", 7)
    assert status == 0 and out.strip() == ""
    assert err == "found only 0 of 7 words that the file lacks\n"


def test_compare_puts_the_best_first_with_paired_differences(run, words):
    run("train", words, *small("mlp"))
    run("train", words, *small("ngram"))
    status, out, _ = run("compare", "runs/mlp", "runs/ngram", "--json")
    first, second = json.loads(out)
    assert status == 0 and first["loss"] < second["loss"]
    assert first["difference"] is None
    assert second["difference"] == pytest.approx(second["loss"] - first["loss"])
    assert 0 < second["difference_standard_error"] < 0.5
    assert "runs/mlp" in run("compare", "runs/mlp", "runs/ngram")[1]


def test_evaluate_takes_other_words(run, words, tmp_path, names):
    run("train", words, *small("ngram"))
    other = tmp_path / "other.txt"
    other.write_text("\n".join(names[500:600]))
    _, out, _ = run("evaluate", "runs/ngram", other, "--json")
    characters = sum(len(name) + 1 for name in names[500:600])
    assert json.loads(out)["characters"] == characters


def test_an_infinite_loss_is_null_in_json(run, tmp_path):
    train, other = tmp_path / "ab.txt", tmp_path / "other.txt"
    train.write_text("ab\n" * 40)
    other.write_text("ba\n")
    run("train", train, "--model", "ngram", "--order", 2, "--smoothing", 0)
    status, out, _ = run("evaluate", "runs/ngram", other, "--json")
    score = json.loads(out)
    assert status == 0 and score["loss"] is None and score["characters"] == 3


def test_a_finished_run_is_not_trained_further(run, words):
    run("train", words, *small("mlp"))
    before = Path("runs/mlp/state.safetensors").read_bytes()
    status, _, err = run("train", "--resume", "runs/mlp")
    assert (status, err) == (0, "")
    assert Path("runs/mlp/state.safetensors").read_bytes() == before


MISTAKES = {
    "no such option": ["train", "--model", "mlp", "--order", "3"],
    "no such model": ["train", "--model", "rwkv"],
    "no steps": ["train", "--steps", "0"],
    "no number": ["train", "--learning-rate", "nan"],
    "warm-up too long": ["train", "--steps", "5", "--warmup", "9"],
    "odd tree": ["train", "--block-size", "6"],
    "too large": ["train", "--n-hidden", "16384", "--n-embd", "16384"],
    "no such device": ["train", "--device", "tpu"],
    "no such file": ["train", "nowhere.txt"],
    "no such run": ["sample", "nowhere"],
    "resume with more": ["train", "--resume", "runs/ngram", "--steps", "9"],
    "resume of counts": ["train", "--resume", "runs/ngram"],
    "run is there": ["train", "--model", "ngram"],
    "no such split": ["evaluate", "runs/ngram", "--split", "best"],
    "frozen": ["sample", "runs/ngram", "--temperature", "0"],
    "no words": ["sample", "runs/ngram", "-n", "-1"],
    "unknown character": ["sample", "runs/ngram", "--prefix", "Ma"],
}


def test_a_mistake_gets_one_sentence_and_status_2(run, words):
    run("train", words, *small("ngram"))
    for mistake, arguments in MISTAKES.items():
        status, out, err = run(*arguments)
        assert (status, out) == (2, ""), mistake
        assert err.startswith("charlm: ") and err.count("\n") == 1, (mistake, err)
    assert os.listdir("runs") == ["ngram"]


def test_help_shows_every_default_and_imports_no_torch():
    script = """
import sys
from charlm.runs.cli import main
for command in ("", "train", "sample", "evaluate", "compare", "info"):
    sys.argv = ["charlm", *command.split(), "--help"]
    try: main()
    except SystemExit as end: assert not end.code, command
assert not {"torch", "matplotlib"} & {*sys.modules}, "heavy imports"
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=os.environ | {"COLUMNS": "80"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Usage") == 6
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_tables_are_text_in_a_notebook_too(monkeypatch):
    class ZMQInteractiveShell: ...

    monkeypatch.setattr("builtins.get_ipython", ZMQInteractiveShell, raising=False)
    assert Console().is_jupyter  # what rich does unless it is told not to
    loaded = runpy.run_path(cli.__file__)
    assert not loaded["out"].is_jupyter and not loaded["err"].is_jupyter


def test_version(run):
    assert run("--version")[1] == f"charlm {version('charlm')}\n"


def test_each_option_is_defined_once():
    """A flag that two commands share has one definition, not two alike."""
    tree = ast.parse(Path(cli.__file__).read_text())
    calls = [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("typer.Option", "typer.Argument", "_setting")
    ]
    assert len(calls) == len({*calls})


def test_evaluate_full_says_how_sure_the_loss_is_and_what_is_memory(run, words):
    run("train", words, *small("ngram"))
    _, plain, _ = run("evaluate", "runs/ngram")
    status, out, err = run("evaluate", "runs/ngram", "--full")
    assert (status, err) == (0, "") and out.startswith(plain)
    for part in ("drawn anew", "occur in train", "the model wrote", "calibration"):
        assert part in out
    _, out, _ = run("evaluate", "runs/ngram", "--full", "--split", "train", "--json")
    found = json.loads(out)
    low, high = found["interval"]
    assert low < found["loss"] < high
    assert found["share_seen"] == 1 and found["unseen"] is None
    assert found["seen"]["loss"] == found["loss"]
