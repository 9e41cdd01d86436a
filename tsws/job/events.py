"""What a worker says while it works: one JSON line an event.

The stream of a job is append-only; the *position* of an event is its line number,
counted from 0, so "after 17" means "I have seen the first 17 lines". That number is all
a client needs to come back later, from another process or machine, and miss nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    address: str
    """Which resource this is about, such as ``run.baby``."""
    time: float = msgspec.field(default_factory=time.time)
    """When it was said, in seconds since the epoch."""


class Started(_Event, frozen=True, kw_only=True, tag="started"):
    """Work on a resource begins."""

    reason: str = ""


class Progress(_Event, frozen=True, kw_only=True, tag="progress"):
    """``done`` of ``total`` units (None: not known) of what ``label`` names."""

    done: float
    total: float | None = None
    unit: str = ""
    """"B" for bytes (shown as MB), "it" for iterations, "stories", "tokens"..."""
    label: str = ""


class Metric(_Event, frozen=True, kw_only=True, tag="metric"):
    """Numbers of one training step: the line that also stands in ``metrics.jsonl``.

    Keys in use: ``train_loss``, ``val_loss`` (nats a token), ``lr``, ``tokens`` (seen so far),
    ``tokens_per_second``, ``mfu`` (the model's operations a second over those of the machine's quickest matrix product),
    ``grad_norm``, ``seconds`` (of training, all attempts together). Whoever follows a job adds ``dollars``: what it has cost so far.
    """

    step: int
    total: int
    """``max_iters`` of the run."""
    values: dict[str, float]


class Sample(_Event, frozen=True, kw_only=True, tag="sample"):
    """A story that the model told during training."""

    step: int
    prompt: str
    text: str


class Text(_Event, frozen=True, kw_only=True, tag="text"):
    """A piece of a story that was asked for, to be shown as it comes."""

    seed: int
    """Which story: the seed that it is told with."""
    piece: str


class Found(_Event, frozen=True, kw_only=True, tag="found"):
    """What was asked about a model."""

    document: dict[str, Any]
    """The evaluation, as plain data."""


class Checkpoint(_Event, frozen=True, kw_only=True, tag="checkpoint"):
    """A checkpoint is complete on disk; a killed run continues from ``step``."""

    step: int


class Log(_Event, frozen=True, kw_only=True, tag="log"):
    """A line for people. ``level`` is "debug", "info" or "warning"."""

    message: str
    level: str = "info"


class Done(_Event, frozen=True, kw_only=True, tag="done"):
    """Work on a resource ended well. For the job's own address it is the last event of the stream."""

    seconds: float = 0.0


class Failed(_Event, frozen=True, kw_only=True, tag="failed"):
    """Work on a resource ended badly. For the job's own address it is the last event of the stream."""

    message: str
    hint: str | None = None
    interrupted: bool = False
    """True when it was asked to stop: what was done is kept and nothing is wrong."""


Event = Started | Progress | Metric | Sample | Text | Found | Checkpoint | Log | Done | Failed
Emit = Callable[[Event], None]

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Event)


def encode_event(event: Event) -> bytes:
    """One line, without the newline."""
    return _encoder.encode(event)


def decode_event(line: bytes | str) -> Event:
    """The event of one line.

    Raises:
        msgspec.DecodeError: the line is not an event (torn, or from a newer version).
    """
    event: Event = _decoder.decode(line)
    return event


def ignore(event: Event) -> None:
    """An ``Emit`` for callers that do not listen."""
