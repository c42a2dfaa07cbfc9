"""What a program meets: names that charlm itself has, and a run made from a list."""

import copy
import importlib
import math
import subprocess
import sys
from typing import Any

import pytest

import charlm
from charlm import Run, load_words, open_run, train
from charlm.runs import trainer
from charlm.vocab import InputError

SHORT: dict[str, Any] = {
    "model": "mlp",
    "n_hidden": 8,
    "n_embd": 4,
    "steps": 4,
    "eval_every": 2,
}


class Column:
    """A column of a table, as pandas has it: a length, and values one by one."""

    def __init__(self, values):
        self.values = values

    def __len__(self):
        return len(self.values)

    def __iter__(self):
        return iter(self.values)


@pytest.fixture(scope="module")
def trained(names, tmp_path_factory):
    """A run that no test may change, of a list."""
    return train(names[:300], out=tmp_path_factory.mktemp("list") / "run", **SHORT)


NAMES = """
import sys, time
import charlm
assert not {"torch", "numpy", "pydantic"} & {*sys.modules}, "heavy imports"
took = []
for _ in range(50):
    del sys.modules["charlm"]
    start = time.perf_counter()
    import charlm
    took.append(time.perf_counter() - start)
assert min(took) < 0.001, min(took)
assert {"Run", "load_words", "open_run", "train"} <= {*dir(charlm)}
IMPORTS
from charlm import *
assert train is charlm.train is charlm.runs.trainer.train
assert open_run is charlm.runs.run.open_run and Run is charlm.runs.run.Run
assert load_words is charlm.data.load_words
from charlm.train import fit
assert fit.__module__ == "charlm.train" and charlm.train is train
"""


@pytest.mark.parametrize(
    "imports",
    [
        "",
        "import charlm.train as other; assert other is charlm.train",
        "from charlm.train import fit",
        "import importlib; importlib.reload(importlib.import_module('charlm.train'))",
    ],
)
def test_the_names_are_light_and_no_module_hides_them(imports):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", NAMES.replace("IMPORTS", imports)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_the_module_is_found_by_its_path():
    assert importlib.import_module("charlm.train") is sys.modules["charlm.train"]
    assert charlm.train is trainer.train is train
    with pytest.raises(AttributeError, match="no attribute 'fit'"):
        getattr(charlm, "fit")  # noqa: B009


def test_a_list_and_a_column_give_the_run_that_their_file_gives(
    trained, names, tmp_path
):
    file = tmp_path / "words.txt"
    file.write_text("\n".join(names[:300]))
    of_file = train(file, out=tmp_path / "file", **SHORT)
    of_column = train(Column(names[:300]), out=tmp_path / "column", **SHORT)
    for run in (of_file, of_column):
        assert run.words("dev") == trained.words("dev")
        assert run.score("emma") == trained.score("emma")
    kept = of_column.directory / "words.txt"
    assert kept.read_bytes() == file.read_bytes()
    assert not (of_file.directory / "words.txt").exists()
    again = open_run(of_column.directory)
    assert again.words() == names[:300] == load_words(kept)


def test_a_list_of_counts(names, tmp_path):
    run = train(iter(names[:50]), out=tmp_path / "run", model="ngram")
    assert sorted(open_run(run.directory).words()) == sorted(names[:50])


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["emma", float("nan")] * 9, "a word is a string: got nan at place 1"),
        (["emma", "a\nb"] * 9, "a word has no line break: got 'a\\nb'"),
        (["emma", "\ud800"] * 9, "is half a character: no file has it"),
        (["emma"] * 9, "the list has 9 words: it takes 10"),
        ([], "the list contains no words"),
        (5, "words are read from a file: got a int, not its path"),
        (b"words.txt", "words are read from a file: got a bytes, not its path"),
    ],
    ids=str,
)
def test_a_list_that_cannot_be_learned_from(words, sentence, tmp_path):
    for model in ("mlp", "ngram"):
        with pytest.raises(InputError) as error:
            train(words, out=tmp_path / "run", model=model)
        assert sentence in str(error.value)
    assert not (tmp_path / "run").exists()


def test_a_list_is_not_kept_over_a_file_that_is_there(names, tmp_path):
    (tmp_path / "words.txt").write_text("mine")
    with pytest.raises(InputError, match="choose another"):
        train(names[:50], out=tmp_path, model="ngram")
    assert (tmp_path / "words.txt").read_text() == "mine"


def test_without_a_directory_it_is_the_command_s(names, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert train(names[:50], model="ngram").directory.as_posix() == "runs/ngram"


def test_progress_is_shown_where_it_is_asked_for(names, tmp_path, capsys):
    train(names[:50], out=tmp_path / "quiet", **SHORT)
    assert capsys.readouterr() == ("", "")
    train(names[:50], out=tmp_path / "shown", progress=True, **SHORT)
    out, err = capsys.readouterr()
    assert out == "" and err.count("dev") == 2 and "step 4" in err


def test_a_run_knows_its_history(trained, tmp_path, names):
    assert [row.step for row in trained.history] == [2, 4]
    best = min(row.dev_loss for row in trained.history)
    assert trained.evaluate(trained.words("dev")).loss == pytest.approx(best, abs=1e-6)
    assert open_run(trained.directory).history == trained.history
    counts = train(names[:50], out=tmp_path / "counts", model="ngram")
    assert len(counts.history) == 1 and counts.history[0].step == 0


def test_a_score_is_the_log_of_the_word_s_probability(names, tmp_path, trained):
    loss = trained.evaluate(["emma"]).loss
    assert trained.score("emma") == pytest.approx(-5 * loss, rel=1e-5)
    few = train(["ab", "b"] * 10, out=tmp_path / "few", model="ngram", order=3)
    words = [""]
    total = 0.0
    for _ in range(8):  # the probabilities of all words add up to 1
        total += sum(math.exp(few.score(word)) for word in words)
        words = [word + char for word in words for char in "ab"]
    assert 0.99 < total < 1
    assert few.score("ab") > few.score("ba")
    for wrong, sentence in {"?": "does not know the character", 5: "got a int"}.items():
        with pytest.raises(InputError, match=sentence):
            trained.score(wrong)
    with pytest.raises(InputError, match="one word: got a list"):
        trained.score(["emma"])


def test_a_run_is_shown_in_a_line(trained):
    shown = repr(trained)
    assert (
        shown == f"<Run {trained.directory}: mlp, {trained.n_parameters:,} parameters>"
    )
    assert "not loaded" in repr(Run(trained.store))
    assert repr(copy.copy(trained)) == shown
