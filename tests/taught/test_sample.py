"""Sampling: the right distribution, the right words, and nothing but the asked."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from toys import toy

from charlm.attention import GPT
from charlm.counts import NGram
from charlm.recurrent import GRU, LSTM, RNN
from charlm.sample import draw, generate, next_probs, sample_words
from charlm.vocab import UnknownCharacterError, Vocabulary

word_lists = st.lists(st.text("abé.\0", max_size=6), min_size=1, max_size=8)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def assert_drawn_from(counts, probs):
    """Pearson's statistic stays below its mean by chance plus five deviations."""
    expected = probs * counts.sum()
    assert counts[probs == 0].sum() == 0
    seen = probs > 0
    df = seen.sum().item() - 1
    chi2 = ((counts - expected)[seen].square() / expected[seen]).sum().item()
    assert chi2 < df + 5 * math.sqrt(2 * df)


@pytest.fixture(scope="module")
def bigram(names, vocab):
    return NGram(vocab, 2).fit(names)


# Words


@given(word_lists, st.integers(1, 5), st.integers(0, 20), st.integers(0, 2**32))
def test_words_are_possible_and_as_many_as_asked(words, order, n, seed):
    """Any characters, a dot or NUL too; a word stops at the boundary, not elsewhere."""
    vocab = Vocabulary.from_words(words)
    model = NGram(vocab, order).fit(words)
    drawn = sample_words(model, vocab, n, generator=seeded(seed), max_length=200)
    assert len(drawn) == n
    assert all(model.log_likelihood(word) > -math.inf for word in drawn)


@given(word_lists)
def test_a_long_context_repeats_the_words_it_saw(words):
    vocab = Vocabulary.from_words(words)
    model = NGram(vocab, 8).fit(words)
    assert set(sample_words(model, vocab, 200, generator=seeded())) <= set(words)


def test_whole_words_are_as_frequent_as_their_probability(generator):
    """Not the first character alone: the context moves on, and rows stay apart."""
    vocab = Vocabulary.from_words(["abc"])
    words = ["abc", "abb", "ab", "b", "b", "cab", "", "ca"]
    model = NGram(vocab, 3).fit(words)
    drawn = sample_words(model, vocab, 20_000, generator=generator)
    kinds = sorted(set(drawn) | set(words))
    counts = torch.tensor([drawn.count(kind) for kind in kinds], dtype=torch.float64)
    probs = torch.tensor([model.log_likelihood(kind) for kind in kinds]).double().exp()
    assert probs.sum().item() == pytest.approx(1, abs=1e-6)
    assert_drawn_from(counts, probs)


@pytest.mark.parametrize("options", [{}, {"temperature": 2.0}, {"top_k": 5}])
def test_first_characters_are_drawn_from_the_probabilities(
    bigram, vocab, generator, options
):
    words = sample_words(
        bigram, vocab, 20_000, generator=generator, max_length=1, **options
    )
    first = torch.tensor([vocab.ids[w[0]] if w else 0 for w in words])
    counts = torch.bincount(first, minlength=len(vocab)).double()
    start = torch.zeros(1, 1, dtype=torch.int64)
    assert_drawn_from(counts, next_probs(bigram(start), **options)[0])


def test_the_same_generator_gives_the_same_words(bigram, vocab):
    one, two, other = (
        sample_words(bigram, vocab, 50, generator=seeded(s)) for s in (1, 1, 2)
    )
    assert one == two != other


def test_only_the_given_generator_is_used(bigram, vocab):
    state, generator = torch.get_rng_state(), seeded()
    before = generator.get_state()
    sample_words(bigram, vocab, 5, generator=generator)
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.equal(generator.get_state(), before)


def test_rows_with_equal_contexts_are_drawn_apart(bigram, vocab, generator):
    assert len(set(sample_words(bigram, vocab, 50, generator=generator))) > 30


@pytest.mark.parametrize("order", [1, 2, 3, 6])
@pytest.mark.parametrize("prefix", ["", "e", "em", "emm"])
def test_a_prefix_starts_every_word(names, vocab, generator, order, prefix):
    """Shorter than the context, as long, and longer."""
    model = NGram(vocab, order, smoothing=0.01).fit(names)
    words = sample_words(
        model, vocab, 4000, generator=generator, prefix=prefix, max_length=30
    )
    assert all(word.startswith(prefix) for word in words)
    follows = [word[len(prefix) :] for word in words]
    ids = torch.tensor([vocab.ids[rest[0]] if rest else 0 for rest in follows])
    counts = torch.bincount(ids, minlength=len(vocab)).double()
    probs = model.probs(prefix)
    common = probs > 0.002
    rest = torch.tensor([counts[~common].sum(), probs[~common].sum()])
    assert_drawn_from(
        torch.cat([counts[common], rest[:1]]), torch.cat([probs[common], rest[1:]])
    )


