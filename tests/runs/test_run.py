"""Words and wishes of any kind: a run learns from them, or says what is wrong."""

import json
import math
import os
import sys
from pathlib import Path

import pytest
import torch

from charlm.data import WordsError, load_words, split_words
from charlm.runs import trainer
from charlm.runs.compare import compare
from charlm.runs.config import MODELS
from charlm.runs.run import device_named, new, open_run
from charlm.runs.store import RunError
from charlm.sample import next_probs
from charlm.vocab import InputError, UnknownCharacterError

SMALL = {"n_embd": 4, "n_hidden": 8}
SHORT = {"steps": 3, "batch_size": 32, "eval_every": 3}


def small(model, **settings):
    """Settings that make a model small and its training short."""
    sizes = {name: SMALL[name] for name in SMALL if name in MODELS[model].options}
    return {
        "model": model,
        **sizes,
        **(SHORT if MODELS[model].recipe else {}),
        **settings,
    }


def flags(**settings):
    """Settings as arguments of the command line."""
    return [x for k, v in settings.items() for x in (f"--{k.replace('_', '-')}", v)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "my words.txt"


@pytest.fixture
def out(tmp_path):
    return tmp_path / "run"


@pytest.fixture(scope="module")
def trained(few_words, tmp_path_factory):
    """A run that no test may change."""
    out = tmp_path_factory.mktemp("trained") / "run"
    return trainer.train(few_words, out=out, **small("mlp"))


# Files of words that cannot be used


def missing(path):
    return "there is no such file"


def folder(path):
    path.mkdir()
    return "is a folder, not a file of words"


def below_a_file(path):
    path.write_text("emma")
    return "cannot be read: Not a directory"


def latin(path):
    path.write_bytes(b"emma\nava\n\nz\xf6e\n" * 9)
    return ", line 4: this is not UTF-8 text"


def utf_16(path):
    path.write_bytes("emma\nava\n".encode("utf-16"))
    return " looks like UTF-16 text: save it as UTF-8, or convert it: iconv -f UTF-16"


def surrogate(path):
    path.write_bytes(b"emma\n" * 20 + b"\xed\xa0\x80\n")
    return ", line 21: this is not UTF-8 text"


def empty(path):
    path.write_bytes(b"")
    return "contains no words"


def blank(path):
    path.write_bytes(b"\xef\xbb\xbf \n\t\r\n\r\n")
    return "contains no words"


def one_word(path):
    path.write_text("emma")
    return "has 1 word: it takes 10"


def nine_words(path):
    path.write_text("\n".join("abcdefghi"))
    return "has 9 words: it takes 10"


def ten_megabytes_on_one_line(path):
    path.write_text("emma " * 2 * 10**6)
    return "has 1 word: it takes 10"


BAD_FILES = [
    *(missing, folder, below_a_file, latin, utf_16, surrogate, empty, blank),
    *(one_word, nine_words, ten_megabytes_on_one_line),
]


@pytest.mark.parametrize("bad", BAD_FILES, ids=lambda bad: bad.__name__)
def test_a_file_that_cannot_be_learned_from(path, out, refused, bad):
    expected = bad(path)
    file = path / "deeper" if bad is below_a_file else path
    with pytest.raises(InputError) as error:
        trainer.train(file, out=out, model="mlp")
    sentence = str(error.value)
    assert sentence.startswith(str(file)) and expected in sentence
    for model in ("mlp", "ngram"):
        assert refused("train", file, "--out", out, "--model", model) == sentence
    assert not out.exists()


@pytest.mark.parametrize("bad", BAD_FILES[:-3], ids=lambda bad: bad.__name__)
def test_a_file_that_cannot_be_measured_on(path, trained, refused, bad):
    expected = bad(path)
    file = path / "deeper" if bad is below_a_file else path
    with pytest.raises(WordsError):
        load_words(file)
    assert expected in refused("evaluate", trained.directory, file)


def test_a_file_that_may_not_be_read(path, out, refused, monkeypatch):
    path.write_text("emma")

    def forbidden(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", forbidden)
    sentence = refused("train", path, "--out", out)
    assert sentence == f"{path} cannot be read: Permission denied"


def test_what_can_be_read_only_once_is_kept(out, command):
    """A pipe, as of `charlm train <(command)`: its words are gone after the first."""
    reading, writing = os.pipe()
    os.write(writing, b"emma\n" * 20)
    os.close(writing)
    file = f"/dev/fd/{reading}"
    assert command("train", file, "--out", out, "--model", "ngram")[0] == 0
    os.close(reading)
    assert open_run(out).words() == ["emma"] * 20
    assert (out / "words.txt").read_bytes() == b"emma\n" * 20


# Files of words that are strange, and are learned from


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are Unicode")
@pytest.mark.parametrize("where", ["caf\udce9.txt", "d\udce9/words.txt"])
def test_a_path_that_is_not_utf_8(command, tmp_path, few_words, where):
    file, out = tmp_path / where, tmp_path / "d\udce9" / "run"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(few_words.read_bytes())
    status, _, err = command("train", file, "--out", out, "--model", "ngram")
    assert status == 0, err
    (out / "config.json").read_bytes().decode()  # is text for every other program
    for arguments in (["evaluate", out], ["sample", out, "--novel"], ["compare", out]):
        assert command(*arguments)[::2] == (0, ""), arguments
    assert command("info", out)[0] == 0
    status, said, _ = command("info", out, "--json")
    assert os.path.samefile(out / json.loads(said)["config"]["data"]["path"], file)


def learned(command, path, out, model, **settings):
    """Train, measure and sample through the command line; return the run."""
    arguments = [path, "--out", out, *flags(**small(model, **settings))]
    for do in (["train", *arguments], ["evaluate", out], ["sample", out, "-n", "3"]):
        status, _, err = command(*do)
        assert status == 0, err
    run = open_run(out)
    assert math.isfinite(run.evaluate(run.words("dev")).loss)
    return run


@pytest.mark.parametrize("model", MODELS)
def test_words_longer_than_the_context(command, path, out, model):
    path.write_text("\n".join(f"{'ab' * n}c" for n in range(8, 40)))
    learned(command, path, out, model)


@pytest.mark.parametrize("model", MODELS)
def test_one_character_only(command, path, out, model):
    path.write_text("\n".join("a" * (n % 3 + 1) for n in range(20)))
    run = learned(command, path, out, model)
    assert run.vocab.chars == ("a",)
    assert {*"".join(run.sample(50, seed=1))} <= {"a"}


@pytest.mark.parametrize("model", [m for m in MODELS if MODELS[m].recipe])
def test_one_distinct_context_in_a_batch(command, path, out, model):
    """Batch normalization needs two rows that differ, or it has no variance."""
    path.write_text(("a" * 100 + "\n") * 20)
    settings = {**small(model), "steps": 8, "batch_size": 16, "eval_every": 4}
    for step, _ in trainer.begin(new(out, path, **settings)):
        if step.index == 4:
            break
    status, _, err = command("train", "--resume", out)
    assert status == 0, err
    assert math.isfinite(open_run(out).evaluate(["a" * 100]).loss)


@pytest.mark.parametrize("model", MODELS)
def test_ten_times_the_same_word(command, path, out, model):
    path.write_text("a\n" * 10)
    learned(command, path, out, model)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "size",
    [500, pytest.param(5000, marks=pytest.mark.slow)],  # a bigram writes 400 MB
)
def test_a_vocabulary_of_many_characters(command, path, out, model, size):
    chars = "".join(map(chr, range(0x4E00, 0x4E00 + size)))
    path.write_text("\n".join(chars[n : n + 10] for n in range(0, size, 10)))
    run = learned(command, path, out, model)
    assert len(run.config.chars) == size
    assert run.sample(1, prefix=chars[-1], seed=1)[0][0] == chars[-1]


def test_ten_megabytes_on_one_line_among_others(command, refused, path, out):
    """The line is a word like others; in a sentence it is cut short."""
    places = [str(n) for n in range(20)]
    in_train = int(split_words(places)[0][0])  # where it costs least
    words = ["emma"] * 20
    words[in_train] = "ab" * 5 * 10**6
    path.write_text("\n".join(words))
    arguments = ["train", path, "--out", out, *flags(**small("mlp"))]
    assert command(*arguments)[0] == 0
    run = open_run(out)
    path.write_text("z" * 10**7)
    sentence = refused("evaluate", out, path)
    assert "does not know the character 'z' in the word 'zzz" in sentence
    with pytest.raises(UnknownCharacterError) as error:
        run.sample(prefix="z" * 10**7)
    assert len(str(error.value)) < 200


def test_characters_of_every_script_and_none(command, path, out):
    words = [
        "жук",
        "名前",
        "a.b",
        "...",
        "é",
        "e\u0301",
        "👩\u200d👩",
        "a b",
        "x\x00y",
        "\x1b",
    ]
    path.write_text("\n".join(words * 2))
    run = learned(command, path, out, "ngram")
    assert {*run.config.chars} == {*"".join(words)}


# Wishes


def test_what_is_trained_where_nothing_is_asked_for(few_words, out):
    config = new(out, few_words).config
    assert config.model == "gru"
    assert config.model_options == {"block_size": 16, "n_hidden": 160, "dropout": 0.2}
    assert config.recipe is not None
    recipe = config.recipe.model_dump()
    assert recipe["steps"] == 1000 and recipe["eval_every"] == 50
    assert recipe["batch_size"] == 256 and recipe["warmup"] == 100
    assert recipe["learning_rate"] == 0.02 and recipe["weight_decay"] == 0.1


def test_novel_words_are_words(path, out):
    """With counts smoothed flat, each third word that is drawn is the empty one."""
    path.write_text("ab\nba\n" * 10)
    run = trainer.train(path, out=out, model="ngram", order=2, smoothing=1000)
    assert "" in run.sample(20, seed=1)
    found = run.sample(20, seed=1, novel=True)
    assert len(found) == 20 and not {"", "ab", "ba"} & {*found}


@pytest.mark.parametrize("temperature", ["0", "-1", "nan", "inf", "-inf"])
def test_temperatures_that_are_none(trained, refused, temperature):
    sentence = refused("sample", trained.directory, "--temperature", temperature)
    assert sentence.startswith("temperature must be positive and finite, got ")
    with pytest.raises(InputError):
        trained.sample(temperature=float(temperature))


@pytest.mark.parametrize("temperature", [1e-320, 1e-40, 1e-5])
def test_near_zero_the_likeliest_is_drawn(trained, temperature):
    assert trained.sample(9, temperature=temperature, seed=1) == trained.sample(
        9, top_k=1, seed=1
    )
    assert trained.sample(9, temperature=1e300, seed=1)


def test_a_tiny_temperature_keeps_probabilities_finite():
    import torch

    probs = next_probs(torch.tensor([[9.0, 8.0, -math.inf]]), 5e-324)
    assert probs.tolist() == [[1.0, 0.0, 0.0]]


@pytest.mark.parametrize("prefix, char", [("Ma", "M"), ("mü", "ü"), ("a1", "1")])
def test_a_prefix_with_an_unknown_character(trained, refused, prefix, char):
    sentence = refused("sample", trained.directory, "--prefix", prefix)
    assert sentence == (
        f"the vocabulary does not know the character {char!r} in the word {prefix!r}"
    )
    with pytest.raises(UnknownCharacterError):
        trained.sample(prefix=prefix)


@pytest.mark.parametrize(
    "wish",
    [
        {"-n": -1},
        {"--top-k": 0},
        {"--top-k": -5},
        {"--seed": 2**64},
        {"--seed": -(2**63) - 1},
        {"--device": "abacus"},
    ],
    ids=str,
)
def test_samples_that_cannot_be_drawn(trained, refused, wish):
    for flag, value in wish.items():
        refused("sample", trained.directory, flag, value)


def test_a_device_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(InputError, match="finds no cuda device here: use --device cpu"):
        device_named("cuda")
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    assert device_named("auto") == torch.device("cpu")


@pytest.mark.parametrize("seed", [0, -1, -(2**63), 2**64 - 1])
def test_any_seed_of_64_bits(trained, seed):
    assert trained.sample(5, seed=seed) == trained.sample(5, seed=seed)


@pytest.mark.parametrize(
    "settings",
    [
        {"model": "rwkv"},
        {"model": ""},
        {"model": "ngram", "order": 0},
        {"model": "ngram", "order": 65},
        {"model": "ngram", "smoothing": float("nan")},
        {"model": "ngram", "smoothing": -0.1},
        {"model": "ngram", "steps": 5},
        {"model": "mlp", "n_hidden": 10**9},
        {"model": "mlp", "n_layer": 0},
        {"model": "mlp", "n_hidden": 16384, "n_layer": 9},
        {"model": "wavenet", "block_size": 1},
        {"model": "bigram", "block_size": 3},
        {"model": "mlp", "steps": 10**30},
        {"model": "mlp", "steps": 10**9 + 1},
        {"model": "mlp", "learning_rate": float("inf")},
        {"model": "mlp", "learning_rate": 0.0},
        {"model": "mlp", "seed": 2**64},
        {"model": "mlp", "eval_every": 0},
        {"model": "mlp", "batch_size": 2**21},
        {"model": "mlp", "warmup": -1},
        {"model": "mlp", "steps": 5, "warmup": 5},
        {"model": "wavenet", "batch_size": 1},
    ],
    ids=str,
)
def test_models_and_recipes_that_cannot_be(few_words, out, refused, settings):
    with pytest.raises(InputError) as error:
        new(out, few_words, **settings)
    sentence = refused("train", few_words, "--out", out, *flags(**settings))
    assert sentence == str(error.value)
    assert not out.exists()


def test_a_setting_that_does_not_exist(few_words, out):
    with pytest.raises(InputError, match="there is no setting 'momentum'"):
        trainer.train(few_words, out=out, model="mlp", momentum=0.9)


@pytest.mark.parametrize(
    "settings, sentence",
    [
        ({"steps": "500"}, "steps: input should be a valid integer, got '500'"),
        ({"steps": None}, "steps: input should be a valid integer, got None"),
        ({"split_seed": "a"}, "split-seed: input should be a valid integer, got 'a'"),
        ({"words": 7}, "words are read from a file: got a int, not its path"),
    ],
    ids=str,
)
def test_a_setting_of_another_type(few_words, out, settings, sentence):
    with pytest.raises(InputError) as error:
        trainer.train(**{"words": few_words, "out": out, "model": "mlp"} | settings)
    assert str(error.value) == sentence
    assert not out.exists()


def test_counts_are_not_trained_in_steps(few_words, out):
    counts = new(out, few_words, model="ngram")
    for make in (trainer.begin, trainer.Trainer):
        with pytest.raises(RunError, match="counted in one go: use count or train"):
            make(counts)
    assert not out.exists()


def test_no_runs_to_compare():
    with pytest.raises(InputError, match="there are no runs to compare"):
        compare([])


def test_a_word_that_the_run_cannot_write(trained, refused, path):
    path.write_text("emma\nÉmile\n")
    sentence = refused("evaluate", trained.directory, path)
    assert "does not know the character 'É' in the word 'Émile'" in sentence


def test_a_part_without_words(trained, refused, path):
    path.write_text("emma\n")
    for split in ("dev", "train"):
        sentence = refused("evaluate", trained.directory, path, "--split", split)
        assert sentence == "there are no words to evaluate on"
    refused("evaluate", trained.directory, "--split", "best")


def test_runs_of_other_words_are_not_compared(trained, tmp_path, refused, path):
    path.write_text("\n".join(["emma", "ava"] * 10))
    trainer.train(path, out=tmp_path / "other", model="ngram")
    sentence = refused("compare", trained.directory, tmp_path / "other")
    assert "learned from another file, or another split of it, than" in sentence
    rows = compare([str(trained.directory), trained.directory])
    assert [row.run for row in rows] == [str(trained.directory)] * 2


def test_counts_without_smoothing_may_find_words_impossible(command, path, out):
    """An infinite loss is a result, and is read again."""
    path.write_text("\n".join(f"{c}{c}" for c in "abcdefghijkl"))
    status, _, err = command(
        "train", path, "--out", out, *flags(model="ngram", smoothing=0.0)
    )
    assert status == 0, err
    run = open_run(out)
    assert run.evaluate(run.words("dev")).loss == math.inf
    assert command("sample", out)[0] == 0
    twice = (out, out)
    assert [row.difference for row in compare(twice)] == [None, None]
    for arguments in (("compare", *twice), ("evaluate", out, "--full")):
        status, said, err = command(*arguments)
        assert status == 0 and "inf" in said and "nan" not in said, err
