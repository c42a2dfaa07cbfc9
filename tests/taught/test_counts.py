"""N-gram models against dictionaries filled by a plain loop."""

import math
import warnings
from collections import Counter, defaultdict

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from charlm import counts
from charlm.counts import NGram, count_ngrams
from charlm.data import windows
from charlm.evaluate import evaluate
from charlm.vocab import UnknownCharacterError, Vocabulary

orders = st.integers(1, 6)
smoothings = st.sampled_from([0.0, 1e-3, 0.5, 1.0, 10.0])
# Few letters, so that contexts repeat; é and the dot stand for the unusual ones.
word_lists = st.lists(st.text("abé.", max_size=7), min_size=1, max_size=12)


def plain_counts(words, vocab, order):
    """Return {context: {next id: count}}, one character at a time."""
    table: defaultdict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
    for word in words:
        ids = [0] * (order - 1) + vocab.encode(word) + [0]
        for i in range(len(ids) - order + 1):
            *context, y = ids[i : i + order]
            table[tuple(context)][y] += 1
    return table


def plain_probs(table, context, V, smoothing):
    row = [table[context][y] + smoothing if context in table else smoothing
           for y in range(V)]  # fmt: skip
    total = sum(row)
    return [x / total for x in row] if total else [1 / V] * V


def storage_bytes(model):
    tensors = [*model.levels, model.keys, model.key_counts]
    return sum(t.untyped_storage().nbytes() for t in tensors)


@given(word_lists, word_lists, st.one_of(orders, st.just(20)), smoothings)
def test_the_model_is_the_dictionary_of_counts(words, others, order, smoothing):
    """Contexts that were seen, and those of other words that were not."""
    vocab = Vocabulary.from_words(words + others)
    model = NGram(vocab, order, smoothing).fit(words)
    table = plain_counts(words, vocab, order)
    X, _ = windows(words + others, vocab, order - 1)
    expected = [plain_probs(table, tuple(x), len(vocab), smoothing) for x in X.tolist()]
    torch.testing.assert_close(
        model(X).exp(), torch.tensor(expected, dtype=torch.float64)
    )


@given(word_lists, orders, st.integers(1, 3), st.sampled_from([0, 20, 2**20]))
def test_counting_in_parts_changes_nothing(words, order, at_once, max_dense):
    """Neither the size of the parts nor the way to number the keys shows afterwards."""
    vocab = Vocabulary.from_words(words)
    whole = NGram(vocab, order).fit(words).state_dict()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counts, "WORDS_AT_ONCE", at_once)
        patch.setattr(counts, "MAX_DENSE", max_dense)
        parts = NGram(vocab, order).fit(words).state_dict()
    assert parts.keys() == whole.keys()
    assert all(torch.equal(parts[name], whole[name]) for name in whole)
    expected = [n for row in plain_counts(words, vocab, order).values() for n in row]
    assert len(whole["keys"]) == len(expected)


@given(word_lists, st.one_of(orders, st.just(20)))
def test_the_plain_way_counts_the_same(words, order):
    """What the chapter shows, and what the package does."""
    vocab = Vocabulary.from_words(words)
    model = NGram(vocab, order).fit(words)
    grams, key_counts = count_ngrams(words, vocab, order)
    assert grams.equal(model.grams()) and key_counts.equal(model.key_counts)


@given(word_lists, st.integers(1, 4))
def test_the_dense_table_is_the_dictionary_of_counts(words, order):
    vocab = Vocabulary.from_words(words)
    counts = NGram(vocab, order).fit(words).counts()
    expected = torch.zeros((len(vocab),) * order, dtype=torch.int64)
    for context, row in plain_counts(words, vocab, order).items():
        for y, count in row.items():
            expected[(*context, y)] = count
    assert torch.equal(counts, expected)


@given(word_lists, orders, smoothings, st.data())
def test_probabilities_sum_to_one_in_any_context(words, order, smoothing, data):
    """Also in contexts that no word can have, such as a boundary between letters."""
    vocab = Vocabulary.from_words(words)
    model = NGram(vocab, order, smoothing).fit(words)
    context = st.lists(
        st.integers(0, len(vocab) - 1), min_size=order - 1, max_size=order - 1
    )
    X = torch.tensor(data.draw(st.lists(context, min_size=1)), dtype=torch.int64)
    probs = model(X).exp()
    assert (probs >= 0).all()
    torch.testing.assert_close(probs.sum(1), torch.ones(len(X), dtype=torch.float64))


@given(word_lists, smoothings)
def test_the_bigram_is_a_linear_network_with_the_weights_log_p(words, smoothing):
    vocab = Vocabulary.from_words(words)
    model = NGram(vocab, 2, smoothing).fit(words)
    counts = model.counts().double() + smoothing
    rows = counts.sum(1) > 0
    W = torch.where(rows[:, None], counts / counts.sum(1, keepdim=True), 1.0).log()
    X, Y = windows(words, vocab, 1)
    one_hot = F.one_hot(X[:, 0], len(vocab)).double()
    # 0 * -inf is not 0: the least float stands for an impossible character.
    logits = one_hot @ W.clamp_min(torch.finfo(torch.float64).min)
    loss = F.cross_entropy(logits, Y).item()
    assert evaluate(model, words, vocab).loss == pytest.approx(loss, abs=1e-12)


