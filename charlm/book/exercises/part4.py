"""The checks of Part 4: gradients that a reader derived, against autograd's."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from charlm.book.exercises.answers import Check, Wrong, call, close, judge
from charlm.book.exercises.atoms import EPS, ORDER, forward_atoms, gradient

AUTOGRAD = "That asks autograd for the gradient; here you derive it yourself."


def _call(answer: Any, *arguments: Any) -> Any:
    """Return what the answer makes of the arguments, unless it asks autograd."""
    recorded: list[Tensor] = []

    def record(t: Tensor) -> Tensor:
        recorded.append(t)
        return t

    with torch.no_grad(), saved_tensors_hooks(record, lambda t: t):
        try:
            result = call(answer, *arguments)
        except Wrong as wrong:
            if "saved tensor hooks" in str(wrong):  # what torch.func says to them
                raise Wrong(AUTOGRAD) from None
            raise
    if recorded:
        raise Wrong(AUTOGRAD)
    return result


def _turn(answer: Any, *arguments: Any) -> Any:
    """Return what the answer makes of the arguments, which must fit into the net.

    That net is in float64, and the next line of the page compares with it.
    """
    result = _call(answer, *arguments)
    named = {"result": result}
    if isinstance(result, Mapping):
        named = {f"gradient of {name}": t for name, t in result.items()}
    for name, t in named.items():
        if isinstance(t, Tensor) and t.dtype != torch.float64:
            kind = f"{t.dtype}; the tensors that it gets are torch.float64"
            raise Wrong(f"The {name} is {kind}. Give a new tensor their dtype.")
    return result


def _match(
    result: Any, right: Tensor, name: str, mistakes: dict[str, Tensor], hint: str = ""
) -> None:
    """Raise Wrong, with the mistake that explains the tensor, unless it is right.

    A result in float32 is compared no more closely than float32 can be.

    Parameters
    ----------
    result : what the reader's function returned
    right : the right tensor
    name : what the message calls it
    mistakes : the wrong tensors that common mistakes lead to, by the message
    hint : what to add to a message that names no hint itself
    """
    if not isinstance(result, Tensor):
        raise Wrong(f"{name} should be a tensor, not {type(result).__name__}.")
    if not result.is_floating_point():
        raise Wrong(f"{name} should be a tensor of floats.")
    if result.shape != right.shape:
        shapes = f"{tuple(right.shape)}, not {tuple(result.shape)}"
        raise Wrong(f"{name} should have the shape {shapes}.{hint}")
    rtol, atol = (1e-6, 1e-9) if result.dtype == right.dtype else (1e-3, 1e-5)
    result = result.to(right.dtype)
    if result.allclose(right, rtol=rtol, atol=atol):
        return
    for mistake, wrong in mistakes.items():
        if result.allclose(wrong, rtol=rtol, atol=atol):
            raise Wrong(mistake if "See hint" in mistake else f"{mistake}{hint}")
    differ = "has the right shape, but the numbers differ from autograd's."
    raise Wrong(f"{name} {differ}{hint}")


def _gradients(
    result: Any, t: Mapping[str, Tensor], names: list[str], hint: str = ""
) -> None:
    """Raise Wrong at the first wrong gradient, walking back from the loss."""
    if not isinstance(result, Mapping):
        kind = type(result).__name__
        raise Wrong(f"Expected a dictionary from names to gradients, got {kind}.")
    mistakes = _mistakes(t)
    for name in names:
        if name not in result:
            raise Wrong(f"The dictionary has no gradient called {name!r}.")
        right, title = gradient(t, name), f"The gradient of {name}"
        known = {
            f"{title} has the wrong sign.": -right,
            f"{title} is B times too large: the loss is a mean.": right * len(t["y"]),
        }
        known |= {
            f"{title} is not right. {k}": v for k, v in mistakes.get(name, {}).items()
        }
        _match(result[name], right, title, known, hint)


@torch.no_grad()
def _mistakes(t: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Return the wrong gradients that common mistakes lead to, by name and mistake."""
    d, B = {name: gradient(t, name) for name in ORDER}, len(t["y"])
    rows = d["emb"].flatten(0, 1)
    norm = _norm_mistakes(d["hpreact"], t["xhat"], t["inv_std"], t["gamma"])
    return {
        "top": {
            "It is zero only where the probabilities sum to 1.": torch.zeros_like(
                d["top"]
            )
        },
        "logits": {"The path through top is missing.": d["shifted"]},
        "counts": {
            "The path through total is missing.": d["probs"] * t["inv_total"],
            "The path through probs is missing.": d["total"].expand_as(d["counts"]),
        },
        "centered": {
            "The path through squared is missing.": d["xhat"] * t["inv_std"],
            "The path through xhat is missing.": 2 * t["centered"] * d["squared"],
        },
        "squared": {"The variance is divided by B - 1.": d["squared"] * (B - 1) / B},
        "mean": {
            "The path through squared is missing.": -(d["xhat"] * t["inv_std"]).sum(0)
        },
        "hpre": {
            "The path through mean is missing.": d["centered"],
            "The mean is a sum divided by B.": d["centered"] + d["mean"],
        },
        "W1": {k: t["flat"].T @ wrong for k, wrong in norm.items()},
        "C": {
            "A row that was looked up twice gets both gradients.": (
                torch.zeros_like(t["C"]).index_put((t["x"].flatten(),), rows)
            )
        },
    }


