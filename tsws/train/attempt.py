"""One attempt at a run: the steps that are left, and what is due after each."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

from torch import nn

from tsws.errors import InterruptedByUser, TrainError
from tsws.job import Checkpoint, Emit, Metric, Sample
from tsws.train.checkpoint import CHECKPOINTS, prune_checkpoints, save_checkpoint
from tsws.train.divergence import has_diverged
from tsws.train.evaluate import evaluate, evaluating
from tsws.train.gradients import Gradients
from tsws.train.metrics import Metrics
from tsws.train.preparing import Prepared
from tsws.train.samples import Samples
from tsws.train.schedule import decay_start, learning_rate
from tsws.train.step import StepResult, take_step
from tsws.train.utilisation import matrix_peak, training_flops

Tell = Callable[[nn.Module], str]
"""Lets a model tell a story: the caller's part, who knows the tokenizer. Empty: it is a model that can not."""


class Attempt:
    """The steps of one attempt, and what is due after each."""

    def __init__(
        self,
        prepared: Prepared,
        gradients: Gradients,
        folder: Path,
        metrics: Metrics,
        samples: Samples,
        emit: Emit,
        tell: Tell | None,
    ) -> None:
        self.session = prepared.session
        self.settings = prepared.session.settings
        self.h = self.settings.hyperparameters
        self.prepared = prepared
        self.gradients = gradients
        self.checkpoints = folder / CHECKPOINTS
        self.metrics = metrics
        self.samples = samples
        self.emit = emit
        self.tell = tell
        peak = matrix_peak(prepared.device) * self.settings.processes * self.settings.nodes
        self.share_of_peak = training_flops(self.session.model, self.settings.config) / peak
        """Of a token a second."""
        self.pinned = decay_start(self.h)
        """The step from which a longer run with the same schedule would go on."""
        self.checkpoint_time = time.monotonic()
        self.line_time, self.line_step = time.monotonic(), self.session.step

    def run(self, stop: Callable[[], bool]) -> None:
        """Take the steps that are left, then the last evaluation."""
        session, h = self.session, self.h
        while session.step < h.max_iters:
            result = self._step()
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

    def _step(self) -> StepResult:
        session, prepared = self.session, self.prepared
        return take_step(
            session.model, session.optimizers, self.gradients, prepared.batches, prepared.numbers, session.step
        )

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
        speed = tokens / max(now - self.line_time, 1e-9)
        values = {
            "train_loss": self.session.train_loss,
            "lr": learning_rate(self.h, step - 1),
            "grad_norm": result.grad_norm.item(),
            "tokens": self.session.tokens,
            "tokens_per_second": speed,
            "mfu": speed * self.share_of_peak,
            "seconds": self.session.seconds,
        }
        self.line_time, self.line_step = now, step
        self._say(values)

    def _evaluate(self) -> None:
        begun = time.monotonic()
        session, h = self.session, self.h
        loss = evaluate(
            session.model, self.prepared.val_rows, self.gradients, tokens=h.eval_tokens, batch_size=h.batch_size
        )
        if not math.isfinite(loss):
            raise TrainError(
                f"{self.settings.address}: training broke down at step {session.step}: the validation loss is {loss}",
                hint="lower learning_rate, or lengthen warmup_iters; the last good checkpoint is kept",
            )
        if has_diverged(session.train_loss, loss, session.best_loss):
            raise TrainError(
                f"{self.settings.address}: training has diverged at step {session.step}: the validation loss is {loss:.3g},"
                f" after {session.best_loss:.3g} at step {session.best_step}",
                hint="lower learning_rate, or lengthen warmup_iters; the last good checkpoint is kept",
            )
        session.evaluated(loss)
        self._say({"val_loss": loss, "tokens": session.tokens, "seconds": session.seconds})
        if self.tell is not None:
            with evaluating(session.model):
                text = self.tell(session.model)
            if text:
                address, prompt = self.settings.address, self.settings.sample_prompt
                self.samples.write(session.step, {"prompt": prompt, "text": text})
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
        for lines in (self.metrics, self.samples):
            lines.sync()  # no line of a step that a checkpoint has taken may get lost
        save_checkpoint(self.checkpoints, self.session.snapshot())
        prune_checkpoints(self.checkpoints, {self.pinned})
        self.checkpoint_time = time.monotonic()
        self.line_time += self.checkpoint_time - begun
        self.emit(Checkpoint(address=self.settings.address, step=self.session.step))
