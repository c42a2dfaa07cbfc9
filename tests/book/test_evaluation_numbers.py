"""The numbers of Honest evaluation, computed again in another way.

Plain loops over dictionaries and floats, closed forms and exact sums stand against
what the page uses: the package's functions, and functions that the page itself defines.
"""

import ast
import bz2
import lzma
import math
import random
import re
from collections import Counter
from pathlib import Path
from statistics import NormalDist, fmean, stdev, variance
from typing import Any

import pytest
import torch
from chapters import code_cells
from torch import Tensor

from charlm.calibration import calibration
from charlm.counts import NGram
from charlm.data import split_words, windows
from charlm.evaluate import (
    bootstrap,
    evaluate,
    interval,
    losses,
    n_characters,
    paired,
    word_losses,
)
from charlm.memory import by_seen, share_in
from charlm.sample import sample_words
from charlm.vocab import Vocabulary

PAGE = Path(__file__).parents[2] / "book" / "evaluation.md"
PAGE_TEXT = " ".join(PAGE.read_text(encoding="utf-8").split())


class Counts:
    """An n-gram model of strings and dictionaries."""

    def __init__(self, words, order, smoothing):
        self.order, self.smoothing = order, smoothing
        self.grams: Counter[tuple[str, str]] = Counter()
        self.contexts: Counter[str] = Counter()
        for word in words:
            for context, char in self.pairs(word):
                self.grams[context, char] += 1
                self.contexts[context] += 1

    def pairs(self, word):
        padded = "." * (self.order - 1) + word + "."
        starts = range(len(word) + 1)
        return [
            (padded[i : i + self.order - 1], padded[i + self.order - 1]) for i in starts
        ]

    def p(self, context, char):
        total = self.contexts[context] + 27 * self.smoothing
        return (self.grams[context, char] + self.smoothing) / total if total else 1 / 27

    def losses(self, word):
        return [-math.log(self.p(*pair)) for pair in self.pairs(word)]


def loss_and_error(sums, lengths):
    """The ratio of two sums, and its error from the residuals, in a loop."""
    loss = sum(sums) / sum(lengths)
    squares = sum((s - loss * k) ** 2 for s, k in zip(sums, lengths))
    W = len(sums)
    return loss, math.sqrt(W / (W - 1) * squares) / sum(lengths)


def tail(t, freedom):
    """P(T > t) of Student's distribution, by Simpson's rule over its density."""
    scale = math.gamma((freedom + 1) / 2) / math.gamma(freedom / 2)
    scale /= math.sqrt(math.pi * freedom)
    n = 2000
    values = [
        (1 + (t * i / n) ** 2 / freedom) ** (-(freedom + 1) / 2) for i in range(n + 1)
    ]
    inner = values[0] + values[-1] + 4 * sum(values[1::2]) + 2 * sum(values[2:-1:2])
    return 0.5 - scale * t / n * inner / 3


def from_page(*names, **given: Any) -> dict[str, Any]:
    """Run the cells of the page that define these functions and classes."""
    space = {"torch": torch, "math": math, **given}
    for _, _, source in code_cells(PAGE.read_text(encoding="utf-8")):
        if not any(
            f"def {name}(" in source or f"class {name}" in source for name in names
        ):
            continue
        for node in ast.parse(source).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in names:
                exec(compile(ast.Module([node], []), str(PAGE), "exec"), space)
    return space


@pytest.fixture(scope="module")
def split(names):
    return split_words(names)


@pytest.fixture(scope="module")
def both(split, vocab) -> dict[str, tuple[Counts, NGram]]:
    """Each table twice: in dictionaries, and of the package."""
    settings = {"bigram": (2, 0.3), "4-gram": (4, 0.1), "6-gram": (6, 0.01)}
    return {
        name: (Counts(split[0], *how), NGram(vocab, *how).fit(split[0]))
        for name, how in settings.items()
    }


def test_the_leak_is_counted_right(names, split):
    train, dev, test = split
    records = Counter(names)
    assert sum(n - 1 for n in records.values()) == 2564 and len(names) == 32_257
    seen = Counter(train)
    assert share_in(dev, train) == sum(seen[w] > 0 for w in dev) / len(dev)
    assert f"{share_in(dev, train):.1%} {share_in(test, train):.1%}" == "12.6% 12.6%"
    of_list = sum(n for w, n in records.items() if seen[w]) / len(names)
    assert f"{of_list:.1%}" == f"{share_in(names, train):.1%}" == "82.5%"


