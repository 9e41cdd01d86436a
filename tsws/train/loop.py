"""The loop: train, evaluate, checkpoint, tell; and go on after whatever happened.

A run killed at any moment and started again in the same folder ends with the same bytes, and the same losses in
``metrics.jsonl``, as one that was left alone (same machine, same number of threads).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from tsws.errors import FormatError, InterruptedByUser, TrainError
from tsws.job import Checkpoint, Emit, Log, Metric, Sample
from tsws.model.weights import save_weights
from tsws.train.checkpoint import (
    CHECKPOINTS,
    latest_checkpoint,
    load_checkpoint,
    prune_checkpoints,
    save_checkpoint,
)
from tsws.train.data import Batches, Rows
from tsws.train.device import Device, prepare_device
from tsws.train.evaluate import evaluate, evaluating
from tsws.train.metrics import METRICS_FILE, Metrics, rewind_metrics
from tsws.train.optimizer import build_optimizer
from tsws.train.schedule import decay_start, learning_rate
from tsws.train.session import Session
from tsws.train.settings import TrainData, TrainResult, TrainSettings
from tsws.train.step import StepResult, take_step

Tell = Callable[[nn.Module], str]
"""Lets a model tell a story: the caller's part, who knows the tokenizer."""


def train(
    settings: TrainSettings,
    data: TrainData,
    folder: Path,
    *,
    architecture_build: Callable[[], nn.Module],
    emit: Emit,
    stop: Callable[[], bool],
    start_from: Path | None = None,
    tell: Tell | None = None,
) -> TrainResult:
    """Train a run to its end, from where its folder says it is.

    At the end ``folder`` holds ``last.safetensors`` and ``best.safetensors`` (of the last step, of the best evaluation), beside
    ``metrics.jsonl`` and ``checkpoints/``. A folder whose run has ended gives the same again.

    Args:
        settings: what to train and how.
        data: the tokens.
        folder: of this version of the run; made when missing. Nobody else may train in it.
        architecture_build: makes the model with fresh weights from torch's global generator.
        emit: hears metrics, checkpoints, samples and log lines.
        stop: asked after every step; true means: write a checkpoint and end.
        start_from: a checkpoint folder of an earlier version of the run, used when ``folder`` has none of its own. The
            lines that led to it are taken over from the ``metrics.jsonl`` beside its ``checkpoints``.
        tell: called after every evaluation for a sample; may do with torch's generators what it likes.

    Raises:
        InterruptedByUser: ``stop`` said so; the next call goes on from there.
        TrainError: the loss is no number any more, or there is no such device.
        FormatError: the data do not fit the model, or the folder is of another run.
        OSError: a file can not be read or written.
    """
    h = settings.hyperparameters
    device = prepare_device(settings.device, h.dtype, settings.threads)
    shape = {"max_seq_len": settings.max_seq_len, "vocab_size": settings.vocab_size}
    rows, val_rows = Rows(data.train, **shape), Rows(data.val, **shape)
    torch.manual_seed(h.seed)
    model = architecture_build().to(device.target)
    model.train()
    session = Session(settings, model, build_optimizer(model, h), len(rows))
    _resume(session, folder, start_from, emit)
    batches = Batches(rows, seed=h.seed, batch_size=h.batch_size, micro_steps=h.gradient_accumulation_steps)
    with Metrics(folder / METRICS_FILE) as metrics:
        _Loop(session, batches, val_rows, device, folder, metrics, emit, tell).run(stop)
    return _finish(session, folder)


def _resume(session: Session, folder: Path, start_from: Path | None, emit: Emit) -> None:
    """Put a session where its folder says it is, and the metrics file with it."""
    address = session.settings.address

    def warn(message: str) -> None:
        emit(Log(address=address, level="warning", message=message))

    metrics = folder / METRICS_FILE
    written = metrics
    own = latest_checkpoint(folder / CHECKPOINTS, warn)
    if own is not None:
        session.restore(load_checkpoint(own), own)
    elif start_from is not None:
        try:
            session.restore(load_checkpoint(start_from), start_from)
        except FormatError as error:  # the beginning leads to the same bytes, only later
            warn(f"checkpoint {error.message}; training from the beginning")
        else:
            written = start_from.parent.parent / METRICS_FILE
    interval = session.settings.hyperparameters.eval_interval
    rewind_metrics(written, metrics, step=session.step, eval_interval=interval)
    if session.step:
        emit(Log(address=address, message=f"continuing at step {session.step}"))


def _finish(session: Session, folder: Path) -> TrainResult:
    """Write the results of a run that has taken all its steps."""
    if session.best is None or session.best_loss is None or session.val_loss is None:
        raise AssertionError("the last step was not evaluated")
    config = session.settings.config
    save_weights(folder / "last.safetensors", session.weights(), config)
    save_weights(folder / "best.safetensors", session.best, config)
    return TrainResult(
        step=session.step,
        train_loss=session.train_loss,
        val_loss=session.val_loss,
        best_val_loss=session.best_loss,
        best_step=session.best_step,
        seconds=session.seconds,
        tokens=session.tokens,
    )


