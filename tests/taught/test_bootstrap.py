"""Redrawn words: each whole, each as likely, their spread that of the formula."""

import math

import pytest
import torch
from toys import AB, likes_a

from charlm.counts import NGram
from charlm.evaluate import bootstrap, evaluate, interval, n_characters, word_losses


def test_the_loss_of_each_word_by_hand():
    end, a, b = (-math.log(p) for p in (0.1, 0.65, 0.25))
    expected = [a + end, 2 * a + b + end, end]
    found = word_losses(likes_a, ["a", "aba", ""], AB)
    assert found.tolist() == pytest.approx(expected, rel=1e-6)
    assert n_characters(["a", "aba", ""]).tolist() == [2, 4, 1]


def test_redrawn_losses_are_ratios_of_whole_words(generator):
    """Of two words, the draws are 1 and 1, 1 and 2, or 2 and 2: three losses."""
    L, n = torch.tensor([1.0, 6.0]), torch.tensor([1, 3])
    found = bootstrap(L, n, 400, generator=generator)
    shares = [(found - loss).abs().lt(1e-6).double().mean() for loss in (1, 7 / 4, 2)]
    assert sum(shares) == 1
    assert shares == pytest.approx([0.25, 0.5, 0.25], abs=0.08)


def test_the_spread_of_redrawn_losses_is_the_standard_error(names, vocab, generator):
    words = names[::40]
    model = NGram(vocab, 2, smoothing=1).fit(names)
    L, n = word_losses(model, words, vocab), n_characters(words)
    redrawn, score = bootstrap(L, n, generator=generator), evaluate(model, words, vocab)
    error = score.standard_error
    assert error and redrawn.std().item() == pytest.approx(error, rel=0.1)
    low, high = interval(redrawn)
    assert (high - low) / 2 == pytest.approx(1.96 * error, rel=0.1)
    assert low < score.loss < high


def test_an_interval_leaves_the_same_share_on_both_sides():
    losses = torch.arange(101.0)
    assert interval(losses, 0.9) == (5, 95)
    assert interval(torch.full((20,), torch.inf)) == (torch.inf, torch.inf)
