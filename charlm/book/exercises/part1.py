"""The checks of Part 1's exercises: each raises Wrong unless the answer is right."""

import math
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from charlm.book.exercises.answers import (
    TOLERANCE,
    Check,
    Wrong,
    call,
    check_loss,
    close,
    judge,
    read_number,
    read_pair,
    read_tensor,
)
from charlm.counts import NGram
from charlm.data import load_words, split_words, windows
from charlm.evaluate import evaluate, word_losses
from charlm.vocab import Vocabulary

LUCK = 0.03  # how far other names would move a loss, at most
ADDITIVE = 2.3363  # where the net of exercise 1.6 ends, in nats
ROUNDED = "Right as far as it goes: give it to four decimals."
PER_NAME = (
    "That is the mean of the names' losses, in which a short name counts as much as a "
    "long one; divide one sum by the number of characters."
)


@cache
def _data() -> tuple[Vocabulary, list[str], list[str], list[str], list[str]]:
    words = load_words()
    return Vocabulary.from_words(words), words, *split_words(words)


def _split(name: str) -> list[str]:
    _, words, train, dev, test = _data()
    splits = {"all": words, "train": train, "dev": dev, "test": test}
    splits["train + dev"] = train + dev
    splits["backward"] = [word[::-1] for word in words]
    n1, n2 = int(0.8 * len(words)), int(0.9 * len(words))
    splits |= {"first": words[:n1], "next": words[n1:n2]}  # in the file's order
    return splits[name]


@cache
def _loss(order: int, smoothing: float, count_on: str, score_on: str) -> float:
    vocab = _data()[0]
    model = NGram(vocab, order, smoothing).fit(_split(count_on))
    return evaluate(model, _split(score_on), vocab).loss


@cache
def _loss_of_names(order: int, count_on: str, score_on: str) -> float:
    """Return the mean of the names' mean losses, with smoothing 1."""
    vocab, names = _data()[0], _split(score_on)
    model = NGram(vocab, order, 1).fit(_split(count_on))
    lengths = torch.tensor([len(name) + 1 for name in names])
    return (word_losses(model, names, vocab) / lengths).mean().item()


@cache
def _triples() -> Tensor:
    """Return the examples of all names for a trigram, (N, 3)."""
    X, Y = windows(_data()[1], _data()[0], block_size=2)
    return torch.cat([X, Y[:, None]], dim=1)


def _expect(
    value: float, right: float, mistakes: Mapping[str, float], advice: str
) -> None:
    """Raise Wrong as `expect` of the answers does; a rounded answer is told apart."""
    if value != right and value in (round(right, 1), round(right, 2)):
        raise Wrong(ROUNDED)
    check_loss(value, right, dict(mistakes), advice)


def _table(triples: Tensor) -> Tensor:
    """Return how often each triple of the examples (N, 3) occurs: (27, 27, 27)."""
    a, b, c = triples.unbind(1)
    places = (a * 27 + b) * 27 + c
    return torch.bincount(places, minlength=27**3).view(27, 27, 27).double()


def _mean_loss(P: Tensor, triples: Tensor) -> float:
    a, b, c = triples.unbind(1)
    return -P[a, b, c].log().mean().item()


def _by_hand(triples: Tensor, dim: int = 2, keepdim: bool = True) -> float:
    """Return the loss of a trigram, on its examples (N, 3), normalized as told."""
    N = _table(triples) + 1
    return _mean_loss(N / N.sum(dim, keepdim=keepdim), triples)


def _half_smoothed(triples: Tensor) -> dict[str, list[float]]:
    """Return the losses of tables that count or smooth only in part, by the mistake."""
    N = _table(triples)
    sums, once = N.sum(2, keepdim=True), (N > 0).double()
    return {
        "That table says only whether a triple occurs: `N[a, b, c] += 1` writes "
        "each place once. See hint 2.": [
            _mean_loss((once + 1) / (once + 1).sum(2, keepdim=True), triples),
            _mean_loss(once / once.sum(2, keepdim=True), triples),
        ],
        "A row sums to more than 1: its sum must contain all 27 added ones. "
        "See hint 3.": [
            _mean_loss((N + 1) / sums, triples),
            _mean_loss((N + 1) / (sums + 1), triples),
        ],
        "Only the denominator is smoothed, so a row sums to less than 1. See hint 3.": [
            _mean_loss(N / (sums + 27), triples)
        ],
    }


