"""Right and wrong answers to the exercises on honest evaluation."""

import numpy as np
import torch

RIGHT = {
    "E.1": [(17_689, 75_219), [17_000.0, 78_000.0], torch.tensor([17_689, 75_219])],
    "E.2": [(1.4, 1.2), [1.4, 1.3], np.array([1.35, 1.25])],
    "E.3": [0.8757, torch.tensor(0.8757), np.float64(0.8757)],
}

WRONG = {
    "E.1": [
        ((75_219, 17_689), "same names first"),
        ((4_422, 18_805), "On the same names: the gap"),
        ((75_219, 75_219), "for different names; on the same"),
        ((17_689, 18_805), "for the same names; on different"),
        ((7_554, 15_577), "root"),
        ((5.5, 23.3), "factor"),
        ((125_000, 530_000), "characters"),
        ((1, 2), "another number"),
        (17_689, "two numbers"),
    ],
    "E.2": [
        ((1.2, 1.4), "loss first"),
        ((1, 1), "changes nothing"),
        ((0.7, 0.8), "Divide the logits"),
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
        (0.9042, "too high"),
    ],
}
