"""What goes with a loss: right by hand, and sound where there is nothing to measure."""

import json

import pytest
from toys import AB, likes_a

from charlm.evaluate import evaluate
from charlm.memory import by_seen
from charlm.runs.report import report


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
    assert (
        found.copied is not None and found.copied > 0.05
    )  # hardly a "bbb" is drawn, but many an "a"


def test_a_report_where_nothing_was_seen_can_be_said_and_written():
    found = report(likes_a, ["b"], ["a"], AB, n_samples=10)
    sentences = found.sentences()
    assert sentences[1].startswith("0.0% of the words occur in train")
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


def test_memory_is_hits_per_word_of_train_over_hits_per_unseen_word():
    found = report(likes_a, ["a", "ab", "ba"], ["aa", "a", "aa"], AB, n_samples=4000)
    p = {"a": 0.065, "aa": 0.65 * 0.065, "ab": 0.65 * 0.025, "ba": 0.25 * 0.065}
    right = ((p["a"] + p["aa"]) / 2) / ((p["ab"] + p["ba"]) / 2)
    assert found.hit_ratio is not None and found.hit_ratio_error is not None
    assert found.hit_ratio == pytest.approx(right, abs=4 * found.hit_ratio_error)
    assert found.hit_ratio_error < 0.2 * right
    assert f"train {found.hit_ratio:.1f} ± " in " ".join(found.sentences())


def test_memory_is_not_spoken_of_where_nothing_unseen_was_hit():
    found = report(likes_a, ["bbbbbbbbb"], ["a"], AB, n_samples=10)
    assert found.hit_ratio is None is found.hit_ratio_error
    assert "Too few" in found.sentences()[3]