@given(word_lists, orders, smoothings)
def test_the_log_likelihood_multiplies_the_probabilities(words, order, smoothing):
    vocab = Vocabulary.from_words(words)
    model = NGram(vocab, order, smoothing).fit(words)
    for word in words:
        expected = sum(
            math.log(model.probs(word[:i])[y])
            for i, y in enumerate([*vocab.encode(word), 0])
        )
        assert model.log_likelihood(word) == pytest.approx(expected)


def test_probs_after_a_prefix_shorter_and_longer_than_the_context():
    words = ["ab", "ac", "bac"]
    vocab = Vocabulary.from_words(words)
    model = NGram(vocab, 3).fit(words)
    assert model.probs("").tolist() == pytest.approx([0, 2 / 3, 1 / 3, 0])
    assert model.probs("a").tolist() == pytest.approx([0, 0, 1 / 2, 1 / 2])
    assert model.probs("ba").tolist() == [0, 0, 0, 1]
    assert model.probs("cccba").tolist() == [0, 0, 0, 1]
    with pytest.raises(UnknownCharacterError):
        model.probs("x")


def test_an_impossible_word_has_an_infinite_loss_and_no_warning():
    vocab = Vocabulary.from_words(["ab", "ba", "aa"])
    model = NGram(vocab, 2).fit(["ab"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert model.log_likelihood("ba") == -math.inf
        assert evaluate(model, ["ab", "ba"], vocab).loss == math.inf
        assert evaluate(NGram(vocab, 2, 1e-9).fit(["ab"]), ["ba"], vocab).loss < 30


@pytest.mark.parametrize("order", [1, 2, 5])
def test_without_words_every_character_is_as_likely(order):
    vocab = Vocabulary.from_words(["abc"])
    for model in (NGram(vocab, order), NGram(vocab, order).fit([])):
        assert model.probs("ab").tolist() == [0.25] * 4


@pytest.mark.parametrize("smoothing", [1e-310, 1e-30, 1e30])
def test_extreme_smoothing_keeps_rows_that_sum_to_one(smoothing):
    vocab = Vocabulary.from_words(["ab"])
    probs = NGram(vocab, 2, smoothing).fit(["aa"]).probs("b")
    assert probs.tolist() == pytest.approx([1 / 3] * 3)


def test_fitting_again_forgets():
    vocab = Vocabulary.from_words(["ab"])
    model = NGram(vocab, 3).fit(["ab", "abb"])
    assert model.fit(["ba"]) is model
    assert torch.equal(model.counts(), NGram(vocab, 3).fit(["ba"]).counts())


def test_the_bigram_of_the_names(names, vocab):
    plain, smooth = (NGram(vocab, 2, s).fit(names) for s in (0, 1))
    assert evaluate(plain, names, vocab).loss == pytest.approx(2.454, abs=0.001)
    assert evaluate(smooth, names, vocab).loss == pytest.approx(2.455, abs=0.001)
    counts = plain.counts()
    assert counts[0].sum() == counts[:, 0].sum() == len(names)
    assert counts.sum() == sum(len(name) + 1 for name in names)


def test_order_5_fits_in_200_megabytes(names, vocab):
    assert storage_bytes(NGram(vocab, 5).fit(names)) <= 200e6


def test_a_long_context_remembers_every_name(names, vocab):
    """Order 20 has 27 ** 20 contexts: the numbers of contexts must not overflow."""
    model = NGram(vocab, 20).fit(names)
    assert storage_bytes(model) <= 200e6
    firsts = Counter(names)
    for name in names[::5000]:
        assert model.log_likelihood(name) == pytest.approx(
            math.log(firsts[name] / len(names))
        )


@pytest.mark.parametrize(
    ("order", "smoothing", "message"),
    [
        (0, 0.0, "the order of an n-gram must be at least 1, got 0"),
        (2, -1.0, "smoothing must be 0 or more and finite, got -1.0"),
        (2, math.inf, "smoothing must be 0 or more and finite, got inf"),
        (2, math.nan, "smoothing must be 0 or more and finite, got nan"),
    ],
)
def test_bad_arguments(order, smoothing, message):
    with pytest.raises(ValueError) as error:
        NGram(Vocabulary(("a",)), order, smoothing)
    assert str(error.value) == message


def test_contexts_of_the_wrong_length():
    model = NGram(Vocabulary(("a",)), 3).fit(["a"])
    with pytest.raises(ValueError, match="a 3-gram needs contexts of 2, got 1"):
        model(torch.zeros(4, 1, dtype=torch.int64))