def _trigram(answer: Any) -> None:
    value, right = read_number(answer), _loss(3, 1, "all", "all")
    triples = _triples()
    a, b, c = triples.unbind(1)
    ends = torch.stack([b, c, c], dim=1)[c == 0]
    short = triples[a + b > 0]  # of one boundary in front
    for mistake, losses in _half_smoothed(triples).items():
        if any(math.isclose(value, loss, abs_tol=TOLERANCE) for loss in losses):
            raise Wrong(mistake)
    mistakes = {
        "With one boundary in front, no example asks for a word's first letter: "
        "those are other examples, so it is another loss. See hint 1.": _by_hand(short),
        "No example asks where a word ends: put a boundary after it too. "
        "See hint 1.": _by_hand(triples[c > 0]),
        "One boundary after a word is enough: nothing follows it. See hint 1.": (
            _by_hand(torch.cat([triples, ends]))
        ),
        "Some rows sum to more than 1: divide by sums of triples, with keepdim. See "
        "hint 3.": (_by_hand(triples, keepdim=False)),
        "Those sums run over another character than the last. See hint 3.": (
            _by_hand(triples, dim=1)
        ),
        "Those sums run over the first character. See hint 3.": (
            _by_hand(triples, dim=0)
        ),
        "That is the loss with hardly any smoothing; add 1 to every count.": (
            _loss(3, 0, "all", "all")
        ),
        "Those sums run over the whole table, so its rows do not sum to 1. "
        "See hint 3.": _mean_loss((N := _table(triples) + 1) / N.sum(), triples),
        "That is a sum; divide by the number of examples.": right * len(triples),
        "That is a loss per name; divide by the number of examples.": (
            right * len(triples) / len(_data()[1])
        ),
        "Ends of names count, too: divide by the number of examples.": (
            right * len(triples) / (c > 0).sum().item()
        ),
        "The sign: the loss is the negative log-likelihood.": -right,
        "That is the perplexity, the exponential of the loss.": math.exp(right),
        "That is the bigram's loss.": _loss(2, 1, "all", "all"),
        "That table has counted train only; here all names count.": (
            _loss(3, 1, "train", "all")
        ),
        "That is the loss on dev; here all names count.": _loss(3, 1, "all", "dev"),
        "That is the loss on dev, of the table of train; here all names count.": (
            _loss(3, 1, "train", "dev")
        ),
        PER_NAME: _loss_of_names(3, "all", "all"),
    }
    if math.isclose(value, _loss(3, 1, "train", "train"), abs_tol=1e-4):
        raise Wrong("That is the loss on train; here all names count.")  # it is near
    for mistake, losses in _half_smoothed(short).items():
        if any(math.isclose(value, loss, abs_tol=TOLERANCE) for loss in losses):
            raise Wrong(
                f"With one boundary in front (hint 1), and one thing more: "
                f"{mistake[0].lower()}{mistake[1:]}"
            )
    _expect(value, right, mistakes, "Compare your examples of `emma`. See hint 1.")


_OTHER_ORDERS = {
    (3, 2): "Bigram first, then trigram.",
    (1, 2): "Those are the unigram and the bigram: the order counts the predicted "
    "character, too.",
    (3, 4): "Those are the trigram and the 4-gram: the order counts the predicted "
    "character, too.",
}
_NAMES = {1: "unigram", 2: "bigram", 3: "trigram", 4: "4-gram", 5: "5-gram"}


def _of_the_orders(losses: tuple[float, float], *how: Any) -> None:
    """Raise Wrong if these are the losses of other orders than 2 and 3."""
    first, second = (_order(loss, *how) for loss in losses)
    if first is None or second is None or (first, second) == (2, 3):
        return
    if first == second:
        raise Wrong(f"Both are the {_NAMES[first]}'s: is the order the same twice?")
    raise Wrong(
        _OTHER_ORDERS.get(
            (first, second),
            f"Those are the {_NAMES[first]} and the {_NAMES[second]}; a bigram has the "
            "order 2, a trigram 3.",
        )
    )