@pytest.mark.parametrize("name", ["bigram", "4-gram", "6-gram"])
def test_losses_errors_seen_and_unseen_by_loops(both, split, vocab, name):
    train, dev, _ = split
    counts, model = both[name]
    known = set(train)
    sums = {w: sum(counts.losses(w)) for w in dev}
    parts: list[Any] = [(evaluate(model, dev, vocab), dev)]
    for score, seen in zip(by_seen(model, dev, train, vocab), (True, False)):
        parts.append((score, [w for w in dev if (w in known) is seen]))
    for score, words in parts:
        assert score is not None
        loss, error = loss_and_error(
            [sums[w] for w in words], [len(w) + 1 for w in words]
        )
        assert score.loss == pytest.approx(loss, abs=1e-6)
        assert score.standard_error == pytest.approx(error, rel=1e-5)
        assert score.bits_per_char == pytest.approx(loss * math.log2(math.e))


def test_a_paired_difference_is_that_of_the_words(both, split, vocab):
    dev = split[1]
    first, second = (
        [sum(both[name][0].losses(w)) for w in dev] for name in ("bigram", "4-gram")
    )
    lengths = [len(w) + 1 for w in dev]
    gap = paired(both["bigram"][1], both["4-gram"][1], dev, vocab)
    apart = [a - b for a, b in zip(first, second)]
    loss, error = loss_and_error(apart, lengths)
    assert gap.loss == pytest.approx(loss, abs=1e-6)
    assert gap.standard_error == pytest.approx(error, rel=1e-5)
    alone = [loss_and_error(sums, lengths)[1] for sums in (first, second)]
    assert error < 0.8 * math.hypot(*alone)


def test_the_bootstrap_the_formula_and_the_interval_agree(both, split, vocab):
    dev = split[1][:1000]
    L, n = word_losses(both["4-gram"][1], dev, vocab), n_characters(dev)
    pairs, r = list(zip(L.tolist(), n.tolist())), random.Random(5)
    drawn = []
    for _ in range(400):
        sample = r.choices(pairs, k=len(pairs))
        drawn.append(sum(a for a, _ in sample) / sum(k for _, k in sample))
    formula = evaluate(both["4-gram"][1], dev, vocab)
    assert formula.standard_error == pytest.approx(stdev(drawn), rel=0.15)
    redrawn = bootstrap(L, n, 400, generator=torch.Generator().manual_seed(1))
    assert redrawn.std().item() == pytest.approx(stdev(drawn), rel=0.15)
    low, high = interval(redrawn)
    inside = [low <= loss <= high for loss in drawn]
    assert fmean(inside) == pytest.approx(0.95, abs=0.05)


def test_errors_by_word_and_by_character_on_the_page(both, split, vocab):
    """The page's function, and the means of the positions that it subtracts."""
    dev = split[1]
    errors = from_page("errors", dev=dev, n=n_characters(dev))["errors"]
    model = both["bigram"][1]
    nll = losses(model, *windows(dev, vocab, 1)).float()
    by_word = [both["bigram"][0].losses(w) for w in dev]
    columns: dict[int, list[float]] = {}
    for row in by_word:
        for t, loss in enumerate(row):
            columns.setdefault(t, []).append(loss)
    usual = {t: fmean(column) for t, column in columns.items()}
    rest = [[x - usual[t] for t, x in enumerate(row)] for row in by_word]
    place = torch.tensor([t for w in dev for t in range(len(w) + 1)])
    means = torch.tensor([usual[t] for t in range(len(usual))])
    ratios = []
    for rows, vector in ((by_word, nll), (rest, nll - means[place])):
        flat = [x for row in rows for x in row]
        word = loss_and_error([sum(row) for row in rows], [len(row) for row in rows])[1]
        char = math.sqrt(variance(flat) / len(flat))
        found = errors(vector)
        assert found[0].item() == pytest.approx(word, rel=1e-3)
        assert found[1].item() == pytest.approx(char, rel=1e-3)
        ratios.append(f"{word / char:.2f}")
    assert ratios == ["0.86", "0.95"]