def test_the_length_is_cut(bigram, vocab, generator):
    words = sample_words(bigram, vocab, 300, generator=generator, max_length=4)
    assert max(map(len, words)) == 4
    words = sample_words(
        bigram, vocab, 300, generator=generator, prefix="em", max_length=4
    )
    assert max(map(len, words)) == 4


def test_a_prefix_beyond_the_length_is_kept_as_it_is(bigram, vocab, generator):
    for length in (0, 2, 4):
        assert sample_words(
            bigram, vocab, 2, generator=generator, prefix="emma", max_length=length
        ) == ["emma", "emma"]


def test_a_model_that_never_ends_is_cut(generator):
    vocab = Vocabulary(("a",))
    model = NGram(vocab, 2).fit([])

    @toy(block_size=model.block_size)
    def endless(idx):
        return torch.tensor([[-math.inf, 0.0]]).expand(len(idx), 2)

    assert sample_words(endless, vocab, 3, generator=generator) == ["a" * 100] * 3


def test_no_words_and_fewer_than_none(bigram, vocab, generator):
    assert sample_words(bigram, vocab, 0, generator=generator) == []
    with pytest.raises(ValueError) as error:
        sample_words(bigram, vocab, -1, generator=generator)
    assert str(error.value) == "the number of words must not be negative, got -1"


def test_an_unknown_prefix(bigram, vocab, generator):
    with pytest.raises(UnknownCharacterError, match="'é' in the word 'zé'"):
        sample_words(bigram, vocab, 1, generator=generator, prefix="zé")


# Ids


def test_generate_ends_each_row_once(bigram, generator):
    """After its boundary a row holds boundaries only, and no row is lost."""
    context = torch.zeros(500, 1, dtype=torch.int64)
    out = generate(bigram, context, 12, generator=generator)
    assert out.shape == (500, 12) and out.dtype == torch.int64
    ended = (out == 0).int().cummax(dim=1).values
    assert (out[ended.bool()] == 0).all()
    assert (ended[:, -1] == 0).any() and (ended[:, 1] == 1).any()


def test_generate_continues_each_rows_own_context(generator):
    """Every pair of characters at once, greedily: no two contexts are mixed up."""
    V = 9
    table = torch.randn(V, V, V, generator=generator)
    best = table.argmax(2)
    context = torch.cartesian_prod(torch.arange(V), torch.arange(V))
    context = context[torch.randperm(V * V, generator=generator)]
    out = generate(
        lambda x: table[x[:, 0], x[:, 1]], context, 2, generator=generator, top_k=1
    )
    first = best[context[:, 0], context[:, 1]]
    second = torch.where(first > 0, best[context[:, 1], first], 0)
    assert torch.equal(out, torch.stack([first, second], dim=1))


def test_finished_words_leave_the_batch(bigram, vocab, generator):
    sizes = []

    def watched(idx):
        sizes.append(len(idx))
        return bigram(idx)

    out = generate(
        watched, torch.zeros(500, 1, dtype=torch.int64), 50, generator=generator
    )
    assert sizes[1:] == (out != 0).sum(0).tolist()


def test_draw_follows_the_probabilities_and_never_draws_the_impossible(generator):
    probs = torch.tensor([[0.0, 0.5, 0.0, 0.3, 0.2, 0.0]]).expand(50_000, -1)
    ids = draw(probs, generator=generator)
    share = torch.bincount(ids.flatten(), minlength=6) / len(ids)
    assert share[[0, 2, 5]].tolist() == [0, 0, 0]
    assert torch.allclose(share, probs[0], atol=0.01)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_draw_at_the_edges_of_the_unit_interval(monkeypatch, generator, dtype):
    """The least and the greatest random number fall on possible characters.

    Rounded rows sum to a little less or more than 1.
    """
    probs = torch.rand(3000, 29, dtype=dtype, generator=generator)
    probs[:, [0, 1, 13, 27, 28]] = 0
    probs /= probs.sum(1, keepdim=True)
    probs[::3] *= 1 - 1e-6
    for edge, character in ((0.0, 2), (1 - torch.finfo(dtype).eps / 2, 26)):
        point = torch.full((3000, 1), edge, dtype=dtype)
        monkeypatch.setattr(torch, "rand", lambda *_, point=point, **__: point)
        assert draw(probs, generator=generator).unique().tolist() == [character]


def test_generate_builds_no_graph(bigram, generator):
    modes = []

    def watched(idx):
        modes.append(torch.is_grad_enabled())
        return bigram(idx)

    generate(watched, torch.zeros(2, 1, dtype=torch.int64), 4, generator=generator)
    assert modes and not any(modes)


# Probabilities


