"""The command line: what a user types, sees on each stream, and gets as a status."""

import ast
import csv
import json
import os
import random
import re
import runpy
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file

import charlm
from charlm.runs import cli, trainer
from charlm.runs.config import MODELS, SPLITS

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
    found, *steps, sample, other, beside = err.splitlines()
    assert found.startswith("500 words, 26 characters: abc")
    assert len(steps) == 20 and all("dev" in line for line in steps)
    assert sample == "for words: charlm sample runs/mlp --novel"
    assert other == f"for another model: charlm train {words} --model ngram"
    assert beside == "then side by side: charlm compare runs/mlp runs/ngram"


def test_its_advice_can_be_typed_as_it_stands(run, names):
    Path("my words.txt").write_text("\n".join(names[:200]))
    arguments = ["my words.txt", *small("ngram"), "--out", "it's mine"]
    _, _, err = run("train", *arguments)
    advice = err.splitlines()[-3:]
    sample, other, beside = (line.partition(": ")[2] for line in advice)
    assert shlex.split(sample)[2] == "it's mine"
    assert shlex.split(other)[2:] == ["my words.txt", "--model", "gru"]
    for line in (sample, [*shlex.split(other)[1:], *TINY, "--n-hidden", "4"], beside):
        typed = line if isinstance(line, list) else shlex.split(line)[1:]
        assert run(*typed)[0] == 0, line


@pytest.mark.parametrize("model", ["mlp", "ngram"])
def test_quiet_says_the_result_and_nothing_else(run, words, model):
    status, out, err = run("train", words, *small(model), "--quiet")
    assert (status, err) == (0, "") and "bits a character" in out
    if model == "mlp":
        for name in ("state", "model"):
            Path(f"runs/mlp/{name}.safetensors").unlink()
        assert run("train", "--resume", "runs/mlp", "-q")[::2] == (0, "")


@pytest.mark.parametrize(
    "line, values",
    [
        ("charlm train --model ", set(MODELS)),
        ("charlm train --model w", {"wavenet"}),
        ("charlm sample runs/first --device ", {"auto", "cpu", "cuda", "mps"}),
        ("charlm evaluate runs/first --split ", {*SPLITS}),
        ("charlm compare runs/first --split t", {"train", "test"}),
    ],
)
def test_the_shell_completes_values(line, values):
    environment = {"_CHARLM_COMPLETE": "complete_bash", "COMP_WORDS": line}
    environment |= {"COMP_CWORD": str(len(line.split(" ")) - 1)}
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; sys.argv = ['charlm']\nfrom charlm.runs.cli"
            " import app\napp(prog_name='charlm')",
        ],
        capture_output=True,
        text=True,
        env=os.environ | environment,
    )
    assert {*done.stdout.split()} == values, done.stderr


