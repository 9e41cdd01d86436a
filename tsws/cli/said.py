"""What single events are in words; lines and live rendering say the same."""

from __future__ import annotations

from tsws.cli.tracks import Track, Training, Transfer
from tsws.cli.words import big_number, elided, loss_words
from tsws.io.durations import format_duration
from tsws.io.sizes import format_bytes, format_dollars
from tsws.job import Done, Failed, Sample
from tsws.report.stories import readable

_UNITS = {"it": "iterations"}


def transfer_words(transfer: Transfer) -> str:
    """``fetching tok105.tar.gz 45%, 12 of 27 MB, 1.2 MB/s, 12s left``."""
    parts = [_amount(transfer)] if transfer.done or transfer.total else []
    if transfer.rate is not None and transfer.unit:
        parts.append(f"{_quantity(transfer.rate, transfer.unit)}/s")
    if transfer.seconds_left:
        parts.append(f"{format_duration(transfer.seconds_left)} left")
    share = f" {transfer.done / transfer.total:.0%}" if transfer.total else ""
    return f"{transfer.label or 'working'}{share}" + "".join(f", {part}" for part in parts)


def training_words(training: Training) -> str:
    """``step 120/400, loss 2.5310, 12.3k tokens/s, 1m 02s left, $0.12 so far``."""
    parts = [f"step {training.step}/{training.total}"]
    if training.train_loss is not None:
        parts.append(f"loss {loss_words(training.train_loss)}")
    if training.tokens_per_second is not None:
        parts.append(f"{big_number(training.tokens_per_second)} tokens/s")
    if training.seconds_left:
        parts.append(f"{format_duration(training.seconds_left)} left")
    if training.dollars is not None:
        parts.append(f"{format_dollars(training.dollars)} so far")
    return ", ".join(parts)


def evaluation_words(training: Training) -> str:
    """``step 200/400, val loss 2.2041, the best so far``."""
    best = ", the best so far" if training.val_loss == training.best_val_loss else ""
    return f"step {training.step}/{training.total}, val loss {loss_words(training.val_loss)}{best}"


def sample_words(sample: Sample, width: int) -> str:
    """The beginning of a story between quotation marks."""
    return f"“{elided(readable(sample.text), width)}”"


def failure_words(event: Failed) -> str:
    """What failed and why; events of one resource need not name it."""
    return event.message if event.address in event.message else f"{event.address}: {event.message}"


def done_words(done: Done, track: Track) -> str:
    """``done in 42s, loss 2.1042, val loss 2.2041``."""
    parts = [f"done in {format_duration(done.seconds)}"]
    if track.training is not None:
        if track.training.train_loss is not None:
            parts.append(f"loss {loss_words(track.training.train_loss)}")
        if track.training.val_loss is not None:
            parts.append(f"val loss {loss_words(track.training.val_loss)}")
    return ", ".join(parts)


def _amount(transfer: Transfer) -> str:
    done = _quantity(transfer.done, transfer.unit)
    if transfer.total is None:
        return done
    total = _quantity(transfer.total, transfer.unit)
    number, _, unit = done.rpartition(" ")
    return f"{number if total.endswith(f' {unit}') else done} of {total}"


def _quantity(value: float, unit: str) -> str:
    if unit == "B":
        return format_bytes(value)
    return f"{big_number(value)} {_UNITS.get(unit, unit)}".strip()
