"""The validation loss: always the same rows, always the same way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from tsws.train.data import Rows
from tsws.train.gradients import Gradients


def evaluate(model: nn.Module, rows: Rows, gradients: Gradients, *, tokens: int, batch_size: int) -> float:
    """Mean loss in nats a token over the first rows of a set.

    Neither the model's mode nor any random generator is touched.

    Args:
        model: whose loss it is.
        rows: the validation set.
        gradients: computes for that model.
        tokens: how many to read: as many whole rows as fit, one at least, all at most.
        batch_size: rows at a time.
    """
    count = min(len(rows), max(1, tokens // rows.max_seq_len))
    total = 0.0
    gradients.prepare()
    with evaluating(model):
        for first in range(0, count, batch_size):
            numbers = range(first, min(first + batch_size, count))
            total += gradients.loss(*rows.take(numbers)).item() * len(numbers)
    return total / count


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Dropout off and no gradients inside the block; the model's mode as it was after it."""
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(training)
