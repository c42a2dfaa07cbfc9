"""Right and wrong functions that Part 3 asks for in passing."""

from typing import Any

import torch


def standardize(z, dim=0, correction=0, eps=1e-5):
    mean = z.mean(dim, keepdim=True)
    return (z - mean) / (z.var(dim, correction=correction, keepdim=True) + eps).sqrt()


def standardize_by_squares(z):
    mean = z.mean(0)
    return (z - mean) / ((z**2).mean(0) - mean**2 + 1e-5).sqrt()


def length(grads):
    return torch.cat([grad.flatten() for grad in grads]).norm()


def scaled(grads, factor):
    return [grad * factor for grad in grads]


def clip(grads, limit):
    return scaled(grads, (limit / length(grads)).clamp(max=1))


def only_long_parts(grads, limit):
    return [a if a.norm() > limit else b for a, b in zip(clip(grads, limit), grads)]


def if_one_is_long(grads, limit):
    return clip(grads, limit) if any(g.norm() > limit for g in grads) else grads


def clip_in_place(grads, limit):
    factor = (limit / length(grads)).clamp(max=1)
    for grad in grads:
        grad *= factor
    return grads


def pytorch(grads, limit):
    tensors = [torch.zeros_like(grad).requires_grad_() for grad in grads]
    for tensor, grad in zip(tensors, grads, strict=True):
        tensor.grad = grad.clone()
    torch.nn.utils.clip_grad_norm_(tensors, limit)
    return [tensor.grad for tensor in tensors]


RIGHT: dict[str, list[Any]] = {
    "dead": [
        lambda h: (h.abs() > 0.97).all(dim=0),
        lambda h: h.abs().min(dim=0).values > 0.97,
        lambda h: (1 - h**2 < 1 - 0.97**2).all(0),
        lambda h: ((h > 0.97) | (h < -0.97)).sum(0) == len(h),
    ],
    "standardize": [
        standardize,
        standardize_by_squares,
        lambda z: torch.nn.functional.batch_norm(z, None, None, training=True),
        lambda z: standardize(z.double()),
    ],
    "update_to_data": [
        lambda a, b: (b - a).std() / b.std(),
        lambda a, b: ((a - b).std() / b.std()).item(),
        lambda a, b: (b - a).std(correction=0) / b.std(correction=0),
    ],
    "clip": [
        clip,
        pytorch,
        lambda grads, limit: tuple(clip(grads, limit)),
        lambda grads, limit: (
            scaled(grads, limit / length(grads)) if length(grads) > limit else grads
        ),
    ],
}
WRONG: dict[str, list[Any]] = {
    "dead": [
        (lambda h: (h > 0.97).all(0), "h.abs()"),
        (lambda h: (h.abs() > 0.97).any(0), "takes all of them"),
        (lambda h: (h.abs() > 0.97).all(1), "per example"),
        (lambda h: ~(h.abs() > 0.97).all(0), "that live"),
        (lambda h: (h.abs() > 0.9).all(0), "from ±0.97 on"),
        (lambda h: (h.abs() > 0.97).float().mean(0) > 0.5, "use `all`"),
        (lambda h: (h.abs() > 0.97).all(), "expected (6,)"),
        (lambda h: (h.abs() > 0.97).float().mean(0), "True or False"),
        (lambda h: (h.abs() > 0.97).all(0).tolist(), "Expected a tensor"),
        (lambda h: h[0] > 2, "other units"),
        (lambda h: (h > 0.97).all(0) | (h < -0.97).all(0), "may jump"),
        (lambda h: h.abs().mean(0) > 0.97, "keeps a unit alive"),
        (lambda h: (h.abs() > 0.97).float().mean(0) > 0.95, "keeps a unit alive"),
    ],
    "standardize": [
        (lambda z: standardize(z, dim=1), "over the units"),
        (lambda z: (z - z.mean()) / (z.var(correction=0) + 1e-5).sqrt(), "all numbers"),
        (lambda z: standardize(z, correction=1), "unbiased"),
        (lambda z: (z - z.mean(0)) / (z.var(0, correction=0) + 1e-5), "the root of"),
        (lambda z: (z - z.mean(0)) / (z.std(0, correction=0) + 1e-5), "under the root"),
        (lambda z: standardize(z, eps=0), "not under the root"),
        (lambda z: z - z.mean(0), "nothing is divided"),
        (lambda z: z / (z.var(0, correction=0) + 1e-5).sqrt(), "not subtracted"),
        (lambda z: standardize(z)[0], "expected (6, 5)"),
        (lambda z: standardize(z) * 2, "the numbers are not"),
        (lambda z: z.sub_(z.mean(0)), "overwrites"),
        (torch.zeros(6, 5), "Expected a function"),
    ],
    "update_to_data": [
        (lambda a, b: (b - a).std() / a.std(), "after the step"),
        (lambda a, b: b.std() / (b - a).std(), "upside down"),
        (lambda a, b: (b - a).std(), "Divide by the standard deviation"),
        (lambda a, b: b.std() / a.std(), "of the change"),
        (lambda a, b: (b.std() - a.std()).abs() / b.std(), "not the change of the"),
        (lambda a, b: (b - a).norm() / b.norm(), "lengths"),
        (lambda a, b: (b - a).var() / b.var(), "variances"),
        (lambda a, b: (b - a).abs().mean() / b.abs().mean(), "means of sizes"),
        (lambda a, b: (b - a) / b, "Expected one number"),
        (lambda a, b: 1e-3, "the `std()` of the change"),
        (1e-3, "Expected a function"),
    ],
    "clip": [
        (lambda grads, c: scaled(grads, c / length(grads)), "stay as it is"),
        (lambda grads, c: [clip([grad], c)[0] for grad in grads], "*one* length"),
        (only_long_parts, "leaves the gradients"),
        (if_one_is_long, "leaves the gradients"),
        (lambda grads, c: [grad.clamp(-c, c) for grad in grads], "limits each number"),
        (
            lambda grads, c: scaled(
                grads, (c / sum(grad.norm() for grad in grads)).clamp(max=1)
            ),
            "add the squares",
        ),
        (lambda grads, c: scaled(grads, min(1, c / length(grads) ** 2)), "The root"),
        (lambda grads, c: scaled(grads, min(1, 1 / length(grads))), "the limit, not 1"),
        (lambda grads, c: grads, "leaves the gradients"),
        (lambda grads, c: scaled(grads, 0.5), "numbers are not"),
        (lambda grads, c: grads[:2], "list of 3 tensors"),
        (lambda grads, c: [grad.flatten() for grad in grads], "keep its shape"),
        (clip_in_place, "overwrites"),
        ([torch.zeros(3)], "Expected a function"),
    ],
}
