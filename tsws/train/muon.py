"""Muon: momentum, made orthogonal before it is applied; for the matrices of a transformer's blocks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the Newton-Schulz iteration; they bring singular values quickly near 1 (to 0.7 ... 1.2), not exactly there."""
STEPS = 5
RMS = 0.2
"""Root mean square of an update before the learning rate: AdamW's, so that both can take the same rate (arXiv:2502.16982)."""

Polar = Callable[[Sequence[Tensor]], list[Tensor]]
"""Makes matrices ``(rows, columns)`` orthogonal, nearly; may do so in place."""


class Muon(Optimizer):
    """Momentum orthogonalised by Newton-Schulz (Jordan et al., 2024), with Nesterov's look ahead and decoupled weight decay.

    Computes what ``torch.optim.Muon(adjust_lr_fn="match_rms_adamw")`` does, which takes one matrix after the other: here matrices
    of one shape go through together, or through ``polar``, which is several times quicker for small ones (``bench/LOG.md``).

    Args:
        parameters: matrices.
        lr: as AdamW's.
        momentum: of the running mean of gradients.
        weight_decay: decoupled.
        polar: makes updates orthogonal.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        *,
        lr: float,
        momentum: float,
        weight_decay: float,
        polar: Polar | None = None,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})
        self._polar = polar or orthogonalise

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]  # noqa: ARG002
        """Update every matrix that has a gradient."""
        for group in self.param_groups:
            matrices = [matrix for matrix in group["params"] if matrix.grad is not None]
            if not matrices:
                continue
            gradients = [matrix.grad for matrix in matrices]
            means = [self._mean(matrix) for matrix in matrices]
            torch._foreach_lerp_(means, gradients, 1 - group["momentum"])
            updates = self._polar(torch._foreach_lerp(gradients, means, group["momentum"]))
            if group["weight_decay"]:
                torch._foreach_mul_(matrices, 1 - group["lr"] * group["weight_decay"])
            scales = [-group["lr"] * RMS * max(matrix.shape) ** 0.5 for matrix in matrices]
            torch._foreach_mul_(updates, scales)
            torch._foreach_add_(matrices, updates)

    def _mean(self, matrix: Tensor) -> Tensor:
        state = self.state[matrix]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(matrix)
        mean: Tensor = state["momentum_buffer"]
        return mean


def orthogonalise(matrices: Sequence[Tensor]) -> list[Tensor]:
    """The matrices with their singular values near 1, those of one shape together.

    On a GPU the products are in bfloat16, as Muon is meant to run; on a CPU, where that may be slow, in float32.

    Args:
        matrices: each ``(rows, columns)``, float32.
    """
    by_shape: dict[torch.Size, list[int]] = defaultdict(list)
    for index, matrix in enumerate(matrices):
        by_shape[matrix.shape].append(index)
    out = list(matrices)
    for indices in by_shape.values():
        stack = torch.stack([matrices[index] for index in indices])  # (matrices, rows, columns)
        for index, matrix in zip(indices, newton_schulz(stack), strict=True):
            out[index] = matrix
    return out


def newton_schulz(stack: Tensor) -> Tensor:
    """Matrices of one shape, ``(matrices, rows, columns)``, to their orthogonal ones, in float32 as they were."""
    a, b, c = COEFFICIENTS
    is_tall = stack.shape[1] > stack.shape[2]
    x = stack.transpose(1, 2) if is_tall else stack
    x = x / (x.square().sum((1, 2), keepdim=True).sqrt() + 1e-7)
    if x.is_cuda:
        x = x.bfloat16()
    for _ in range(STEPS):
        square = torch.bmm(x, x.transpose(1, 2))
        factor = torch.baddbmm(square, square, square, beta=b, alpha=c)
        x = torch.baddbmm(x, factor, x, beta=a)
    return (x.transpose(1, 2) if is_tall else x).float()
