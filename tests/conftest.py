"""What all tests share: one thread, no screen, the bundled names read once."""

import matplotlib

matplotlib.use("agg")

import pytest
import torch
from hypothesis import settings

from charlm.data import load_words
from charlm.vocab import Vocabulary

torch.set_num_threads(1)

# The same examples in every run, on slow machines too.
settings.register_profile("charlm", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("charlm")


@pytest.fixture(scope="session")
def names() -> list[str]:
    return load_words()


@pytest.fixture(scope="session")
def vocab(names) -> Vocabulary:
    return Vocabulary.from_words(names)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(2147483647)
