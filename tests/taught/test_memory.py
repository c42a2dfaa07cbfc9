"""What was seen and what was not is told apart, and scored apart."""

import math

import pytest
from toys import AB, likes_a

from charlm.memory import by_seen, share_in


def test_seen_and_unseen_words_are_scored_apart():
    seen, unseen = by_seen(likes_a, ["a", "b", "a"], ["a", "aa"], AB)
    assert seen and unseen
    assert seen.loss == pytest.approx(-(math.log(0.65) + math.log(0.1)) / 2)
    assert unseen.loss == pytest.approx(-(math.log(0.25) + math.log(0.1)) / 2)
    assert by_seen(likes_a, ["a"], [], AB)[0] is None
    assert by_seen(likes_a, ["a"], ["a"], AB)[1] is None


def test_a_word_drawn_twice_counts_twice():
    assert share_in(["a", "b", "a", "c"], ["a", "x"]) == 0.5
    with pytest.raises(ValueError, match="no words"):
        share_in([], ["a"])