def _order(loss: float, *how: Any) -> int | None:
    """Return the order of the n-gram that has this loss, None if none of them has."""
    for order in (2, 3, 1, 4, 5):
        if math.isclose(loss, _loss(order, *how), abs_tol=TOLERANCE):
            return order
    return None


def _splits(answer: Any) -> None:
    losses = read_pair(answer)
    right = [_loss(order, 1, "train", "dev") for order in (2, 3)]
    _of_the_orders(losses, 1, "train", "dev")
    for alpha in (0.01, 0.1, 0.2, 0.3, 0.5, 2, 3):
        other = [_loss(order, alpha, "train", "dev") for order in (2, 3)]
        if all(math.isclose(a, b, abs_tol=6e-5) for a, b in zip(losses, other)):
            raise Wrong("The smoothing should be 1, in both tables.")
    off, far = [], []
    for order, value, expected in zip((2, 3), losses, right):
        if not math.isclose(value, expected, abs_tol=TOLERANCE):
            if value in (round(expected, 1), round(expected, 2)):
                raise Wrong(ROUNDED)
            direction = "low" if value < expected else "high"
            far.append(f"The {_NAMES[order]}'s loss is too {direction}.")
            off.append((_of_splits(order, value), abs(value - expected) < LUCK))
    mistakes = [mistake for mistake, _ in off]
    if len(set(mistakes)) == 2 and all(close_by for _, close_by in off):
        mistakes = [""]  # each by chance
    if any(mistakes):
        raise Wrong(next(filter(None, mistakes)))
    if any(close_by for _, close_by in off):
        raise Wrong(
            "That is close. Were other names dealt to train and dev, or is the "
            "smoothing not 1? See hint 2."
        )
    if off:
        raise Wrong(f"{far[0]} Count train alone, and score dev. See hint 1.")


def _of_splits(order: int, value: float) -> str:
    """Return the mistake with the splits that leads to the value, or ""."""
    right, dev = _loss(order, 1, "train", "dev"), _data()[3]
    n = sum(map(len, dev))  # letters; each name has one end more
    mistakes = {
        "It is infinite: without smoothing, one unseen pair is enough.": math.inf,
        "The smoothing should be 1.": _loss(order, 0.2, "train", "dev"),
        "The sign: the loss is the negative log-likelihood.": -right,
        "That is in bits; use the natural logarithm.": right / math.log(2),
        "That model has counted the dev names too. See hint 1.": (
            _loss(order, 1, "all", "dev")
        ),
        "That model has counted train and dev; count train alone. See hint 1.": (
            _loss(order, 1, "train + dev", "dev")
        ),
        "That is the loss on all names; score on dev. See hint 2.": (
            _loss(order, 1, "train", "all")
        ),
        "That model has counted all names, and is scored on them. See hint 1.": (
            _loss(order, 1, "all", "all")
        ),
        "That model has counted all names, and is scored on test. See hints 1 and "
        "2.": _loss(order, 1, "all", "test"),
        PER_NAME: _loss_of_names(order, "train", "dev"),
        "That model has counted the names it is scored on. See hint 1.": (
            _loss(order, 1, "dev", "dev")
        ),
        "That is the loss on train; score on dev. See hint 2.": (
            _loss(order, 1, "train", "train")
        ),
        "That is the loss on test; score on dev. See hint 2.": (
            _loss(order, 1, "train", "test")
        ),
        "Those splits are not shuffled: dev has the boys' names. See hint 2.": (
            _loss(order, 1, "first", "next")
        ),
        "That is the perplexity, the exponential of the loss.": math.exp(right),
        "That is a sum; divide by the number of characters.": right * (n + len(dev)),
        "That is a loss per name; divide by the number of characters.": (
            right * (n + len(dev)) / len(dev)
        ),
        "Ends of names count, too: divide by the number of predictions.": (
            right * (n + len(dev)) / n
        ),
    }
    if order == 3:
        mistakes["The trigram needs two boundaries in front. See exercise 1.1."] = (
            _one_boundary()
        )
    if value == math.inf:
        return next(iter(mistakes))
    likeliest = min(mistakes, key=lambda mistake: abs(mistakes[mistake] - value))
    near = math.isclose(value, mistakes[likeliest], rel_tol=1e-6, abs_tol=TOLERANCE)
    return likeliest if near else ""


