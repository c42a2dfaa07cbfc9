"""One training run on several processes, each with its share of every batch.

    torchrun --nproc-per-node 2 -m charlm train ...

Gradients are averaged by PyTorch's DistributedDataParallel. Batch normalization takes
its statistics over all processes, so that the losses are those of a single process.
Only the memoized tree differs a little: each process computes the distinct pieces of
its own share, so that a piece which two processes meet counts twice there.
"""

import os
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from charlm import models
from charlm.vocab import InputError


@dataclass(frozen=True)
class Group:
    """This process and all that train with it: rank 0 alone writes and prints."""

    rank: int = 0
    size: int = 1

    def share(self, at: Tensor) -> Tensor:
        """Return this process's part of a batch: (B,) -> (B / size,)."""
        return at[self.rank :: self.size]

    def mean(self, value: float) -> float:
        """Return the mean of a number over all processes."""
        if self.size == 1:
            return value
        total = torch.tensor([value], dtype=torch.float64)
        if dist.get_backend() == "nccl":
            total = total.cuda()
        dist.all_reduce(total)
        return total.item() / self.size

    def wait(self) -> None:
        """Go on when all processes have come here."""
        if self.size > 1:
            dist.barrier()

    def wrap(self, model: nn.Module) -> nn.Module:
        """Return the model, made to have the gradients of the whole batch."""
        if self.size == 1:
            return model
        for module in list(model.modules()):
            if type(module) is models.BatchNorm1d:
                module.__class__ = SyncedBatchNorm1d
        return DistributedDataParallel(model, static_graph=True)


def join(device: torch.device) -> Group:
    """Return the group in which torchrun started this process, or it alone as one."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return Group()
    if not dist.is_initialized():
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return Group(dist.get_rank(), size)


class _Total(torch.autograd.Function):
    """The sum of a tensor over all processes; so is that of its gradients."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        total = x.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Tensor:
        return _Total.forward(ctx, grads[0])


class SyncedBatchNorm1d(models.BatchNorm1d):
    """`models.BatchNorm1d`, (B, C) or (B, T, C) -> the same, over all processes."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        rows = x.flatten(0, -2)  # (n, C) here, N rows in all
        N = _Total.apply(rows.new_full((1,), len(rows)))
        mean = _Total.apply(rows.sum(0)) / N
        centered = rows - mean
        var = _Total.apply(centered.square().sum(0)) / N
        assert self.running_mean is not None and self.running_var is not None
        assert self.momentum is not None and self.num_batches_tracked is not None
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(var * N / (N - 1), self.momentum)
            self.num_batches_tracked += 1
        y = centered * (var + self.eps).rsqrt() * self.weight + self.bias
        return y.view(x.shape)


def check_batch(batch_size: int, group: Group) -> None:
    """Raise InputError where a batch cannot be shared out evenly."""
    if batch_size % group.size:
        raise InputError(
            f"a batch of {batch_size} cannot be shared by {group.size} processes"
        )