def test_what_forgetting_costs_the_bigram_and_what_fewer_names_cost(split, vocab):
    train, dev, _ = split
    in_train, in_dev = set(train), set(dev)
    shared = [w for w in dev if w in in_train]
    forgot = [w for w in train if w not in in_dev]
    kept = [w for w in train if w in in_dev]
    fewer = kept + forgot[len(kept) :]
    assert len(fewer) == len(forgot)
    lengths = [len(w) + 1 for w in shared]
    full = Counts(train, 2, 0.3)
    for rest, right in ((forgot, (0.0052, 0.0003)), (fewer, (0.0003, 0.0001))):
        less = Counts(rest, 2, 0.3)
        apart = [sum(less.losses(w)) - sum(full.losses(w)) for w in shared]
        found = loss_and_error(apart, lengths)
        assert found == pytest.approx(right, abs=5e-5)
        first, second = (NGram(vocab, 2, 0.3).fit(words) for words in (rest, train))
        gap = paired(first, second, shared, vocab)
        assert gap.loss == pytest.approx(found[0], abs=1e-6)
        assert gap.standard_error == pytest.approx(found[1], rel=1e-3)


@pytest.mark.parametrize("name", ["bigram", "4-gram", "6-gram"])
def test_hits_of_samples_are_what_the_probabilities_promise(names, vocab, name):
    """An exact sum over all names against counted hits, and their errors."""
    train, dev, test = split_words(list(dict.fromkeys(names)))
    how = {"bigram": (2, 0.3), "4-gram": (4, 0.1), "6-gram": (6, 0.01)}[name]
    counts, model = Counts(train, *how), NGram(vocab, *how).fit(train)
    known, held_out = set(train), set(dev + test)
    expected = [
        fmean(math.exp(-sum(counts.losses(w))) for w in part)
        for part in (known, held_out)
    ]
    n = 10_000
    written = sample_words(model, vocab, n, generator=torch.Generator().manual_seed(7))
    hits = [sum(w in part for w in written) for part in (known, held_out)]
    for hit, p, part in zip(hits, expected, (known, held_out)):
        assert hit == pytest.approx(n * p * len(part), abs=4 * math.sqrt(hit))
    ratio = (hits[0] / len(known)) / (hits[1] / len(held_out))
    error = ratio * math.sqrt(1 / hits[0] + 1 / hits[1])
    assert ratio == pytest.approx(expected[0] / expected[1], abs=4 * error)
    bands = {"bigram": (0.9, 1.3), "4-gram": (1.1, 1.5), "6-gram": (8, 12)}
    assert bands[name][0] < expected[0] / expected[1] < bands[name][1]


@pytest.mark.parametrize(("order", "smoothing"), [(2, 0.3), (4, 0.1), (6, 0.01)])
def test_the_leak_raises_the_ratio_of_hits(names, order, smoothing):
    ratios = []
    for words in (names, list(dict.fromkeys(names))):
        train, dev, test = split_words(words)
        counts, known = Counts(train, order, smoothing), set(train)
        means = [
            fmean(math.exp(-sum(counts.losses(w))) for w in part)
            for part in (known, {*dev, *test} - known)
        ]
        ratios.append(means[0] / means[1])
    assert ratios[0] > ratios[1]


def test_another_split_moves_the_ratio_of_hits(names, vocab):
    """The bigram's, which remembers nothing, to both sides of 1."""
    once = list(dict.fromkeys(names))
    promised = from_page(
        "promised",
        NGram=NGram,
        once=once,
        split_words=split_words,
        vocab=vocab,
        word_losses=word_losses,
    )["promised"]
    for seed, order, smoothing in ((2, 2, 0.3), (8, 2, 0.3), (1, 4, 0.1)):
        learn, one, other = split_words(once, seed)
        counts = Counts(learn, order, smoothing)
        means = [
            fmean(math.exp(-sum(counts.losses(w))) for w in part)
            for part in (learn, one + other)
        ]
        exact = means[0] / means[1]
        assert promised(order, smoothing, seed) == pytest.approx(exact, rel=1e-3)
    assert promised(2, 0.3, 2) < 0.8 and promised(2, 0.3, 8) > 1.2
    assert "ends up somewhat above" not in PAGE_TEXT
    counts = Counts(split_words(once)[0], 2, 0.3)
    likely = sorted((math.exp(-sum(counts.losses(w))), w) for w in once)[::-1]
    few, total = likely[:10], sum(p for p, _ in likely)
    assert sum(p for p, _ in few) > total / 5 and all(len(w) < 4 for _, w in few)