def test_temperature_is_the_formula():
    logits = torch.tensor([[1.0, 2.0, 4.0], [0.0, -math.inf, 3.0]])
    for temperature in (0.25, 1.0, 3.0):
        powers = logits.exp() ** (1 / temperature)
        torch.testing.assert_close(
            next_probs(logits, temperature), powers / powers.sum(1, keepdim=True)
        )


@pytest.mark.parametrize("temperature", [0, -1.0, math.nan, math.inf])
def test_a_temperature_must_be_positive_and_finite(
    bigram, vocab, generator, temperature
):
    with pytest.raises(ValueError) as error:
        sample_words(bigram, vocab, 1, generator=generator, temperature=temperature)
    assert str(error.value) == (
        f"temperature must be positive and finite, got {temperature}"
    )


def test_top_k_keeps_the_most_likely():
    logits = torch.tensor([[1.0, 3.0, 2.0, 0.0], [5.0, 1.0, 1.5, 4.0]])
    probs = next_probs(logits, top_k=2)
    assert (probs > 0).tolist() == [
        [False, True, True, False],
        [True, False, False, True],
    ]
    torch.testing.assert_close(probs[0, 1] / probs[0, 2], torch.tensor(1.0).exp())
    torch.testing.assert_close(probs.sum(1), torch.ones(2))
    torch.testing.assert_close(next_probs(logits, top_k=99), next_probs(logits))


def test_top_1_is_greedy_even_in_a_tie():
    logits = torch.tensor([[1.0, 3.0, 2.0], [0.0, 0.0, 0.0]])
    probs = next_probs(logits, top_k=1)
    assert probs[0].tolist() == [0, 1, 0]
    assert sorted(probs[1].tolist()) == [0, 0, 1]


def test_top_k_must_be_positive(bigram, vocab, generator):
    with pytest.raises(ValueError) as error:
        sample_words(bigram, vocab, 1, generator=generator, top_k=0)
    assert str(error.value) == "top_k must be at least 1, got 0"


@given(st.lists(st.floats(-20, 20), min_size=1, max_size=6), st.floats(0.1, 10),
       st.none() | st.integers(1, 9))  # fmt: skip
def test_rows_sum_to_one(row, temperature, top_k):
    logits = torch.tensor([row, row[::-1]])
    before = logits.clone()
    probs = next_probs(logits, temperature, top_k)
    torch.testing.assert_close(probs.sum(1), torch.ones(2))
    assert torch.equal(logits, before)


# A state that is carried along


class Counted:
    """A model that counts the characters which it reads, with its state or without."""

    def __init__(self, model, stateful):
        self.model, self.block_size, self.read, self.contexts = model, 6, 0, 0
        if stateful:
            self.start, self.step = model.start, self.take_step

    def __call__(self, idx):
        self.contexts += len(idx)
        return self.model(idx)

    def take_step(self, ids, state):
        self.read += len(ids)
        return self.model.step(ids, state)


@pytest.mark.parametrize("network", [RNN, GRU, LSTM, GPT])
@pytest.mark.parametrize("prefix", ["", "emma", "emmanuella"])
@pytest.mark.parametrize("max_length", [4, 6, 100])
def test_a_carried_state_writes_the_words_that_contexts_write(
    vocab, network, prefix, max_length
):
    """Within block_size characters, and beyond; rows that end leave the state, too."""
    model = network(len(vocab), 6, generator=seeded(3)).eval()
    with torch.no_grad():
        model.out.weight.mul_(20)  # far from uniform
        model.out.bias[0] = 1.0
    carried, plain = Counted(model, True), Counted(model, False)
    words, expected = (
        sample_words(
            m, vocab, 30, generator=seeded(1), prefix=prefix, max_length=max_length
        )
        for m in (carried, plain)
    )
    assert words == expected
    room = min(max_length, 5) - len(prefix)
    if room > 0:
        assert carried.read > 0
    if max_length <= 6:
        assert carried.contexts == 0 or len(prefix) > 5


def test_what_begins_alike_is_read_once(vocab):
    model = GRU(len(vocab), 16, generator=seeded(3)).eval()
    carried = Counted(model, True)
    carried.block_size = 16
    words = sample_words(
        carried, vocab, 50, generator=seeded(1), prefix="an", max_length=8
    )
    read = {word[:n] for word in words for n in range(min(len(word), 7) + 1)}
    assert 60 < carried.read == len(read) < sum(map(len, words))


def test_contexts_that_differ_are_read_again(vocab):
    model = GRU(len(vocab), 6, generator=seeded(3)).eval()
    context = torch.tensor([[0, 0, 0, 0, 1, 2], [0, 0, 0, 0, 0, 3]])
    rows = generate(model, context, 5, generator=seeded(2))
    expected = generate(Counted(model, False), context, 5, generator=seeded(2))
    assert torch.equal(rows, expected)
