"""Answers that no exercise asks for: none may make a check crash."""

import math

import numpy as np
import torch

NONSENSE = [
    None,
    "2.1",
    True,
    [],
    (),
    (1.0, "x"),
    ("x", 1.0),
    (None, None),
    [[1], [2]],
    {},
    {"A": []},
    math.nan,
    math.inf,
    10**400,
    object(),
    1j,
    np.zeros(0),
    np.array(["x"]),
    torch.zeros(0),
    torch.zeros(2, 3),
    torch.tensor(math.nan),
    torch.tensor(1j),
    lambda: 1,
    lambda *_: None,
    lambda *_: (None, None),
    lambda *_: {},
    lambda *_: "x",
    lambda *_: math.nan,
    lambda *_: 1j,
    lambda *_: torch.zeros(0),
    lambda *_: np.zeros((2, 2)),
    lambda *_: 1 / 0,
    lambda *_: (_ for _ in ()).throw(RuntimeError("two\nlines")),
    lambda *arguments: arguments[0],
]