@cache
def _one_boundary() -> float:
    """Return the loss on dev of train's trigram, of names with one boundary ahead."""
    vocab, _, train, dev, _ = _data()
    examples = {}
    for split, words in (("train", train), ("dev", dev)):
        X, Y = windows(words, vocab, block_size=2)
        examples[split] = torch.cat([X, Y[:, None]], dim=1)[X.sum(1) > 0]
    N = _table(examples["train"]) + 1
    return _mean_loss(N / N.sum(2, keepdim=True), examples["dev"])


@cache
def _backed_off(beta: float, score_on: str) -> float:
    """Return the loss of the trigram of train with beta counts of its bigram."""
    vocab, _, train, dev, test = _data()
    words = {"train": train, "dev": dev, "test": test}[score_on]
    return _with_shares(beta, _bigram("train"), *windows(words, vocab, block_size=2))


@cache
def _counts(count_on: str) -> Tensor:
    return NGram(_data()[0], 3).fit(_split(count_on)).counts()


def _with_shares(
    beta: float,
    shares: Tensor,
    X: Tensor,
    Y: Tensor,
    added: int = 0,
    count_on: str = "train",
) -> float:
    """Return the loss where beta counts are given in such shares, (27, 27)."""
    n = _counts(count_on) + added
    P = (n + beta * shares) / (n.sum(2, keepdim=True) + beta)
    return _mean_loss(P, torch.cat([X, Y[:, None]], dim=1))


@cache
def _bigram(count_on: str, smoothing: float = 1) -> Tensor:
    """Return the bigram's probabilities, (27, 27), of such names."""
    if count_on == "unsmoothed":
        count_on, smoothing = "all", 0
    table = NGram(_data()[0], 2, smoothing).fit(_split(count_on))
    return table(torch.arange(27)[:, None]).exp()


def _letters(count_on: str) -> Tensor:
    """Return the letters' proportions, (27,), of train or of all names."""
    sums = NGram(_data()[0], 2).fit(_split(count_on)).counts().sum(0).double()
    return sums / sums.sum()


def _without_keepdim() -> Tensor:
    n = NGram(_data()[0], 2).fit(_data()[2]).counts() + 1
    return n / n.sum(1)


def _on_test(
    beta: float, shares: Tensor, added: int = 0, count_on: str = "train"
) -> float:
    vocab, *_, test = _data()
    examples = windows(test, vocab, block_size=2)
    return _with_shares(beta, shares, *examples, added, count_on)


_Shares = dict[str, Callable[[], list[Tensor]]]  # by what is wrong with them

#: Some of these lead to the right loss on test, to within a thousandth.
_NEAR_SHARES: _Shares = {
    "P₂ should have the dimensions b and c; `P2[:, :, None]` has a and b. "
    "See hint 2.": lambda: [_bigram("train")[:, :, None]],
    "P₂ seems to have counted all names: count it on train. See hint 3.": lambda: [
        _bigram("all"),
        _bigram("unsmoothed"),
    ],
    "The smoothing of P₂ should be 1.": lambda: [
        _bigram("train", alpha) for alpha in (0.01, 0.1, 0.2, 0.3, 0.5, 2)
    ],
}
_FAR_SHARES: _Shares = {
    "P₂ should depend on the middle character, not on the first. See hint 2.": lambda: [
        _bigram("train")[:, None]
    ],
    "The rows of P₂ do not sum to 1: is a keepdim missing? See hint 2.": lambda: [
        _without_keepdim()
    ],
    "P₂ is transposed: its rows are for the character before. See hint 2.": lambda: [
        _bigram("train").T
    ],
    "Those extra counts are the same for all letters; use the bigram's probabilities. "
    "See hint 2.": lambda: [torch.full((27, 27), 1 / 27, dtype=torch.float64)],
    "Those are the proportions of the letters alone; P₂ should depend on the middle "
    "character. See hint 2.": lambda: [_letters("train"), _letters("all")],
}


# What a search tries on its way: its last β may be left in a variable.
_TRIED = [m * 10.0**e for e in range(-3, 5) for m in (1, 1.2, 1.5, *range(2, 10))]
_TRIED += [25.0, 35.0, 45.0]