BIASED = "That is right for a variance divided by B; here it is B - 1."


def _norm_mistakes(
    dy: Tensor, xhat: Tensor, inv_std: Tensor, gamma: Tensor
) -> dict[str, Tensor]:
    """Return what batch normalization's common mistakes lead to: (B, H) each."""
    B, scale = len(dy), gamma * inv_std
    mean, var = dy.sum(0) / B, xhat * (dy * xhat).sum(0) / (B - 1)
    return {
        "The path through the variance is missing.": scale * (dy - mean),
        "The path through the mean is missing.": scale * (dy - var),
        "The paths through the mean and the variance are missing.": scale * dy,
        BIASED: scale * (dy - mean - var * (B - 1) / B),
        "gamma is missing.": inv_std * (dy - mean - var),
        "inv_std is missing.": gamma * (dy - mean - var),
    }


UNSEEN = 20.0  # enough of it, and the probabilities sum to about a half


def _walk(
    answer: Any, names: list[str], hint: str = "", call: Callable[..., Any] = _call
) -> Any:
    """Return the gradients of a small net, all right, for a function of its tensors.

    They are right on a second net, too, in which a constant is added to total: there
    the gradient of top is not zero.
    """
    t = forward_atoms()
    result = call(answer, t)
    _gradients(result, t, names, hint)
    t = forward_atoms(1, unseen=UNSEEN)
    try:
        _gradients(call(answer, t), t, names, hint)
    except Wrong as wrong:
        raise Wrong(f"Where total is larger than the sum of counts: {wrong}") from None
    return result


MOVED = 0.5  # enough of it, and centered sums to what no rounding leaves


def _moved(gradients_of: Callable[[dict[str, Tensor]], Any], hint: str = "") -> None:
    """Raise Wrong unless the gradient of mean is right where centered sums to a number.

    While it sums to zero, so does what comes back through squared, and without that
    path the numbers are right. The gradient of hpre is left out: its closed form uses
    the zero.
    """
    t = forward_atoms(1, moved=MOVED)
    try:
        _gradients(gradients_of(t), t, NORM[:-1], hint)
    except Wrong as wrong:
        raise Wrong(f"Where centered does not sum to zero: {wrong}") from None


def _atoms(answer: Any) -> None:
    hint = " See hint 2."
    result = _walk(answer, ORDER, hint)
    _moved(lambda t: _call(answer, t), hint)
    _zero_sum(result["b1"], result["hpre"], hint)


