"""The loop: train, evaluate, checkpoint, tell; and go on after whatever happened.

A run killed at any moment and started again in the same folder ends with the same bytes, and the same losses in
``metrics.jsonl``, as one that was left alone (same machine, same number of threads).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from torch import nn

from tsws.errors import FormatError
from tsws.job import Emit, Log
from tsws.model.weights import save_weights
from tsws.train.attempt import Attempt, Tell
from tsws.train.checkpoint import CHECKPOINTS, latest_checkpoint, load_checkpoint, save_checkpoint
from tsws.train.compiling import keep_decision, measure_and_decide, rates_key, read_decision
from tsws.train.gradients import TorchGradients
from tsws.train.metrics import METRICS_FILE, Metrics, rewind_metrics
from tsws.train.preparing import Prepared, prepare
from tsws.train.rank import Rank
from tsws.train.samples import SAMPLES_FILE, Samples, rewind_samples
from tsws.train.session import Session
from tsws.train.settings import TrainData, TrainResult, TrainSettings
from tsws.train.together import together
from tsws.train.torch_files import adopt, write_torch_files


def train(
    settings: TrainSettings,
    data: TrainData,
    folder: Path,
    *,
    architecture_build: Callable[[], nn.Module],
    emit: Emit,
    stop: Callable[[], bool],
    start_from: Path | None = None,
    found: Sequence[Path] = (),
    tell: Tell | None = None,
) -> TrainResult:
    """Train a run to its end, from where its folder says it is.

    At the end ``folder`` holds ``last.safetensors`` and ``best.safetensors`` (of the last step, of the best evaluation), beside
    ``metrics.jsonl``, ``samples.jsonl`` and ``checkpoints/``. A folder whose run has ended gives the same again.

    Args:
        settings: what to train and how.
        data: the tokens.
        folder: of this version of the run; made when missing. Nobody else may train in it.
        architecture_build: makes the model with fresh weights from torch's global generator.
        emit: hears metrics, checkpoints, samples and log lines.
        stop: asked after every step; true means: write a checkpoint and end.
        start_from: a checkpoint folder of an earlier version of the run, used when ``folder`` has none of its own. The
            lines that led to it are taken over from the ``metrics.jsonl`` beside its ``checkpoints``.
        found: weights of somebody else's (``torch_files.py``); where there is no checkpoint, the first that fits is the
            beginning.
        tell: called after every evaluation for a sample; may do with torch's generators what it likes.

    Raises:
        InterruptedByUser: ``stop`` said so; the next call goes on from there.
        TrainError: the loss is no number any more, there is no such device, or a process that trains with this one was lost.
        FormatError: the data do not fit the model, or the folder is of another run.
        OSError: a file can not be read or written.
    """
    address = settings.address
    rank = Rank(0, settings.processes * settings.nodes, 0, settings.processes)
    prepared = prepare(settings, data, architecture_build, rank, lambda text: emit(Log(address=address, message=text)))
    session = prepared.session
    checkpoint = _resume(session, folder, start_from, found, emit)
    _settle_compiling(prepared, folder, checkpoint)
    with (
        Metrics(folder / METRICS_FILE) as metrics,
        Samples(folder / SAMPLES_FILE) as samples,
        together(prepared, data, rank, checkpoint) as gradients,
    ):
        Attempt(prepared, gradients, folder, metrics, samples, emit, tell).run(stop)
    return _finish(session, folder)


def _settle_compiling(prepared: Prepared, folder: Path, checkpoint: Path | None) -> None:
    """Decide whether torch compiles the model, once for all attempts at a run, those of the other processes among them."""
    session, gradients = prepared.session, prepared.gradients
    left = session.settings.hyperparameters.max_iters - session.step
    if session.settings.compile != "auto" or not isinstance(gradients, TorchGradients) or not left:
        return
    batch = prepared.batches.batch(session.step)
    decided = read_decision(folder, checkpoint.parent.parent if checkpoint else None)
    if decided is None:
        key = rates_key(session.settings.config, prepared.device, batch[0].shape)
        decided = measure_and_decide(gradients, *batch, left * prepared.numbers.gradient_accumulation_steps, key)
    elif decided:
        decided = gradients.compile(*batch)
    keep_decision(folder, decided)
    session.settings = replace(session.settings, compile="always" if decided else "never")


def _resume(session: Session, folder: Path, start_from: Path | None, found: Sequence[Path], emit: Emit) -> Path | None:
    """Put a session where its folder says it is, and the files of its lines with it.

    Returns:
        the checkpoint that it goes on from; None at the beginning.
    """
    address = session.settings.address

    def warn(message: str) -> None:
        emit(Log(address=address, level="warning", message=message))

    written = folder
    origin = own = latest_checkpoint(folder / CHECKPOINTS, warn)
    if own is not None:
        try:
            session.restore(load_checkpoint(own), own)
        except FormatError as error:
            # Somebody's work, and not this run's: beginning anew beside it would sooner or later prune it away.
            raise FormatError(f"{address}: checkpoint {error.message}", hint=error.hint) from error
    elif start_from is not None:
        try:
            session.restore(load_checkpoint(start_from), start_from)
        except FormatError as error:  # the beginning leads to the same bytes, only later
            warn(f"checkpoint {error.message}; training from the beginning")
        else:
            origin, written = start_from, start_from.parent.parent
    if origin is None:
        origin = _adopt(session, folder, found, emit, warn)
    interval = session.settings.hyperparameters.eval_interval
    rewind_metrics(written / METRICS_FILE, folder / METRICS_FILE, step=session.step, eval_interval=interval)
    rewind_samples(written / SAMPLES_FILE, folder / SAMPLES_FILE, step=session.step, eval_interval=interval)
    if session.step:
        emit(Log(address=address, message=f"continuing at step {session.step}"))
    return origin


def _adopt(
    session: Session, folder: Path, found: Sequence[Path], emit: Emit, warn: Callable[[str], None]
) -> Path | None:
    """Begin with the first file that fits, and keep that beginning as a checkpoint of the run's own."""
    for path in found:
        try:
            adopt(session, path)
        except FormatError as error:
            warn(f"{error.message}; passing it over")
        else:
            emit(Log(address=session.settings.address, message=f"beginning with the weights of {path}"))
            return save_checkpoint(folder / CHECKPOINTS, session.snapshot())
    return None


def _finish(session: Session, folder: Path) -> TrainResult:
    """Write the results of a run that has taken all its steps."""
    if session.best is None or session.best_loss is None or session.val_loss is None:
        raise AssertionError("the last step was not evaluated")
    config = session.settings.config
    save_weights(folder / "last.safetensors", session.weights(), config)
    save_weights(folder / "best.safetensors", session.best, config)
    if session.settings.torch_files:
        write_torch_files(folder, session.snapshot(), config)
    return TrainResult(
        step=session.step,
        train_loss=session.train_loss,
        val_loss=session.val_loss,
        best_val_loss=session.best_loss,
        best_step=session.best_step,
        seconds=session.seconds,
        tokens=session.tokens,
    )