def _of_another_table(beta: float, loss: float) -> str:
    """Return what explains the loss on test, to four decimals, "" if nothing does.

    It is "another β" where the table is right.
    """
    off = {
        mistake: min(abs(_on_test(beta, table) - loss) for table in tables())
        for mistake, tables in (_NEAR_SHARES | _FAR_SHARES).items()
    }
    off["n has counted more than train: count train alone. See hint 3."] = min(
        abs(_on_test(beta, _bigram(shares), count_on=names) - loss)
        for names in ("all", "train + dev")
        for shares in ("train", names)
    )
    off["The counts n are those of train as they are, without an added 1."] = abs(
        _on_test(beta, _bigram("train"), added=1) - loss
    )
    off[
        "That is the trigram with one α for all letters; use the bigram's "
        "probabilities. See hint 2."
    ] = min(abs(_loss(3, alpha, "train", "test") - loss) for alpha in (0.2, 1))
    off["another β"] = min(abs(_backed_off(b, "test") - loss) for b in _TRIED)
    off[""] = min(6e-5, abs(_backed_off(beta, "test") - loss))
    return min(off, key=lambda mistake: off[mistake])


def _smoothing(answer: Any) -> None:
    beta, loss = read_pair(answer)
    if 2 < beta < 3 < loss:
        raise Wrong("β first, then the loss.")
    if not 0 < beta < math.inf:
        raise Wrong("β must be positive and finite: without it dev costs infinity.")
    right = _backed_off(beta, "test")
    best = min(_backed_off(b, "dev") for b in (15, 18, 20, 25))
    if _backed_off(beta, "dev") > best + TOLERANCE:
        mistake = _of_another_table(beta, loss)
        if mistake not in ("", "another β"):
            raise Wrong(mistake)
        raise Wrong(
            "With the table of train another β has a lower loss on dev. See hint 1."
        )
    if loss == math.inf:
        raise Wrong("It is infinite: P₂ needs its smoothing of 1.")
    if loss == -math.inf:
        raise Wrong(
            "It is minus infinity: a context never seen is divided by 0. Add β below, "
            "too."
        )
    if loss == round(right, 3):
        return  # some mistakes are nearer than half a thousandth
    mistake = _of_another_table(beta, loss)
    if mistake == "another β":
        if math.isclose(loss, right, abs_tol=TOLERANCE):
            return
        raise Wrong("That is the loss on test of another β: score the one you hand in.")
    if mistake:
        raise Wrong(mistake)
    mistakes = {
        **{m: _on_test(beta, shares()[0]) for m, shares in _FAR_SHARES.items()},
        "The counts n are those of train as they are, without an added 1.": (
            _on_test(beta, _bigram("train"), added=1)
        ),
        "That is the loss on dev; report the one on test. See hint 3.": (
            _backed_off(beta, "dev")
        ),
        "That table is scored on the names that it has counted. See hint 3.": (
            _backed_off(beta, "train")
        ),
        "That is the bigram's loss.": _loss(2, 1, "train", "test"),
        "That is the trigram with one α for all letters; use the bigram's "
        "probabilities. See hint 2.": _loss(3, 0.2, "train", "test"),
    }
    advice = "Does P₂ depend on the middle character (hint 2)? Is it test (hint 3)?"
    _expect(loss, right, mistakes, advice)


def _indexing(answer: Any) -> None:
    g = torch.Generator().manual_seed(0)
    W, x = torch.randn(27, 27, generator=g), torch.randint(26, (5,), generator=g)
    result = read_tensor(answer, W, x)
    if close(result, W[:, x]) or close(result, W.T[x]):
        raise Wrong("That picks columns; one-hot @ W picks rows. See hint 1.")
    if result.shape != (5, 27):
        shape = tuple(result.shape)
        raise Wrong(f"For 5 characters it should be of shape (5, 27), not {shape}.")
    if not close(result, W[x]):
        raise Wrong("The shape is right, the numbers are not. See hint 1.")
    W[26] = math.inf
    if read_tensor(answer, W, x).isnan().any():
        raise Wrong("That is still a product: 0 times infinity is nan. See hint 2.")