def _zero_sum(db: Tensor, dy: Tensor, hint: str) -> None:
    """Raise Wrong where db is not dy's sum over the batch, though that sum is zero.

    No comparison of sizes can tell; but rounding leaves something in a sum, and a
    wrong sign or a mean has just these numbers, with the sign changed or divided.
    """
    if not db.any():
        raise Wrong(
            "The gradient of b1 is exactly 0, so it was not computed: a sum that is "
            f"zero on paper leaves some rounding. Write the sum.{hint}"
        )
    wrong = {"has the wrong sign": -dy.sum(0), "is a sum, not a mean": dy.mean(0)}
    for mistake, numbers in wrong.items():
        if db.equal(numbers.to(db.dtype)):
            raise Wrong(f"The gradient of b1 {mistake}.{hint}")


def _cross_entropy(answer: Any) -> None:
    t = forward_atoms()
    logits, y, right = t["logits"].detach(), t["y"], gradient(t, "logits")
    probs, B = torch.softmax(logits, 1), len(y)
    onehot = F.one_hot(y, 27)
    mistakes = {
        "The loss is a mean: divide by the batch size. See hint 2.": right * B,
        "The sign is wrong: it is probabilities minus one-hot. See hint 1.": -right,
        "Those are the probabilities alone; subtract the one-hot. See hint 1.": (
            probs / B
        ),
        "Divide by the batch size, not by the vocabulary's.": right * B / 27,
        "Those are logits minus one-hot; make probabilities of the logits first. "
        "See hint 2.": (logits - onehot) / B,
    }
    result = _call(answer, logits, y)
    _match(result, right, "dlogits", mistakes, hint=" See hint 1.")
    _other_sizes(answer)
    _hundreds(answer, (logits * 100).float(), y)


def _hundreds(answer: Any, logits: Tensor, y: Tensor) -> None:
    """Raise Wrong where exp overflows, or where a step divides by a probability of 0.

    The two are told apart by logits that need no shift: their rows' largest are 0.
    """
    right = (logits.double().softmax(1) - F.one_hot(y, logits.shape[1])) / len(y)
    failures = {
        "It fails where a probability becomes 0: 1 / p has no value there. Derive the "
        "formula for the logits first. See hint 1.": (
            logits - logits.max(1, keepdim=True).values
        ),
        "It fails for logits in the hundreds: exp overflows there, unless the largest "
        "logit of each row is subtracted first. See hint 2.": logits,
    }
    for failure, z in failures.items():
        large = _call(answer, z, y)
        try:
            _match(large, right, "dlogits", {})
        except Wrong:
            raise Wrong(failure) from None


def _other_sizes(answer: Any) -> None:
    """Raise Wrong where dlogits depends on the batch's sizes or on the classes in y."""
    g = torch.Generator().manual_seed(0)
    failures = {
        (8, 27): "It fails for a batch in which the last characters do not occur: "
        "give `one_hot` the number of classes. See hint 2.",
        (5, 27): "It fails for a batch of another size: take B from the logits.",
        (8, 11): "It fails for a smaller vocabulary: take V from the logits.",
    }
    for (B, V), failure in failures.items():
        logits = torch.randn(B, V, dtype=torch.float64, generator=g)
        y = torch.randint(V - 3, (B,), generator=g)
        try:
            right = (logits.softmax(1) - F.one_hot(y, V)) / B
            _match(_call(answer, logits, y), right, "dlogits", {})
        except Wrong:
            raise Wrong(failure) from None


def _batch_norm(answer: Any) -> None:
    t = forward_atoms()
    dy, right = gradient(t, "hpreact"), gradient(t, "hpre")
    xhat, inv_std, gamma = (t[k].detach() for k in ("xhat", "inv_std", "gamma"))
    mistakes = _norm_mistakes(dy, xhat, inv_std, gamma)
    mistakes[f"{BIASED} See hint 2."] = mistakes.pop(BIASED)
    result = _call(answer, dy, xhat, inv_std, gamma)
    _match(result, right, "dhpre", mistakes, hint=" See hint 1.")


PARAMETERS = ["W2", "b2", "gamma", "beta", "W1", "b1", "C"]


def _whole(answer: Any) -> None:
    for seed in (0, 1):
        t = forward_atoms(seed)
        P = {k: t[k].detach() for k in PARAMETERS}
        result = _call(answer, P, t["x"], t["y"])
        _gradients(result, t, PARAMETERS, hint=" See hint 2.")


