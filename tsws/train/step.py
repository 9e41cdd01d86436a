"""One step: gradients of all micro-batches, clipped, applied."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from tsws.train.data import Batches
from tsws.train.gradients import Gradients
from tsws.train.optimizer import set_learning_rate
from tsws.train.recipe import Hyperparameters
from tsws.train.schedule import learning_rate


@dataclass(frozen=True)
class StepResult:
    """What a step has to tell; still on the device, so that nobody waits for it who does not look."""

    loss: Tensor
    """Mean over the micro-batches, before the update; scalar."""
    grad_norm: Tensor
    """Of the whole gradient, before clipping; scalar."""


def take_step(
    model: nn.Module,
    optimizers: Sequence[Optimizer],
    gradients: Gradients,
    batches: Batches,
    h: Hyperparameters,
    step: int,
) -> StepResult:
    """Train one step, counted from 0.

    Everything random in it comes from the seed and the step's number, not from the generators' past: whatever ran before
    (an evaluation, a sample, a resume), the step is the same.
    """
    torch.manual_seed(_step_seed(h.seed, step))
    set_learning_rate(optimizers, learning_rate(h, step))
    share = 1.0 / h.gradient_accumulation_steps
    gradients.begin()
    losses = [gradients.add(*batches.batch(step, micro), share) for micro in range(h.gradient_accumulation_steps)]
    gradients.end()
    norm = nn.utils.clip_grad_norm_(model.parameters(), h.grad_clip or math.inf)
    for optimizer in optimizers:
        optimizer.step()
    return StepResult(torch.stack(losses).mean(), norm)


def _step_seed(seed: int, step: int) -> int:
    """A seed of 63 bits a step, far apart for neighbours: the finaliser of SplitMix64 (Steele et al., OOPSLA 2014)."""
    mask = (1 << 64) - 1
    z = (seed * 0x9E3779B97F4A7C15 + step + 1) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return (z ^ (z >> 31)) >> 1
