"""When a run has diverged: a rule on two numbers that a checkpoint knows, so that it is the same after a resume."""

from __future__ import annotations

FAR = 1.0
"""Nats a token: a model of stories learns its last one over most of its training, and no batch is so unlike the others."""


def has_diverged(train_loss: float, val_loss: float, best_loss: float | None) -> bool:
    """Whether training has lost what it had learned.

    That is when the loss of the last batch *and* that of the validation set are far above the best evaluation. One alone means
    less: a hard batch, or a model that knows its training data by heart.
    """
    return best_loss is not None and min(train_loss, val_loss) > best_loss + FAR
