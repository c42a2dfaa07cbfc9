"""What goes with a loss: right by hand, and sound where there is nothing to measure."""

import json
import math

import pytest
import torch

from charlm.calibration import calibration
from charlm.counts import NGram
from charlm.evaluate import bootstrap, evaluate, interval, n_characters, word_losses
from charlm.memory import by_seen, share_in
from charlm.runs.report import report
from charlm.vocab import Vocabulary

AB = Vocabulary(("a", "b"))


def likes_a(idx):
    """Whatever comes before: the end with 0.1, a with 0.65, b with 0.25."""
    return torch.tensor([0.1, 0.65, 0.25]).log().expand(len(idx), -1)


likes_a.block_size = 1


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
    assert redrawn.std().item() == pytest.approx(score.standard_error, rel=0.1)
    low, high = interval(redrawn)
    assert (high - low) / 2 == pytest.approx(1.96 * score.standard_error, rel=0.1)
    assert low < score.loss < high


def test_an_interval_leaves_the_same_share_on_both_sides():
    losses = torch.arange(101.0)
    assert interval(losses, 0.9) == (5, 95)
    assert interval(torch.full((20,), torch.inf)) == (torch.inf, torch.inf)


def test_seen_and_unseen_words_are_scored_apart():
    seen, unseen = by_seen(likes_a, ["a", "b", "a"], ["a", "aa"], AB)
    assert seen.loss == pytest.approx(-(math.log(0.65) + math.log(0.1)) / 2)
    assert unseen.loss == pytest.approx(-(math.log(0.25) + math.log(0.1)) / 2)
    assert by_seen(likes_a, ["a"], [], AB)[0] is None
    assert by_seen(likes_a, ["a"], ["a"], AB)[1] is None


def test_a_word_drawn_twice_counts_twice():
    assert share_in(["a", "b", "a", "c"], ["a", "x"]) == 0.5
    with pytest.raises(ValueError, match="no words"):
        share_in([], ["a"])


def test_calibration_by_hand():
    """Always 65 % sure of an a: it comes in 3 of 5 examples, so 5 % too sure."""
    found = calibration(likes_a, ["aa", "a"], AB)
    assert found.count.tolist() == [0, 0, 0, 0, 0, 0, 5, 0, 0, 0]
    assert found.predicted[6].item() == pytest.approx(0.65)
    assert found.observed[6].item() == pytest.approx(0.6)
    assert found.predicted[0].isnan()
    assert found.error == pytest.approx(0.05)
    assert found.overconfidence == pytest.approx(0.05)
    timid = calibration(likes_a, ["aaaa"], AB)
    assert timid.overconfidence == pytest.approx(-0.15)
    assert timid.error == pytest.approx(0.15)


def test_gaps_of_two_bins_do_not_cancel_in_the_error():
    def model(idx):
        """Sure of an a at the start, half sure of the end after it."""
        start = torch.tensor([0.02, 0.95, 0.03])
        return torch.where(idx == 0, start, torch.tensor([0.55, 0.25, 0.2])).log()

    model.block_size = 1
    found = calibration(model, ["a", "b"], AB)
    assert found.count.tolist() == [0, 0, 0, 0, 0, 2, 0, 0, 0, 2]
    assert found.error == pytest.approx((0.45 + 0.45) / 2)
    assert found.overconfidence == pytest.approx(0, abs=1e-6)


def test_certainty_falls_into_the_last_bin():
    model = NGram(AB, 2).fit(["ab"])
    found = calibration(model, ["ab"], AB, bins=4)
    assert found.count.tolist() == [0, 0, 0, 3] and found.error == 0


@pytest.mark.parametrize("function", [word_losses, calibration])
def test_no_words_are_refused(function):
    with pytest.raises(ValueError, match="no words"):
        function(likes_a, [], AB)


def test_a_report_puts_together_what_the_parts_say():
    words, train = ["a", "b", "ab"], ["a", "aa", "a"]
    found = report(likes_a, words, train, AB, n_samples=200)
    assert found.score == evaluate(likes_a, words, AB)
    assert (found.seen, found.unseen) == by_seen(likes_a, words, train, AB)
    assert found.share_seen == pytest.approx(1 / 3)
    low, high = found.interval
    assert low <= found.score.loss <= high
    # "a" is drawn with 0.65 * 0.1, "aa" with 0.65 * that
    assert found.copied == pytest.approx(0.065 * 1.65, abs=0.05)
    again = report(likes_a, words, train, AB, n_samples=200)
    assert again.as_dict() == found.as_dict()


def test_what_is_copied_is_copied_from_train():
    found = report(likes_a, ["bbb"], ["a", "aa", "aaa"], AB, n_samples=200)
    assert found.copied > 0.05  # hardly a "bbb" is drawn, but many an "a"


def test_a_report_where_nothing_was_seen_can_be_said_and_written():
    found = report(likes_a, ["b"], ["a"], AB, n_samples=10)
    sentences = found.sentences()
    assert sentences[1].startswith("0.0% of the words stand in train")
    assert "unknown" in sentences[1]
    assert json.loads(json.dumps(found.as_dict()))["seen"] is None


def test_a_report_on_one_word_and_no_samples_says_and_writes_no_nan():
    """One word has no error, no samples have no share, and most bins are empty."""
    found = report(likes_a, ["b"], ["a"], AB, n_samples=0)
    assert "nan" not in " ".join(found.sentences())
    assert len(found.sentences()) == 3 and found.copied is None
    numbers = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert numbers["unseen"]["standard_error"] is None
    assert numbers["calibration"]["predicted"][0] is None
