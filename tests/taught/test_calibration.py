"""How sure a model was, and how often it was right: by hand, bin by bin."""

import pytest
import torch
from toys import AB, likes_a, toy

from charlm.calibration import calibration
from charlm.counts import NGram
from charlm.evaluate import word_losses


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
    @toy(block_size=1)
    def model(idx):
        """Sure of an a at the start, half sure of the end after it."""
        start = torch.tensor([0.02, 0.95, 0.03])
        return torch.where(idx == 0, start, torch.tensor([0.55, 0.25, 0.2])).log()

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
