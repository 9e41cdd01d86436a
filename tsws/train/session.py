"""A run while it lives: what changes from step to step, and how it comes from and goes to a checkpoint."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor, nn
from torch.optim import Optimizer

from tsws.errors import FormatError
from tsws.train.checkpoint import Snapshot, State
from tsws.train.optimizer import optimizer_tensors, restore_optimizers
from tsws.train.schedule import agree_until
from tsws.train.settings import TrainSettings


@dataclass
class Session:
    """The changing part of a run."""

    settings: TrainSettings
    model: nn.Module
    optimizers: tuple[Optimizer, ...]
    rows: int
    """Of the training data."""
    step: int = 0
    """Steps taken."""
    train_loss: float = math.nan
    val_loss: float | None = None
    best_loss: float | None = None
    best_step: int = 0
    best: dict[str, Tensor] | None = None
    """Weights of the best evaluation, on the CPU."""
    seconds_before: float = 0.0
    """Of earlier attempts."""
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Of training, all attempts together."""
        return self.seconds_before + time.monotonic() - self.started

    @property
    def tokens(self) -> int:
        """Learned from so far."""
        return self.step * self.settings.tokens_per_step

    @property
    def _anew(self) -> str:
        return (
            f"`tsws apply --replace {self.settings.address}` puts that run's folder aside and trains from the beginning"
        )

    def weights(self) -> dict[str, Tensor]:
        """A copy of the model's state dict, on the CPU."""
        return {name: tensor.detach().cpu().clone() for name, tensor in self.model.state_dict().items()}

    def evaluated(self, loss: float) -> None:
        """Take in an evaluation of the present weights; the first of equals is the best."""
        self.val_loss = loss
        if self.best_loss is None or loss < self.best_loss:
            self.best_loss, self.best_step, self.best = loss, self.step, self.weights()

    def snapshot(self) -> Snapshot:
        """All that is needed to go on from here."""
        state = State(
            step=self.step,
            tokens=self.tokens,
            seconds=self.seconds,
            train_loss=None if math.isnan(self.train_loss) else self.train_loss,
            val_loss=self.val_loss,
            best_loss=self.best_loss,
            best_step=self.best_step,
            rows=self.rows,
            hyperparameters=self.settings.hyperparameters,
        )
        return Snapshot(state, self.weights(), optimizer_tensors(self.model, self.optimizers), self.best)

    def restore(self, snapshot: Snapshot, origin: Path) -> None:
        """Go back (or on) to a checkpoint, of this run or of one that began the same way.

        Raises:
            FormatError: the checkpoint is of a run that was different before this step, or of another model.
        """
        state = snapshot.state
        if state.step > agree_until(state.hyperparameters, self.settings.hyperparameters):
            raise FormatError(f"{origin.name}: it is of a run with other settings", hint=self._anew)
        if state.rows != self.rows:
            raise FormatError(
                f"{origin.name}: it is of a run on other data ({state.rows} rows, not {self.rows})", hint=self._anew
            )
        expected = {name: tensor.shape for name, tensor in self.model.state_dict().items()}
        if expected != {name: tensor.shape for name, tensor in snapshot.model.items()}:
            raise FormatError(f"{origin.name}: it is of another model", hint=self._anew)
        restore_optimizers(self.model, self.optimizers, snapshot.optimizer)
        self.model.load_state_dict(dict(snapshot.model))
        self.step, self.seconds_before = state.step, state.seconds
        self.train_loss = math.nan if state.train_loss is None else state.train_loss
        self.val_loss, self.best_loss, self.best_step = state.val_loss, state.best_loss, state.best_step
        self.best = dict(snapshot.best) if snapshot.best is not None else None
