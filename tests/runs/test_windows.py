"""The examples of many words as a data set: any index, and a DataLoader."""

from collections import Counter

import numpy as np
import pytest
import torch
from torch.utils.data import BatchSampler, DataLoader, RandomSampler

from charlm.data import windows
from charlm.runs.windows import WholeWords, Windows
from charlm.vocab import Vocabulary

WORDS = ["emma", "ava", "mia", "a"]
VOCAB = Vocabulary.from_words(WORDS)


@pytest.fixture
def examples():
    return Windows(WORDS, VOCAB, 3)


@pytest.fixture
def whole():
    return WholeWords(WORDS, VOCAB, 3)


INDICES = [slice(2, 9), slice(None, None, -3), [0, 5, -1], (3,), [], range(4)]
INDICES += [torch.tensor([1, 1]), [np.int64(2)], slice(90, 99), np.array([3, 1])]


@pytest.mark.parametrize("at", INDICES, ids=str)
def test_some_at_once(examples, at):
    X, Y = windows(WORDS, VOCAB, 3)
    wanted = list(at) if isinstance(at, tuple | range) else at
    x, y = examples[at]
    assert x.shape[1:] == (3,) and x.dtype == y.dtype == torch.int64
    step_back = isinstance(at, slice) and (at.step or 1) < 0  # which torch lacks
    if step_back:
        wanted = list(range(len(Y)))[at]
    assert torch.equal(x, X[wanted]) and torch.equal(y, Y[wanted])


def test_a_mask(examples):
    X, Y = windows(WORDS, VOCAB, 3)
    x, y = examples[Y == 0]
    assert torch.equal(x, X[Y == 0]) and len(y) == len(WORDS)


@pytest.mark.parametrize("number", [0, 7, -1, np.int64(3), torch.tensor(2)])
def test_one_alone(examples, number):
    X, Y = windows(WORDS, VOCAB, 3)
    x, y = examples[number]
    assert torch.equal(x, X[number]) and torch.equal(y, Y[number])


def test_one_word_alone(whole):
    x, y = whole[1]
    X, _ = windows(["ava"], VOCAB, 3)
    assert torch.equal(x, X) and y.shape == (4, len(VOCAB))
    assert torch.equal(whole[-3][0], x) and len(whole[[1, 3]][0]) == 4 + 2
    assert len(whole[:][0]) == sum(map(len, WORDS)) + len(WORDS)


def test_a_number_that_is_not_there(examples, whole):
    for data in (examples, whole):
        for at in (len(data), -len(data) - 1, [0, len(data)]):
            with pytest.raises(IndexError, match=r"there is no example -?\d+, only"):
                data[at]
        with pytest.raises(TypeError):
            data[1.5]
        with pytest.raises(TypeError):
            data["a"]
        assert len(list(data)) == len(data)  # a loop ends where the examples do


def test_a_loader_of_examples(examples):
    X, Y = windows(WORDS, VOCAB, 3)
    x, y = zip(*DataLoader(examples, batch_size=4), strict=True)
    assert torch.equal(torch.cat(x), X) and torch.equal(torch.cat(y), Y)
    alone = list(DataLoader(examples))
    assert len(alone) == len(Y) and alone[0][0].shape == (1, 3)
    order = torch.Generator().manual_seed(1)
    drawn = DataLoader(examples, batch_size=4, shuffle=True, generator=order)
    rows = [(*x.tolist(), int(y)) for xs, ys in drawn for x, y in zip(xs, ys)]
    plain = [(*x.tolist(), int(y)) for x, y in zip(X, Y)]
    assert rows != plain and Counter(rows) == Counter(plain)


def test_a_loader_of_whole_words(whole):
    wanted = whole[:]
    loaded = DataLoader(whole, batch_size=3, collate_fn=whole.collate)
    x, y = zip(*loaded, strict=True)
    assert torch.equal(torch.cat(x), wanted[0]) and torch.equal(torch.cat(y), wanted[1])
    at_once = BatchSampler(RandomSampler(whole), 3, drop_last=False)
    sizes = [len(x) for x, _ in DataLoader(whole, batch_size=None, sampler=at_once)]
    assert len(sizes) == 2 and sum(sizes) == len(wanted[0])
