"""An n-gram leans on shorter contexts where it has seen little."""

import itertools
import json
import random
from collections import Counter
from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from charlm.counts import NGram
from charlm.data import split_words, windows
from charlm.evaluate import evaluate
from charlm.runs.backoff import FallbackNGram
from charlm.runs.run import open_run
from charlm.runs.store import RunError, Store
from charlm.vocab import InputError, Vocabulary

some_words = st.lists(st.text("abc", min_size=1, max_size=6), min_size=1, max_size=8)


def by_hand(words, vocab, order, fallback, context, y):
    """The formula, with exact fractions, from the words alone."""
    P = Fraction(1, len(vocab))
    for n in range(order):
        last = context[len(context) - n :]
        if n >= 2 and last[1] == 0:  # the shorter one began at the boundary
            continue
        followed: Counter[int] = Counter()
        for word in words:
            ids = [*[0] * n, *vocab.encode(word), 0]
            for i in range(n, len(ids)):
                if tuple(ids[i - n : i]) == last:
                    followed[ids[i]] += 1
        w = fallback * (len(followed) + 1)
        P = (followed[y] + w * P) / (followed.total() + w)
    return P


@given(some_words, st.integers(1, 4), st.sampled_from([Fraction(1, 2), Fraction(3)]))
def test_it_is_the_formula(words, order, fallback):
    vocab = Vocabulary.from_words([*words, "d"])  # which no word has
    model = FallbackNGram(vocab, order, float(fallback)).fit(words)
    contexts = [*itertools.product(range(len(vocab)), repeat=order - 1)][::3]
    idx = torch.tensor(contexts).view(len(contexts), order - 1)
    P = model(idx).exp()
    assert P.sum(1).allclose(torch.ones(len(contexts), dtype=torch.float64))
    for row, context in zip(P, contexts):
        expected = [
            float(by_hand(words, vocab, order, fallback, context, y))
            for y in range(len(vocab))
        ]
        assert row.tolist() == pytest.approx(expected)


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_large_and_small_tables_are_alike(names, vocab, monkeypatch, order):
    words = names[:300]
    X, _ = windows(names[300:320], vocab, order - 1)
    kept = FallbackNGram(vocab, order, 3.0).fit(words)
    monkeypatch.setattr("charlm.runs.backoff.MAX_DENSE", 0)
    computed = FallbackNGram(vocab, order, 3.0).fit(words)
    assert (kept.table is None) == (order == 5) and computed.table is None
    assert kept(X).equal(computed(X))
    again = FallbackNGram(vocab, order, 3.0).load_state_dict(kept.state_dict())
    assert again(X).equal(kept(X))
    with pytest.raises(ValueError, match="needs contexts of"):
        kept(torch.zeros(1, order, dtype=torch.int64))


def test_its_counts_are_those_of_the_table(names, vocab):
    """The longest n-grams end in the shorter ones: none is kept twice."""
    plain, model = NGram(vocab, 4).fit(names), FallbackNGram(vocab, 4, 3.0)
    model.fit(names)
    assert model.key_counts.equal(plain.key_counts)
    for table in model.tables:
        alone = NGram(vocab, table.order).fit(names)
        assert table.keys.equal(alone.keys)
        assert table.key_counts.equal(alone.key_counts)


@pytest.mark.parametrize("fallback", [0.0, -1.0, float("inf"), float("nan")])
def test_weights_that_are_none(vocab, fallback):
    with pytest.raises(ValueError, match="fallback must be above 0 and finite"):
        FallbackNGram(vocab, 2, fallback)


@pytest.fixture
def short(tmp_path, names):
    """Three hundred different names."""
    words = list(dict.fromkeys(names))
    random.Random(1).shuffle(words)
    path = tmp_path / "short.txt"
    path.write_text("\n".join(words[:300]))
    return path


def test_a_short_list_by_default(command, short, tmp_path):
    out = tmp_path / "run"
    assert command("train", short, "--out", out, "--model", "ngram")[0] == 0
    run = open_run(out)
    assert run.config.model_options == {"order": 5, "fallback": 3.0}
    assert run.evaluate(run.words("dev")).loss < 2.53  # single letters: 2.90
    drawn = run.sample(4000, seed=1)
    mean, of_file = (sum(map(len, w)) / len(w) for w in (drawn, run.words()))
    assert 0.8 < mean / of_file < 1.2
    longer = tmp_path / "longer"
    command("train", short, "--out", longer, "--model", "ngram", "--order", 64)
    run = open_run(longer)
    assert run.evaluate(run.words("dev")).loss < 2.53  # no worse for it


def test_a_long_list_by_default(names, vocab):
    train, dev, _ = split_words(names)
    old = evaluate(NGram(vocab, 4, 0.1).fit(train), dev, vocab)
    new = evaluate(FallbackNGram(vocab, 5, 3.0).fit(train), dev, vocab)
    assert new.loss < old.loss - 0.09


def test_smoothing_takes_the_place_of_the_fallback(command, short, tmp_path):
    """And a run of before, which has smoothing in its configuration, is the same."""
    out = tmp_path / "run"
    command("train", short, "--out", out, "--model", "ngram", "--smoothing", 0.1)
    run = open_run(out)
    assert run.config.model_options == {"order": 4, "smoothing": 0.1}
    plain = NGram(run.vocab, 4, 0.1).fit(run.words("train"))
    assert run.evaluate(run.words("dev")) == evaluate(
        plain, run.words("dev"), run.vocab
    )
    said = command(
        *("train", short, "--model", "ngram", "--smoothing", 0.1, "--fallback", 1)
    )
    assert said == (
        2,
        "",
        "charlm: --smoothing does without --fallback: leave out one of them\n",
    )


def test_a_configuration_with_both_is_refused(short, tmp_path, command):
    out = tmp_path / "run"
    command("train", short, "--out", out, "--model", "ngram")
    config = json.loads((out / "config.json").read_text())
    config["options"]["smoothing"] = 0.1
    (out / "config.json").write_text(json.dumps(config))
    with pytest.raises(RunError, match="these are not the options of ngram"):
        Store.open(out)


def test_counts_that_lead_nowhere_are_damaged(vocab):
    model = FallbackNGram(vocab, 3, 3.0).fit(["emma", "ava"])
    for name in ("levels.0", "levels.1", "keys"):
        state = dict(model.state_dict())
        state[name] = torch.cat([state[name][:-1], torch.tensor([10**9])])
        with pytest.raises((ValueError, InputError), match="the counts are damaged"):
            FallbackNGram(vocab, 3, 3.0).load_state_dict(state)
