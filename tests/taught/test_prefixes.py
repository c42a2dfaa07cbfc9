"""Distinct prefixes: against a plain set of strings, on contexts of any kind."""

import random
from itertools import pairwise

import pytest
import torch

from charlm.data import load_words, soft_targets, split_words, windows
from charlm.prefixes import batches_of_words, distinct_prefixes, passes_of_words
from charlm.vocab import Vocabulary

LETTERS = Vocabulary(("a", "b", "c"))


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def spelled(levels):
    """Each prefix as a tuple of ids, level after level, by following the parents."""
    before, all_of_them = [()], []
    for level in levels:
        pairs = zip(level.ids.tolist(), level.parents.tolist(), strict=True)
        before = [(*before[parent], last) for last, parent in pairs]
        all_of_them += before
    return all_of_them


def prefix(context):
    """What a context ends: all from its last filling boundary on."""
    ids = list(context)
    while len(ids) > 1 and ids[0] == ids[1] == 0:
        ids.pop(0)
    return tuple(ids)


@pytest.mark.parametrize("T", [1, 2, 5, 9])
@pytest.mark.parametrize("seed", range(4))
def test_each_prefix_once_and_each_context_at_its_own(T, seed):
    dice = random.Random(seed)
    words = ["".join(dice.choices("abc", k=dice.randint(1, 7))) for _ in range(30)]
    X, _ = windows(words, LETTERS, T)
    X = X[torch.randperm(len(X), generator=seeded(seed))]
    levels, at = distinct_prefixes(X, 4)
    found = spelled(levels)
    assert len(found) == len(set(found))
    assert [found[i] for i in at.tolist()] == [prefix(x) for x in X.tolist()]
    needed = {prefix(x)[:n] for x in X.tolist() for n in range(1, T + 1)}
    assert set(found) == needed - {()}


def test_a_context_may_begin_inside_a_word_and_a_boundary_inside_a_context():
    levels, at = distinct_prefixes(torch.tensor([[1, 0, 2], [0, 0, 2], [3, 3, 3]]), 4)
    found = spelled(levels)
    assert [found[i] for i in at.tolist()] == [(1, 0, 2), (0, 2), (3, 3, 3)]


def test_no_contexts_have_no_prefixes():
    levels, at = distinct_prefixes(torch.zeros(0, 3, dtype=torch.int64), 4)
    assert levels == [] and at.tolist() == []


def test_the_names_share_their_beginnings():
    words = load_words()
    train, _, _ = split_words(words)
    vocab = Vocabulary.from_words(words)
    X, _ = windows(train, vocab, 16)
    levels, _ = distinct_prefixes(X, len(vocab))
    distinct = {word[:n] for word in train for n in range(len(word) + 1)}
    assert sum(len(level.ids) for level in levels) == len(distinct) == 50_832
    assert len(X) == 183_802


@pytest.mark.parametrize("draw", [batches_of_words, passes_of_words])
@pytest.mark.parametrize("soft", [False, True])
def test_a_batch_holds_whole_words(soft, draw):
    words = ["a", "abc", "cab", "bb", "c"]
    X, Y = windows(words, LETTERS, 5)
    targets = soft_targets(X, Y, 4) if soft else Y
    seen = set()
    for x, y in draw(X, targets, 3, generator=seeded(), steps=40):
        ends = [i for i, row in enumerate(x.tolist()) if not any(row)] + [len(x)]
        assert len(ends) == 4
        for a, b in pairwise(ends):
            word = LETTERS.decode([i for i in x[b - 1].tolist() if i])
            rows, its = windows([word], LETTERS, 5)
            assert torch.equal(x[a:b], rows)
            if soft:
                at = [(row == X).all(1).nonzero()[0].item() for row in rows]
                assert torch.equal(y[a:b], targets[at])
            else:
                assert torch.equal(y[a:b], its)
            seen.add(word)
    assert seen == set(words)


def test_a_pass_has_each_word_once():
    words = ["a", "abc", "cab", "bb", "c", "ab", "ba"]
    X, Y = windows(words, LETTERS, 5)
    drawn = list(passes_of_words(X, Y, 3, generator=seeded(), steps=14))
    found = []
    for x, y in drawn:
        text = LETTERS.decode(y.tolist())
        assert text.count(".") == 3 and len(x) == len(y)
        found += text.split(".")[:-1]
    passes = [found[i : i + 7] for i in range(0, 42, 7)]
    assert all(sorted(one) == sorted(words) for one in passes)
    assert len({tuple(one) for one in passes}) > 1
    larger = next(passes_of_words(X, Y, 20, generator=seeded(), steps=1))
    assert LETTERS.decode(larger[1].tolist()).count(".") == 20