def _cross_entropy(answer: Any) -> None:
    g = torch.Generator().manual_seed(0)
    logits, y = torch.randn(8, 27, generator=g), torch.randint(27, (8,), generator=g)
    result = call(answer, logits, y)
    if isinstance(result, torch.Tensor) and result.numel() != 1:
        raise Wrong(f"Expected one number, got shape {tuple(result.shape)}.")
    value, right = read_number(result), F.cross_entropy(logits, y).item()
    chosen = torch.arange(8), y
    mistakes = {
        "That is a sum; take the mean.": right * 8,
        "The sign: the loss is the negative log-likelihood.": -right,
        "The softmax runs over the batch; each *row* should sum to 1.": (
            -logits.log_softmax(0)[chosen].mean().item()
        ),
        "That is the mean over all characters; only the target's counts.": (
            -logits.log_softmax(1).mean().item()
        ),
        "Subtract from each row its own largest element. See hint 1.": (
            -(logits - logits.max(0).values).log_softmax(1)[chosen].mean().item()
        ),
        "That picks a rectangle; pair each row with its own target, "
        "`[torch.arange(B), targets]`.": -logits.log_softmax(1)[:, y].mean().item(),
        "The logarithm is missing.": -logits.softmax(1)[chosen].mean().item(),
    }
    _expect(value, right, mistakes, "Compare it with `F.cross_entropy`. See hint 2.")
    large = 200 * logits
    large += 999 - large.max()  # float64 overflows, too
    with _Calls() as calls:
        result = call(answer, large, y)
    _large(result, F.cross_entropy(large, y))
    if ready := calls.names & _READY_MADE:
        raise Wrong(
            f"The number is right, but `{sorted(ready)[0]}` does the work: write it "
            "with exp, sum and log. See hint 2."
        )


_READY_MADE = {"cross_entropy", "nll_loss", "log_softmax", "logsumexp", "softmax"}


class _Calls(TorchFunctionMode):
    """Collects the names of the functions of torch that are called, and counts them.

    Raises Wrong where there are more than most.
    """

    def __init__(self, most: int = 100_000) -> None:
        self.names: set[str] = set()
        self.left = most

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        self.names.add(func.__name__)
        self.left -= 1
        if self.left < 0:
            raise Wrong("It does not end. Does it draw each letter, and stop at 0?")
        return func(*args, **(kwargs or {}))


def _large(result: Any, right: Tensor) -> None:
    """Raise Wrong unless the loss of logits in the hundreds is right."""
    result = torch.as_tensor(result)
    if result.isinf().any():
        raise Wrong(
            "It becomes infinite for logits in the hundreds: exp overflowed (hint 1), "
            "or a logarithm was taken of 0 (hints 1 and 2)."
        )
    if result.isnan().any():
        raise Wrong("It fails for logits in the hundreds: exp overflows. See hint 1.")
    if not close(result.reshape(()), right):
        raise Wrong(
            "For logits in the hundreds it is another number: a probability was "
            "rounded or cut off before its logarithm was taken. See hint 2."
        )


def _additive(answer: Any) -> None:
    if not isinstance(answer, Tensor):
        raise Wrong(f"Expected the tensor W, got {type(answer).__name__}.")
    if answer.shape != (54, 27):
        raise Wrong(f"W should be of shape (54, 27), not {tuple(answer.shape)}.")
    if not answer.is_floating_point() or not answer.isfinite().all():
        raise Wrong("W should be of finite floats: is the rate too high? See hint 2.")
    A, B = answer.detach().double().split(27)
    a, b, c = _triples().unbind(1)
    value = F.cross_entropy(A[a] + B[b], c).item()
    if value > ADDITIVE + 0.01:
        if F.cross_entropy(B[a] + A[b], c) < ADDITIVE + 0.01:
            raise Wrong("The first character's votes come first in W. See hint 1.")
        if value > math.log(27) + TOLERANCE:
            raise Wrong(
                f"Its loss is {value:.2f}, above that of a W of zeros. Is a sum taken "
                "over the other character, or the rate too high? See hint 2."
            )
        raise Wrong(
            f"Its loss is {value:.2f}, and it can come lower: train longer, with a "
            "step of about 20 (hint 2), on the examples of 1.1, with two boundaries "
            "and no smoothing."
        )