IMPORTED = """
import runpy, sys
sys.argv = ["charlm", {argument!r}]
try:
    runpy.run_module("charlm", run_name="__main__")
except SystemExit:
    print(*[name for name in ("torch", "numpy", "pydantic") if name in sys.modules])
"""


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_the_version_and_help_import_nothing_heavy(argument):
    """They take a fifth of a second of CPU then; torch alone takes a whole one."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED.format(argument=argument)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and done.stdout.splitlines()[-1] == "", done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="it has no signals")
@pytest.mark.parametrize(
    "number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_a_signal_saves_the_training(run, words, monkeypatch, number, status):
    """As Ctrl-C, and as a machine that is shut down, or `kill`: no step is lost."""
    arguments = [words, *small("mlp"), "--eval-every", "20"]
    run("train", *arguments, "--out", "whole")
    seen = []

    def stop_at(step):
        seen.append(step)
        if len(seen) == 7:
            signal.raise_signal(number)

    make = trainer.training_steps
    monkeypatch.setattr(
        trainer,
        "training_steps",
        lambda *a: (stop_at(step) or step for step in make(*a)),
    )
    handlers = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    found, out, err = run("train", *arguments, "--out", "cut off")
    assert (found, out) == (status, "")
    assert err.splitlines()[-2:] == [
        "stopped after step 7 of 20",
        "to go on: charlm train --resume 'cut off'",
    ]
    assert signal.getsignal(signal.SIGTERM) == handlers[1]
    assert run("train", "--resume", "cut off")[0] == 0
    both = [load_file(f"{name}/model.safetensors") for name in ("whole", "cut off")]
    assert all(torch.equal(tensor, both[1][name]) for name, tensor in both[0].items())


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


@pytest.fixture
def long_words(run, tmp_path):
    """A run of 40 words of 150 letters, which it knows by heart."""
    letters = random.Random(3)
    known = ["".join(letters.choices("abcdefghij", k=150)) for _ in range(40)]
    (tmp_path / "long.txt").write_text("\n".join(known))
    status, *_ = run(
        *("train", "long.txt", "--model", "ngram", "--order", 12, "--smoothing", 0)
    )
    assert status == 0
    return known


def test_words_of_the_longest_length_are_not_cut(run, long_words):
    status, out, err = run("sample", "runs/ngram", "-n", 50, "--seed", 1)
    assert (status, err) == (0, "")
    assert {*out.split()} <= {*long_words}


def test_a_beginning_of_a_known_word_is_not_novel(run, long_words):
    status, out, err = run("sample", "runs/ngram", "-n", 50, "--novel")
    assert (status, out) == (0, "")
    assert err == "found only 0 of 50 words that the file lacks\n"
    _, out, err = run("sample", "runs/ngram", "-n", 5, "--novel", "--max-length", 99)
    assert (out, err) == ("", "found only 0 of 5 words that the file lacks\n")


@pytest.mark.parametrize("kind", [[], ["--json"]])
def test_a_cut_is_said(run, tmp_path, kind):
    (tmp_path / "a.txt").write_text(("a" * 49 + "\n") * 20)
    run("train", "a.txt", "--model", "ngram", "--order", 1, "--smoothing", 0)
    status, out, err = run("sample", "runs/ngram", "-n", 100, "--seed", 1, *kind)
    words = json.loads(out)["words"] if kind else out.splitlines()
    cut = re.fullmatch(
        r"(\d+) of 100 words had not ended and are cut at 100 characters: "
        "--max-length draws whole ones\n",
        err,
    )
    assert status == 0 and cut and len(words) == 100
    assert 0 < int(cut[1]) <= sum(len(word) == 100 for word in words)


def test_lengths_are_kept_to(run, words):
    run("train", words, "--model", "ngram", "--order", 3, "--smoothing", 0)
    sample = "sample", "runs/ngram", "-n", 200, "--seed", 1
    _, out, err = run(*sample, "--min-length", 7, "--max-length", 8)
    assert err == "" and len(out.split()) == 200
    assert {*map(len, out.split())} == {7, 8}
    _, out, _ = run(*sample, "--min-length", 7, "--novel")
    assert len({*out.split()}) == 200 and min(map(len, out.split())) == 7
    _, out, _ = run(*sample, "--max-length", 5, "--prefix", "an")
    assert all(len(word) <= 5 and word.startswith("an") for word in out.split())
    status, out, err = run(*sample, "--min-length", 90)
    assert (status, out) == (0, "")
    assert err == "found only 0 of 200 words of these lengths\n"


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
    "odd tree": ["train", "--model", "wavenet", "--block-size", "6"],
    "too large": [
        "train",
        "--model",
        "mlp",
        "--n-hidden",
        "16384",
        "--n-embd",
        "16384",
    ],
    "no such device": ["train", "--device", "tpu"],
    "no such file": ["train", "nowhere.txt"],
    "no such run": ["sample", "nowhere"],
    "resume with more": ["train", "--resume", "runs/ngram", "--steps", "9"],
    "resume of counts": ["train", "--resume", "runs/ngram"],
    "run is there": ["train", "--model", "ngram"],
    "no such split": ["evaluate", "runs/ngram", "--split", "best"],
    "frozen": ["sample", "runs/ngram", "--temperature", "0"],
    "no words": ["sample", "runs/ngram", "-n", "-1"],
    "shortest above longest": [
        "sample",
        "runs/ngram",
        *("--min-length", "9", "--max-length", "8"),
    ],
    "prefix too long": [
        "sample",
        "runs/ngram",
        "--prefix",
        "emma",
        "--max-length",
        "3",
    ],
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
assert not {"torch", "matplotlib", "numpy"} & {*sys.modules}, "heavy imports"
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
    assert run("--version")[1] == f"charlm {charlm.__version__}\n"


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
