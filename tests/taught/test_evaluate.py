"""The loss is a mean over characters; its error comes from whole words."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from toys import toy

from charlm.counts import NGram
from charlm.data import windows
from charlm.evaluate import Evaluation, evaluate, losses, paired
from charlm.vocab import Vocabulary

word_lists = st.lists(st.text("abcé", max_size=8), min_size=1, max_size=20)


@given(word_lists, st.integers(1, 4))
def test_the_loss_is_weighted_by_character(words, order):
    """Not the mean of the words' means: a long word counts for more."""
    vocab = Vocabulary.from_words(words)
    model = NGram(vocab, order, smoothing=1).fit(words[::2])
    result = evaluate(model, words, vocab)
    characters = sum(len(word) + 1 for word in words)
    total = -sum(model.log_likelihood(word) for word in words)
    assert result.characters == characters
    assert result.loss == pytest.approx(total / characters)
    assert result.bits_per_char == pytest.approx(total / characters / math.log(2))


def test_a_uniform_model_loses_log_v():
    vocab = Vocabulary.from_words(["abc"])
    result = evaluate(NGram(vocab, 1), ["a", "abc", ""], vocab)
    assert result.loss == pytest.approx(math.log(4))
    assert result.bits_per_char == pytest.approx(2)
    assert result.standard_error == pytest.approx(0, abs=1e-12)


def test_the_standard_error_is_that_of_a_bootstrap_by_words(names, vocab, generator):
    """Drawing words again and again with replacement spreads the loss just so far."""
    words = names[::40]
    model = NGram(vocab, 3, smoothing=1).fit(names)
    L = torch.tensor([-model.log_likelihood(word) for word in words])
    n = torch.tensor([len(word) + 1 for word in words])
    draws = torch.randint(len(words), (4000, len(words)), generator=generator)
    bootstrap = (L[draws].sum(1) / n[draws].sum(1)).std().item()
    error = evaluate(model, words, vocab).standard_error
    assert error == pytest.approx(bootstrap, rel=0.05)


def test_characters_of_a_word_are_not_taken_as_independent():
    """Eight copies of a surprise in one word are one surprise: the error is larger."""
    words = ["aaaaaaaa"] * 90 + ["bbbbbbbb"] * 10
    vocab = Vocabulary.from_words(words)
    model = NGram(vocab, 1).fit(words)
    X, Y = windows(words, vocab, 0)
    by_character = losses(model, X, Y).std().item() / math.sqrt(len(Y))
    by_word = evaluate(model, words, vocab).standard_error
    assert by_word is not None and by_word > 1.5 * by_character


def test_the_error_of_two_words_by_hand():
    """L = (2 log 2, 4 log 2) over n = (1, 3): mean 1.5, residuals .5 and -.5 log 2."""
    vocab = Vocabulary.from_words(["aa"])

    @toy(block_size=2)
    def model(idx):
        # The first character costs 2 log 2, the others log 2.
        first = (idx == 0).all(1, keepdim=True)
        probs = torch.where(first, torch.tensor([0.25, 0.25]), torch.tensor([0.5, 0.5]))
        return torch.cat([probs, 1 - probs.sum(1, keepdim=True)], dim=1).log()

    result = evaluate(model, ["", "aa"], vocab)
    assert result.characters == 4
    assert result.loss == pytest.approx(1.5 * math.log(2), rel=1e-6)
    assert result.standard_error == pytest.approx(math.log(2) / 4, rel=1e-6)


def test_one_word_has_a_loss_and_no_standard_error():
    vocab = Vocabulary.from_words(["ab"])
    result = evaluate(NGram(vocab, 2).fit(["ab"]), ["ab"], vocab)
    assert result == Evaluation(0, None, 3)


def test_an_infinite_loss_has_no_standard_error():
    vocab = Vocabulary.from_words(["ab"])
    result = evaluate(NGram(vocab, 2).fit(["ab"]), ["ab", "ba", "b"], vocab)
    assert result.loss == math.inf
    assert result.bits_per_char == math.inf
    assert result.standard_error is None


def test_no_words():
    vocab = Vocabulary.from_words(["ab"])
    with pytest.raises(ValueError, match="there are no words to evaluate on"):
        evaluate(NGram(vocab, 2), [], vocab)


@given(word_lists, st.integers(1, 9))
def test_losses_do_not_depend_on_the_batch_size(words, batch_size):
    """The last batch is smaller than the others; every example counts once."""
    vocab = Vocabulary.from_words(words)
    model = NGram(vocab, 2, smoothing=1).fit(words)
    X, Y = windows(words, vocab, 1)
    expected = -model(X).gather(1, Y[:, None]).squeeze(1)
    torch.testing.assert_close(losses(model, X, Y, batch_size), expected)


def test_losses_build_no_graph():
    W = torch.zeros(3, 3, requires_grad=True)
    loss = losses(lambda x: W[x[:, 0]], torch.tensor([[0], [1]]), torch.tensor([1, 2]))
    assert not loss.requires_grad


def test_logits_need_not_be_normalised():
    vocab = Vocabulary.from_words(["abc"])
    model = NGram(vocab, 2, smoothing=1).fit(["abc"])
    X, Y = windows(["abc"], vocab, 1)
    torch.testing.assert_close(
        losses(lambda x: model(x) + 7, X, Y), losses(model, X, Y)
    )


def test_it_prints_with_its_error():
    score = Evaluation(2.45441, 0.0018, 10)
    assert str(score) == f"{score}" == "2.4544 ± 0.0018"
    assert f"{score:.2f}" == "2.45 ± 0.00"


@pytest.mark.parametrize(("loss", "said"), [(2.45441, "2.4544"), (math.inf, "inf")])
def test_it_prints_without_an_error_that_is_not_known(loss, said):
    assert str(Evaluation(loss, None, 4)) == said


def test_paired_difference(vocab):
    words = ["emma", "olivia", "ava", "bo", "quinn"]
    one = NGram(vocab, 1, smoothing=1).fit(words[:3])
    two = NGram(vocab, 2, smoothing=1).fit(words[:3])  # another block_size
    gap = paired(one, two, words, vocab)
    a, b = (evaluate(m, words, vocab) for m in (one, two))
    assert gap.loss == pytest.approx(a.loss - b.loss)
    d = [
        two.log_likelihood(w) - one.log_likelihood(w) - gap.loss * (len(w) + 1)
        for w in words
    ]
    error = (5 / 4 * sum(x * x for x in d)) ** 0.5 / sum(len(w) + 1 for w in words)
    assert gap.standard_error == pytest.approx(error)
    assert paired(one, one, words, vocab).loss == 0
    with pytest.raises(ValueError, match="no words"):
        paired(one, two, [], vocab)
