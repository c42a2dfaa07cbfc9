"""What checks of tensor functions share: several sizes, two precisions, mistakes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from charlm.book.exercises.answers import Wrong, call, read_tensor


class Case(NamedTuple):
    """Arguments to try an answer on, what a message calls them, a hint of their own."""

    label: str
    arguments: tuple[Any, ...]
    hint: str = ""


def tensors(*shapes: tuple[int, ...], seed: int, dtype: torch.dtype) -> list[Tensor]:
    """Return a tensor of normal numbers of each shape.

    Parameters
    ----------
    shapes : a shape for each tensor
    seed : of the generator that draws them
    dtype : what they are rounded to; they are drawn in float64
    """
    g = torch.Generator().manual_seed(seed)
    return [torch.randn(s, dtype=torch.float64, generator=g).to(dtype) for s in shapes]


def _as(dtype: torch.dtype, arguments: Sequence[Any]) -> list[Any]:
    return [
        a.to(dtype) if isinstance(a, Tensor) and a.is_floating_point() else a
        for a in arguments
    ]


def call_either(answer: Any, *arguments: Any, read: Callable[..., Any] = call) -> Any:
    """Return what the answer makes of the arguments, if need be in float32.

    A function that makes new tensors in float32 may fail on others in float64. That
    is no mistake in what it computes.

    Parameters
    ----------
    answer : the reader's function
    arguments : what it gets
    read : calls it, and may look at the result, as `read_tensor` does
    """
    try:
        return read(answer, *arguments)
    except Wrong:
        single = _as(torch.float32, arguments)
        if all(a is b for a, b in zip(arguments, single)):
            raise
    return read(answer, *single)


def near(result: Tensor, right: Tensor, atol: float = 1e-5) -> bool:
    """Return whether two tensors have one shape and, up to rounding, one content.

    If either is in float32, no more is asked than float32 can give; nan equals nan.

    Parameters
    ----------
    result : the reader's tensor
    right : what it is compared with
    atol : how far apart numbers near zero may be in float32
    """
    if result.shape != right.shape or result.is_complex():
        return False
    exact = result.dtype == right.dtype == torch.float64
    rtol, atol = (1e-6, 1e-8) if exact else (1e-4, atol)
    return result.double().allclose(right.double(), rtol, atol, equal_nan=True)


def match(
    answer: Any,
    cases: Sequence[Case],
    right: Callable[..., Tensor],
    mistakes: Mapping[str, Callable[..., Tensor]],
    hint: str,
    atol: float = 1e-5,
) -> None:
    """Raise Wrong, if possible with the mistake, unless each result is right.

    Parameters
    ----------
    answer : the reader's function
    cases : what it is tried on; in the first one all mistakes must differ
    right : makes the right tensor of the arguments
    mistakes : what makes the wrong tensors of common mistakes, by the message
    hint : the hint to read where no mistake is known
    atol : how far apart numbers near zero may be in float32
    """
    before = ""
    for label, arguments, its_hint in cases:
        try:
            result = call_either(answer, *arguments, read=read_tensor).detach()
        except Wrong as wrong:
            if before:
                raise Wrong(f"Right for {before}. But for {label}: {wrong}") from None
            raise
        double = _as(torch.float64, arguments)
        expected = right(*double)
        if expected.dtype == torch.float64:
            expected = _in_the_precision_of(arguments, expected)
        if not near(result, expected, atol):
            _explain(
                result,
                expected,
                double,
                mistakes,
                before,
                label,
                its_hint or hint,
                atol,
            )
        before = before or label


def _in_the_precision_of(arguments: Sequence[Any], expected: Tensor) -> Tensor:
    """Return the expected tensor in float32 if some argument is, else as it is."""
    floats = [a for a in arguments if isinstance(a, Tensor) and a.is_floating_point()]
    single = any(a.dtype == torch.float32 for a in floats)
    return expected.float() if single else expected


def _explain(
    result: Tensor,
    expected: Tensor,
    double: Sequence[Any],
    mistakes: Mapping[str, Callable[..., Tensor]],
    before: str,
    label: str,
    hint: str,
    atol: float,
) -> None:
    if not before:  # later cases may be too small to tell mistakes apart
        for mistake, wrong in mistakes.items():
            if near(result, wrong(*double).to(expected.dtype), atol):
                raise Wrong(mistake)
    if result.shape != expected.shape:
        said = f"should have the shape {tuple(expected.shape)}, "
        said += f"not {tuple(result.shape)}"
    elif not result.isfinite().all():
        said = "has nan or infinite numbers"
    else:
        said = "has the right shape, but its numbers are not right"
    if before:
        raise Wrong(f"Right for {before}. But for {label} the result {said}. {hint}")
    raise Wrong(f"For {label} the result {said}. {hint}")