def test_the_error_of_a_ratio_of_hits_is_its_spread():
    r = random.Random(3)
    ratios = []
    for _ in range(400):
        a, b = (sum(r.random() < p for _ in range(1000)) for p in (0.25, 0.06))
        ratios.append(a / b)
    error = 250 / 60 * math.sqrt(1 / 250 + 1 / 60)
    assert stdev(ratios) == pytest.approx(error, rel=0.2)


def test_calibration_by_loops(both, split, vocab):
    """Also the first bins of 4-gram and 6-gram, which the figure describes."""
    dev = split[1]
    for name, first in (("4-gram", (4, 17)), ("6-gram", (4, 36))):
        counts, model = both[name]
        bins: list[list[tuple[float, bool]]] = [[] for _ in range(10)]
        rows: dict[str, tuple[float, str]] = {}
        for word in dev:
            for context, char in counts.pairs(word):
                if context not in rows:
                    p = [counts.p(context, c) for c in "." + LETTERS]
                    best = max(range(27), key=p.__getitem__)
                    rows[context] = p[best], ("." + LETTERS)[best]
                sure, likeliest = rows[context]
                bins[min(int(sure * 10), 9)].append((sure, likeliest == char))
        found = calibration(model, dev, vocab)
        total = sum(map(len, bins))
        gaps = [abs(sum(s - came for s, came in rows_)) for rows_ in bins]
        assert found.count.tolist() == [len(rows_) for rows_ in bins]
        assert found.error == pytest.approx(sum(gaps) / total, abs=1e-6)
        said, came = (fmean(column) for column in zip(*bins[0]))
        assert (round(100 * said), round(100 * came)) == first


LETTERS = "abcdefghijklmnopqrstuvwxyz"


def test_the_weights_of_the_mixed_tables_are_the_best(split, vocab):
    """No small step away from the page's weights lowers the loss of the names."""
    train, dev = split[0], split[1][:800]
    page = from_page(
        "Mixture", "mixed_tables", vocab=vocab, NGram=NGram, windows=windows
    )
    mixture = page["mixed_tables"](train, dev)
    weights = mixture.weights.flatten().tolist()
    assert sum(weights) == pytest.approx(1)
    tables = [Counts(train, n, 0.01) for n in range(1, 6)]
    columns = []
    for word in dev:
        pairs = [table.pairs(word) for table in tables]
        columns += [
            [t.p(*pair) for t, pair in zip(tables, step)] for step in zip(*pairs)
        ]

    def loss(w):
        return -fmean(
            math.log(sum(a * p for a, p in zip(w, column))) for column in columns
        )

    best = loss(weights)
    assert evaluate(mixture, dev, vocab).loss == pytest.approx(best, abs=1e-5)
    for i in range(5):
        for factor in (0.9, 1.1):
            moved = [w * factor if j == i else w for j, w in enumerate(weights)]
            assert loss([w / sum(moved) for w in moved]) > best - 1e-4


def test_the_race_against_compressors(split):
    """What dev adds, as the length of a stream that read train before."""
    old, new = ("\n".join(words).encode() for words in split[:2])
    added = []
    for make in (bz2.BZ2Compressor, lzma.LZMACompressor):
        sizes = []
        for chunks in ((old,), (old, b"\n", new)):
            stream = make()
            sizes.append(
                sum(len(stream.compress(c)) for c in chunks) + len(stream.flush())
            )
        added.append((sizes[1] - sizes[0]) * 8 / len(new))
    assert [f"{bits:.1f}" for bits in added] == ["3.2", "3.4"]


def test_a_loss_in_other_units(split):
    lengths = [len(w) + 1 for w in split[1]]
    assert math.exp(0.1 * fmean(lengths)) == pytest.approx(2.04, abs=0.005)
    for loss, bits, right, among in [(2.1, 3.03, 0.122, 8.2), (2.0, 2.89, 0.135, 7.4)]:
        assert loss / math.log(2) == pytest.approx(bits, abs=0.005)
        assert 1 / among == pytest.approx(math.exp(-loss), abs=0.001)
        assert math.exp(-loss) == pytest.approx(right, abs=0.0005)
    assert math.log(27) == pytest.approx(3.2958, abs=1e-4)