class _Loop:
    """The steps of one attempt, and what is due after each."""

    def __init__(
        self,
        session: Session,
        batches: Batches,
        val_rows: Rows,
        device: Device,
        folder: Path,
        metrics: Metrics,
        emit: Emit,
        tell: Tell | None,
    ) -> None:
        self.session = session
        self.settings = session.settings
        self.h = session.settings.hyperparameters
        self.batches = batches
        self.val_rows = val_rows
        self.device = device
        self.checkpoints = folder / CHECKPOINTS
        self.metrics = metrics
        self.emit = emit
        self.tell = tell
        self.pinned = decay_start(self.h)
        """The step from which a longer run with the same schedule would go on."""
        self.checkpoint_time = time.monotonic()
        self.line_time, self.line_step = time.monotonic(), session.step

    def run(self, stop: Callable[[], bool]) -> None:
        """Take the steps that are left, then the last evaluation."""
        session, h = self.session, self.h
        while session.step < h.max_iters:
            result = take_step(session.model, session.optimizer, self.batches, self.device, h, session.step)
            session.step += 1
            is_last = session.step == h.max_iters
            is_stopped = stop() and not is_last
            is_line = session.step in (1, h.max_iters) or session.step % self.settings.log_interval == 0
            is_evaluation = session.step % h.eval_interval == 0
            is_checkpoint = is_stopped or is_last or self._is_checkpoint_due()
            if is_line or is_evaluation or is_checkpoint:
                self._look(result)
            if is_line:
                self._line(result)
            if is_evaluation:
                self._evaluate()
            if is_checkpoint:
                self._checkpoint()
            if is_stopped:
                raise InterruptedByUser(
                    f"{self.settings.address}: stopped at step {session.step} of {h.max_iters}, the checkpoint is written",
                    hint="run `tsws apply` again to continue",
                )
        if h.max_iters % h.eval_interval:
            # After the last checkpoint, which must look like one of a longer run.
            self._evaluate()

    def _look(self, result: StepResult) -> None:
        """Read the loss, and refuse to go on with one that is no number. No checkpoint is written before this."""
        self.session.train_loss = result.loss.item()
        if math.isfinite(self.session.train_loss) and math.isfinite(result.grad_norm.item()):
            return
        raise TrainError(
            f"{self.settings.address}: training broke down at step {self.session.step}: the loss is"
            f" {self.session.train_loss}, the norm of the gradient {result.grad_norm.item()}",
            hint="lower learning_rate, or lengthen warmup_iters; the last good checkpoint is kept",
        )

    def _line(self, result: StepResult) -> None:
        now, step = time.monotonic(), self.session.step
        tokens = (step - self.line_step) * self.settings.tokens_per_step
        values = {
            "train_loss": self.session.train_loss,
            "lr": learning_rate(self.h, step - 1),
            "grad_norm": result.grad_norm.item(),
            "tokens": self.session.tokens,
            "tokens_per_second": tokens / max(now - self.line_time, 1e-9),
            "seconds": self.session.seconds,
        }
        self.line_time, self.line_step = now, step
        self._say(values)

    def _evaluate(self) -> None:
        begun = time.monotonic()
        session, h = self.session, self.h
        loss = evaluate(session.model, self.val_rows, self.device, tokens=h.eval_tokens, batch_size=h.batch_size)
        if not math.isfinite(loss):
            raise TrainError(
                f"{self.settings.address}: training broke down at step {session.step}: the validation loss is {loss}",
                hint="lower learning_rate, or lengthen warmup_iters; the last good checkpoint is kept",
            )
        session.evaluated(loss)
        self._say({"val_loss": loss, "tokens": session.tokens, "seconds": session.seconds})
        if self.tell is not None:
            with evaluating(session.model):
                text = self.tell(session.model)
            address, prompt = self.settings.address, self.settings.sample_prompt
            self.emit(Sample(address=address, step=session.step, prompt=prompt, text=text))
        self.line_time += time.monotonic() - begun  # the speed is that of the steps

    def _say(self, values: dict[str, float]) -> None:
        self.metrics.write(self.session.step, values)
        step, total = self.session.step, self.h.max_iters
        self.emit(Metric(address=self.settings.address, step=step, total=total, values=values))

    def _is_checkpoint_due(self) -> bool:
        if self.session.step == self.pinned:
            return True
        interval = self.settings.checkpoint_interval
        if isinstance(interval, int):
            return self.session.step % interval == 0
        return time.monotonic() - self.checkpoint_time >= interval

    def _checkpoint(self) -> None:
        begun = time.monotonic()
        self.metrics.sync()  # no line of a step that a checkpoint has taken may get lost
        save_checkpoint(self.checkpoints, self.session.snapshot())
        prune_checkpoints(self.checkpoints, {self.pinned})
        self.checkpoint_time = time.monotonic()
        self.line_time += self.checkpoint_time - begun
        self.emit(Checkpoint(address=self.settings.address, step=self.session.step))