def _batch_sums(dy: Tensor, xhat: Tensor, inv_std: Tensor, gamma: Tensor) -> Tensor:
    """Return what batch normalization's backward makes of layer normalization."""
    B = len(dy)
    return gamma * inv_std * (dy - dy.mean(0) - xhat * (dy * xhat).sum(0) / (B - 1))


def _layer_norm(answer: Any) -> None:
    g = torch.Generator().manual_seed(0)
    x, gamma, beta, dy = (
        torch.randn(s, dtype=torch.float64, generator=g)
        for s in ((5, 7), (7,), (7,), (5, 7))
    )
    with torch.enable_grad():
        x.requires_grad_()
        F.layer_norm(x, (7,), gamma, beta, EPS).backward(dy)
    right = x.grad
    assert right is not None
    x = x.detach()
    inv_std = (x.var(1, keepdim=True, correction=0) + EPS).rsqrt()
    xhat = (x - x.mean(1, keepdim=True)) * inv_std
    dxhat = gamma * dy

    mean, var = dxhat.mean(1, keepdim=True), xhat * (dxhat * xhat).mean(1, keepdim=True)

    def formula(d: Tensor, dim: int) -> Tensor:
        means = d.mean(dim, keepdim=True), (d * xhat).mean(dim, keepdim=True)
        return inv_std * (d - means[0] - xhat * means[1])

    mistakes = {
        "gamma belongs inside the sums: it differs by channel. See hint 2.": (
            gamma * formula(dy, 1)
        ),
        "Those are batch normalization's sums; sum over channels. See hint 1.": (
            formula(dxhat, 0)
        ),
        "gamma is missing. See hint 2.": formula(dy, 1),
        "inv_std is missing.": right / inv_std,
        "The variance is biased here: divide by the number of channels.": (
            inv_std * (dxhat - mean - var * 7 / 6)
        ),
        "The path through the variance is missing. See hint 1.": inv_std
        * (dxhat - mean),
        "The path through the mean is missing. See hint 1.": inv_std * (dxhat - var),
        "That is the batch normalization of exercise 4.3: sum over channels. "
        "See hint 1.": _batch_sums(dy, xhat, inv_std, gamma),
        "Those sums are not yet means: divide by the number of channels.": (
            inv_std * (dxhat - 7 * (dxhat - right / inv_std))
        ),
        "The paths through the mean and the variance are missing. See hint 1.": (
            inv_std * dxhat
        ),
    }
    result = _call(answer, dy, xhat, inv_std, gamma)
    _match(result, right, "dx", mistakes, hint=" See hint 1.")


def _planted(answer: Any) -> None:
    t = forward_atoms(2)
    P = {k: t[k].detach() for k in PARAMETERS if k != "b1"}
    result = _call(answer, P, t["x"], t["y"])
    sound = [k for k in P if k != "gamma"]
    _gradients(result, t, sound, hint=" In `suspect` it is right.")
    if "gamma" not in result:
        raise Wrong("The dictionary has no gradient called 'gamma'.")
    dy, xhat = gradient(t, "hpreact"), t["xhat"].detach()
    planted = (dy * (t["gamma"] * xhat + t["beta"])).sum(0).detach()
    if isinstance(result["gamma"], Tensor) and close(result["gamma"], planted):
        message = "It shows when gamma and beta are random. See hint 1."
        raise Wrong(f"One gradient still differs from autograd's. {message}")
    _gradients(result, t, ["gamma"])


def _three(result: Any) -> tuple[Any, Any, Any]:
    """Return the reader's dx, dW and db. Raises Wrong unless there are three."""
    if not isinstance(result, tuple | list) or len(result) != 3:
        raise Wrong("Return three tensors: dx, dW and db.")
    dx, dW, db = result
    return dx, dW, db