def _interpolation(answer: Any) -> None:
    vocab, _, _, dev, _ = _data()
    X, Y = windows(dev, vocab, block_size=4)
    P = read_tensor(answer, X)
    if P.shape != (len(X), 27):
        shape = tuple(P.shape)
        raise Wrong(f"For {len(X)} contexts it should be ({len(X)}, 27), not {shape}.")
    P = P.detach().double()
    if P.isnan().any():
        raise Wrong("Some of its numbers are nan.")
    if (P < 0).any():
        raise Wrong("Some are negative: are they still logarithms? See hint 1.")
    if not torch.allclose(P.sum(dim=1), torch.ones(len(X), dtype=P.dtype), atol=1e-3):
        raise Wrong("Its rows do not sum to 1. Do the weights? See hint 1.")
    value = -P.gather(1, Y[:, None]).log().mean().item()
    if value == math.inf:
        raise Wrong("It gives a dev character the probability 0. See hint 2.")
    if value >= _loss(4, 0.1, "train", "dev") - TOLERANCE:
        raise Wrong(
            "That is not below the best single table on dev. Does each table get the "
            "last columns of X? If so, see hints 2 and 3."
        )
    if value > 2.04:
        raise Wrong(
            "Below the best single table, and it can come lower: with other weights "
            "(hint 3), or with less smoothing in the tables (hint 2)."
        )
    if value < 2.02:
        raise Wrong("Too good: did a table count more than train? See hint 1.")


def _spelled_backward(names: Any) -> None:
    words = _data()[1]
    if not isinstance(names, list | tuple):
        raise Wrong("First comes the list of all names, each spelled backward.")
    if list(names) == words[::-1]:
        raise Wrong("That reverses the list, not each name. See hint 1.")
    if list(names) == words:
        raise Wrong("Those names are spelled forward. See hint 1.")
    if sorted(map(str, names)) != sorted(word[::-1] for word in words):
        raise Wrong("Those are not all names, each spelled backward. See hint 1.")


def _backward(answer: Any) -> None:
    try:
        names, *losses = answer
    except (TypeError, ValueError):
        raise Wrong(
            "Expected the names and two losses, as in (names, 1.0, 2.0)."
        ) from None
    if len(losses) == 1:
        (losses,) = losses
    _spelled_backward(names)
    values = read_pair(losses)
    right = [_loss(order, 0, "backward", "backward") for order in (2, 3)]
    _of_the_orders(values, 0, "backward", "backward")
    if math.isclose(values[0], right[1], abs_tol=TOLERANCE):
        raise Wrong("Bigram first, then trigram.")
    for order, value, expected in zip((2, 3), values, right):
        mistakes = {
            "It is infinite: some pair was not counted. Count and score one list, "
            "all names backward. See hint 1.": (math.inf),
            "Take the smoothing away: it hides what there is to see.": (
                _loss(order, 1, "backward", "backward")
            ),
            "Those are other names; here all names count.": (
                _loss(order, 0, "train", "train")
            ),
        }
        _expect(
            value, expected, mistakes, "Score the names that you count. See hint 1."
        )


def _before(answer: Any) -> None:
    vocab, words, *_ = _data()
    counts = NGram(vocab, 2).fit(words).counts()
    result = read_tensor(answer, counts)
    if result.shape != (27, 27):
        raise Wrong(f"It should be of shape (27, 27), not {tuple(result.shape)}.")
    sums = counts.sum(1, keepdim=True)
    if close(result, counts / sums):
        raise Wrong("That is P itself: row i says what comes after i, not before.")
    if close(result, counts / sums.T):
        raise Wrong("The numbers are right, but lie in the columns: transpose.")
    if close(result, counts.T / counts.T.sum(1)):
        raise Wrong(
            "Here the columns sum to 1: transpose first, then divide each row by its "
            "own sum, with keepdim."
        )
    if not close(result.sum(1), torch.ones(27)):
        raise Wrong("Its rows do not sum to 1.")
    if not close(result, counts.T / sums):
        raise Wrong("The rows sum to 1, but they are other distributions.")


