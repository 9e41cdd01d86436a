"""The learning rate of every step, and until where two runs are the same run.

Pure functions of the numbers: no state, so a resumed run can not be out of step.
"""

from __future__ import annotations

import math
from dataclasses import replace

from tsws.train.recipe import Hyperparameters


def learning_rate(h: Hyperparameters, step: int) -> float:
    """The learning rate of one step, counted from 0.

    Every schedule rises over the first ``warmup_iters`` steps, from 0 as in llama2.c's ``train.py``. Then

    - ``cosine`` follows half a cosine to ``min_lr`` at ``lr_decay_iters`` and stays there (arXiv:1608.03983);
    - ``constant`` stays at the peak;
    - ``wsd`` stays at the peak and falls in a line to ``min_lr`` over the last ``decay_fraction`` of the steps: warm-up,
      stable, decay (arXiv:2404.06395).
    """
    if step < h.warmup_iters:
        return h.learning_rate * step / h.warmup_iters
    if h.schedule == "cosine":
        if step >= h.lr_decay_iters:
            return h.min_lr
        done = (step - h.warmup_iters) / (h.lr_decay_iters - h.warmup_iters)
        return h.min_lr + 0.5 * (1.0 + math.cos(math.pi * done)) * (h.learning_rate - h.min_lr)
    start = decay_start(h)
    if h.schedule == "constant" or step < start:
        return h.learning_rate
    left = max(0, h.max_iters - step) / (h.max_iters - start)
    return h.min_lr + left * (h.learning_rate - h.min_lr)


def decay_start(h: Hyperparameters) -> int:
    """The first step of ``wsd``'s decay, never before the end of the warm-up; ``max_iters`` for other schedules."""
    if h.schedule != "wsd":
        return h.max_iters
    return max(h.warmup_iters, h.max_iters - round(h.decay_fraction * h.max_iters))


def agree_until(old: Hyperparameters, new: Hyperparameters) -> int:
    """How many first steps of two runs are the same to the bit.

    A checkpoint of ``old`` after at most this many steps is also one of ``new``: training on from it gives byte for byte
    what ``new`` gives from scratch. The runs may differ in ``max_iters`` and what hangs on it, in nothing else:

    - ``constant``, and ``cosine`` with the same ``lr_decay_iters``: all steps of the shorter run;
    - ``wsd``: the steps before the earlier decay, whose checkpoint the trainer keeps for this;
    - ``cosine`` otherwise: none (its warm-up agrees, but no checkpoint of it is kept).

    The evaluations choose the best weights, so ``eval_interval`` has to be the same too. The evaluation after the last step
    is no obstacle: checkpoints do not know of it unless it was due anyway.

    Returns:
        the largest such number of steps; 0 when the runs have nothing in common.
    """
    if replace(old, max_iters=new.max_iters, lr_decay_iters=new.lr_decay_iters) != new:
        return 0
    if old.schedule == "cosine" and old.lr_decay_iters != new.lr_decay_iters:
        return 0
    if old == new:
        return old.max_iters
    return min(decay_start(old), decay_start(new))
