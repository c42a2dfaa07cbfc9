"""Right and wrong answers to the exercises on honest evaluation."""

import numpy as np
import torch

RIGHT = {
    "E.1": [
        (6_847, 133_951),
        [6_839, 133_790.0],
        torch.tensor([7_035, 137_631]),
    ],
    "E.2": [(1.4, 1.2), [1.4, 1.3], np.array([1.35, 1.25])],
    "E.3": [0.8757, 0.876, torch.tensor(0.8757), np.float64(0.8757)],
}

WRONG = {
    "E.1": [
        ((133_951, 6_847), "same names first"),
        # a gain of two standard errors, once the solution: found half of the time
        ((3_489, 68_263), "On the same names: with a gain of two"),
        ((3_351, 65_559), "only half of the time"),
        ((6_847, 68_263), "On different names: with a gain of two"),
        # its neighbors: another bar, another power
        ((5_393, 105_510), "one direction"),
        ((9_166, 179_330), "a power of 90"),
        ((872, 17_066), "one standard error"),
        ((618, 12_088), "missing its bar"),
        # one number twice
        ((6_847, 6_847), "Both numbers are the same"),
        ((133_951, 133_951), "Both numbers are the same"),
        ((20_000, 20_000), "Both numbers are the same"),
        ((4_700, 20_788), "root"),
        ((2.12, 41.5), "factor"),
        ((48_600, 951_000), "characters"),
        # those beyond dev, once told that their gain was two standard errors
        ((3_613, 130_568), "how many more"),
        ((1, 2), "another number"),
        (6_847, "two numbers"),
    ],
    "E.2": [
        ((1.2, 1.4), "loss first"),
        ((1, 1), "changes nothing"),
        ((0.7, 0.8), "Divide the logits"),
        # the best on train, once told only to divide
        ((0.8, 0.9), "score dev"),
        ((1.25, 1.25), "lower loss on dev. See hint 2."),
        ((1.4, 1.4), "lower calibration error on dev. See hint 2."),
        ((2.2, 1.2), "lower loss on dev. See hint 1."),
        ((-1.4, 1.2), "positive"),
    ],
    "E.3": [
        (87.57, "per cent"),
        (2600, "between 0 and 1"),
        (0.7918, "only one letter changed;"),
        (0.7164, "added or dropped"),
        (0.6201, "only one letter dropped"),
        (0.3799, "only one letter added"),
        (0.1243, "without"),
        # no letter added in front, once accepted; none at the end
        (0.87504, "in front, and at the end"),
        (0.87403, "in front, and at the end"),
        # swaps of two letters, once only "too high", and its neighbors
        (0.8781, "swaps of two neighboring letters"),
        (0.7976, "swaps of two neighboring letters"),
        (0.9042, "too high"),
        (0.85, "too low"),
    ],
}