def _back_linear(answer: Any) -> None:
    g = torch.Generator().manual_seed(0)
    for n, i, o in ((5, 5, 5), (4, 3, 6)):  # in a square matrix any product fits
        dy, x, W = (
            torch.randn(s, dtype=torch.float64, generator=g)
            for s in ((n, o), (n, i), (i, o))
        )
        dx, dW, db = _three(_call(answer, dy, x, W))
        if isinstance(dx, Tensor) and close(dx, x.T @ dy):
            raise Wrong("That is dW: return dx, dW and db, in this order.")
        swapped = {"It should be W.T, not W.": dy @ W} if i == o else {}
        _match(dx, dy @ W.T, "dx", swapped)
        swapped = {
            "That is dW transposed.": dy.T @ x,
            "It should be x.T, not x.": x @ dy if i == n else dy,
        }
        _match(dW, x.T @ dy, "dW", swapped)
        means = {"Sum over the batch; the mean is in dy already.": dy.mean(0)}
        _match(db, dy.sum(0), "db", means | {"Sum over the batch.": dy.sum(1)})


def _back_tanh(answer: Any) -> None:
    g = torch.Generator().manual_seed(0)
    z, dh = (torch.randn(4, 6, dtype=torch.float64, generator=g) for _ in range(2))
    h = z.tanh()
    mistakes = {
        "That is the local slope alone; multiply it by dh.": 1 - h**2,
        "h is the tanh already; don't take it twice.": (1 - h.tanh() ** 2) * dh,
        "The slope of tanh is 1 − tanh², with a square.": (1 - h) * dh,
        "The sign is wrong.": -(1 - h**2) * dh,
        "Multiply by the slope; do not divide by it.": dh / (1 - h**2),
    }
    _match(_call(answer, dh, h), (1 - h**2) * dh, "The gradient", mistakes)


NORM = [
    "gamma",
    "beta",
    "xhat",
    "inv_std",
    "var",
    "squared",
    "centered",
    "mean",
    "hpre",
]


def _back_norm(answer: Any) -> None:
    t = forward_atoms()
    _gradients(_turn(answer, t, gradient(t, "hpreact")), t, NORM)
    _moved(lambda t: _turn(answer, t, gradient(t, "hpreact")))


def _back_lookup(answer: Any) -> None:
    t = forward_atoms()
    demb, x, right = gradient(t, "emb"), t["x"], gradient(t, "C")
    rows, empty = demb.flatten(0, 1), torch.zeros_like(right)
    overwritten = empty.index_put((x.flatten(),), rows)
    times = torch.bincount(x.flatten(), minlength=27).clamp(min=1)[:, None]
    mistakes = {
        "A row that was looked up twice gets both gradients, added.": overwritten,
        "Add the gradients of a row; do not average them.": right / times,
        "The sign is wrong: nothing turns it around here.": -right,
    }
    by_row = empty.clone()
    for at, d in zip(x, demb, strict=True):
        by_row[at] += d
    mistakes["A letter can occur twice in one row, too, and gets both gradients."] = (
        by_row
    )
    _match(_turn(answer, demb, x, 27), right, "dC", mistakes)
    longer, its_demb = x.repeat(1, 2), demb.repeat(1, 2, 1)
    try:
        _match(_call(answer, its_demb, longer, 27), 2 * right, "dC", {})
    except Wrong:
        message = "It fails for contexts of another length: take T from the shape."
        raise Wrong(message) from None
    larger = _call(answer, demb, x, 30)
    if not isinstance(larger, Tensor) or larger.shape != (30, right.shape[1]):
        raise Wrong("For a larger vocabulary it should have more rows: V of them.")


CHECKS: dict[str, Check] = {
    "4.1": _atoms,
    "4.2": _cross_entropy,
    "4.3": _batch_norm,
    "4.4": _whole,
    "4.5": _layer_norm,
    "4.6": _planted,
}

#: What the reader is asked to write while reading, by the name of the function.
TURNS: dict[str, Check] = {
    "back_from_loss": partial(_walk, names=ORDER[:8], call=_turn),
    "back_linear": _back_linear,
    "back_tanh": _back_tanh,
    "back_norm": _back_norm,
    "back_lookup": _back_lookup,
}

check = partial(judge, CHECKS | TURNS)