def _name_from(answer: Any) -> None:
    vocab = _data()[0]
    P = torch.zeros(27, 27)
    for pair in (".z", "z.", "om", "ma", "ar", "r.", "k."):
        i, j = (vocab.labels.index(char) for char in pair)
        P[i, j] = 1
    P[0, [vocab.ids["o"], vocab.ids["k"]]] = 0.05  # for who draws until one fits
    P[:, 0] += 1e-4  # so that a walk in a circle ends, too
    P[:, 0] += P.sum(1) < 0.5
    P /= P.sum(1, keepdim=True)
    for start, right in {"o": "omar", "k": "k"}.items():
        g = torch.Generator().manual_seed(0)
        with _Calls():
            result = call(answer, start, P, g)
        if not isinstance(result, str):
            raise Wrong(f"Expected a name, got {type(result).__name__}.")
        if result == right[1:]:
            raise Wrong("The name should have its first letter, too.")
        if result in ("z", start + "z"):
            raise Wrong("The first draw is from the row of the given letter.")
        if "." in result:
            raise Wrong("The boundary is no letter of the name.")
        if result != right:
            raise Wrong(
                "Where only one letter can follow, it writes another. Does each draw "
                "use the row of the letter before?"
            )
    _draws_with_g(answer)


def _draws_with_g(answer: Any) -> None:
    """Raise Wrong unless the generator decides which names are written."""
    P = torch.zeros(27, 27)
    P[0, 1:] = 1 / 26
    P[1:, 1:9] = torch.arange(8, 0, -1) / 40
    P[1:, 0] = 0.05
    P /= P.sum(1, keepdim=True)

    def names() -> list[str]:
        seeded = (torch.Generator().manual_seed(seed) for seed in range(12))
        with _Calls():
            return [call(answer, "o", P, g) for g in seeded]

    first = names()
    if len(set(first)) < 4:
        raise Wrong(
            "It writes the same for every generator: draw each letter with "
            "`torch.multinomial` and `generator=g`."
        )
    if first != names():
        raise Wrong(
            "Two generators with the same seed should give the same name: pass "
            "`generator=g`."
        )
    if max(map(len, first)) < 13:
        raise Wrong("It stops too early: go on until the boundary is drawn.")


def _name_loss(answer: Any) -> None:
    vocab, words, *_ = _data()
    counted = NGram(vocab, 2).fit(words)
    P = torch.rand(27, 27, generator=torch.Generator().manual_seed(0)) + 0.1
    P /= P.sum(1, keepdim=True)
    for name in ("emma", "q"):
        ids = [0, *vocab.encode(name), 0]
        logs = P[ids[:-1], ids[1:]].log()
        right = -logs.mean().item()
        mistakes = {
            "That is a sum; divide by the number of bigrams.": right * len(logs),
            "Too many to divide by: `.emma.` has one bigram fewer than characters.": (
                -logs.sum().item() / (len(name) + 2)
            ),
            "Use the table that the function is given.": (
                -counted.log_likelihood(name) / (len(name) + 1)
            ),
            "A name has one bigram more than letters: its end is one, too.": (
                -logs.sum().item() / len(name)
            ),
            "The sign: the loss is the negative log-likelihood.": -right,
            "The end of the name is missing.": -logs[:-1].mean().item(),
            "The beginning of the name is missing.": -logs[1:].mean().item(),
            "Both boundaries are missing.": (
                -logs[1:-1].mean().item() if len(name) > 1 else -math.inf
            ),
            "The logarithm is missing.": logs.exp().mean().item(),
            "That is a probability, not its logarithm.": logs.sum().exp().item(),
        }
        value = read_number(call(answer, name, P))
        check_loss(value, right, mistakes, "Print the bigrams that it adds up.")


CHECKS: dict[str, Check] = {
    "1.1": _trigram,
    "1.2": _splits,
    "1.3": _smoothing,
    "1.4": _indexing,
    "1.5": _cross_entropy,
    "1.6": _additive,
    "1.7": _interpolation,
    "1.8": _backward,
}

#: What the reader is asked to write while reading, by the name of the function.
TURNS: dict[str, Check] = {
    "before": _before,
    "name_from": _name_from,
    "name_loss": _name_loss,
}

check = partial(judge, CHECKS | TURNS)