def test_false_alarms_of_two_standard_errors():
    """Against the exact distribution: three and four seeds, and two groups of three."""
    for freedom, share in ((2, 0.0918), (3, 0.0697), (4, 0.0581), (9, 0.0383)):
        assert tail(2, freedom) == pytest.approx(share, abs=1e-4)
    assert tail(2, 2) == pytest.approx(0.5 - 2 / (2 * math.sqrt(6)))  # closed form
    for freedom, bar in ((2, 4.30), (3, 3.18), (9, 2.26)):
        assert 2 * tail(bar, freedom) == pytest.approx(0.05, abs=3e-4)
    assert 1 - NormalDist().cdf(2) == pytest.approx(0.023, abs=5e-4)


@pytest.mark.parametrize(("S", "low", "high"), [(3, 0.40, 0.46), (4, 0.32, 0.38)])
def test_ten_equal_designs_and_the_winner_s_surplus(S, low, high):
    r, alarms, best = random.Random(S), 0, []
    draws = 1500
    for _ in range(draws):
        baseline = [r.gauss(0, 1) for _ in range(S)]
        gains = [[r.gauss(0, 1) - b for b in baseline] for _ in range(10)]
        means = [fmean(g) for g in gains]
        alarms += any(m > 2 * stdev(g) / S**0.5 for m, g in zip(means, gains))
        best.append(max(means))
    assert low - 0.02 < alarms / draws < high + 0.02
    normal = NormalDist()
    step = 0.01
    grid = [-6 + step * i for i in range(1201)]
    largest = sum(
        x * 10 * normal.pdf(x) * normal.cdf(x) ** 9 * step for x in grid
    )  # of ten normal numbers
    assert fmean(best) == pytest.approx(largest / S**0.5, abs=0.04)


def test_the_power_of_two_and_of_2_8_standard_errors():
    r, n = random.Random(1), 20_000
    for gain, power in ((2.0, 0.516), (1.96 + 0.84, 0.80)):
        found = sum(r.gauss(gain, 1) > 1.96 for _ in range(n)) / n
        assert found == pytest.approx(power, abs=0.015)
    normal = NormalDist()
    assert normal.inv_cdf(0.975) + normal.inv_cdf(0.8) == pytest.approx(2.8, abs=0.002)


def test_errors_over_seeds_are_those_of_a_mean():
    from charlm.seeds import over_seeds

    values = [0.0773, 0.0643, 0.0695, 0.0597]
    found = over_seeds(values)
    assert found.mean == pytest.approx(sum(values) / 4)
    spread = math.sqrt(sum((v - sum(values) / 4) ** 2 for v in values) / 3)
    assert found.std == pytest.approx(spread)
    assert found.standard_error == pytest.approx(spread / 2)


def test_vocabulary_has_the_27_of_the_loops(vocab: Vocabulary):
    assert "".join(vocab.labels) == "." + LETTERS
    assert isinstance(torch.zeros(len(vocab)), Tensor)


def test_what_the_6_gram_says_in_contexts_that_it_has_seen_once(both, split):
    """They get 80 %, so they cannot be what the surest bin gets wrong."""
    counts, once, seen_where_sure = both["6-gram"][0], [], []
    for word in split[1]:
        for context, char in counts.pairs(word):
            p = {c: counts.p(context, c) for c in "." + LETTERS}
            likeliest = max(p, key=p.__getitem__)
            if counts.contexts[context] == 1:
                once.append((p[likeliest], likeliest == char))
            if p[likeliest] >= 0.9:
                seen_where_sure.append(counts.contexts[context])
    said, came = (fmean(column) for column in zip(*once))
    assert said == pytest.approx(1.01 / 1.27) and 0.5 < came < 0.6
    assert min(seen_where_sure) > 1
    (about_once,) = re.findall(r"[^.]*that it has seen once[^.]*\.", PAGE_TEXT)
    assert "eval_once_said" in about_once and "eval_sure" not in about_once


def test_a_part_calls_a_thing_what_the_page_says_that_it_does():
    calls = re.findall(r"Part (\d) calls ([^.,;:]+)[.,;:]", PAGE_TEXT)
    assert calls
    for part, phrase in calls:
        (path,) = PAGE.parent.glob(f"0{part}_*.md")
        text = " ".join(path.read_text(encoding="utf-8").replace("*", "").split())
        assert phrase in text, (part, phrase)
