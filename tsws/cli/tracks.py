"""What is known of the work that goes on, from the events it says. No clock: the events carry their times."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from tsws.job import Done, Event, Failed, Metric, Progress, Started


@dataclass
class Transfer:
    """How far one piece of work with a known unit is."""

    label: str
    unit: str
    began: float
    first: float
    """Units that were done already when it began."""
    done: float
    total: float | None
    time: float

    @property
    def rate(self) -> float | None:
        """Units a second; None while nobody can tell."""
        elapsed = self.time - self.began
        return (self.done - self.first) / elapsed if elapsed > 0 and self.done > self.first else None

    @property
    def seconds_left(self) -> float | None:
        """At this rate; None when the end is not known."""
        if self.rate is None or self.total is None:
            return None
        return max(0.0, self.total - self.done) / self.rate


@dataclass
class Training:
    """How far a run is."""

    began: float
    first: int
    """Step of the first line that was heard."""
    step: int
    total: int
    time: float
    train_loss: float | None = None
    val_loss: float | None = None
    best_val_loss: float | None = None
    tokens_per_second: float | None = None
    lr: float | None = None
    mfu: float | None = None
    dollars: float | None = None
    """That it has cost so far."""
    losses: list[float] = field(default_factory=list)
    """Of every line so far, for a spark line."""

    @property
    def seconds_left(self) -> float | None:
        """At the rate so far, evaluations included."""
        if self.step <= self.first or self.time <= self.began:
            return None
        return (self.total - self.step) * (self.time - self.began) / (self.step - self.first)


@dataclass
class Track:
    """One resource that is worked on."""

    address: str
    began: float
    transfer: Transfer | None = None
    training: Training | None = None


class Tracks:
    """Every resource that is worked on now. Events may come from several threads; take turns with :attr:`lock`."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.active: dict[str, Track] = {}

    def take(self, event: Event) -> Track:
        """Learn from an event; the track of its resource as it is then."""
        track = self.active.setdefault(event.address, Track(event.address, event.time))
        match event:
            case Started():
                track = self.active[event.address] = Track(event.address, event.time)
            case Progress():
                track.transfer = _moved(track.transfer, event)
            case Metric():
                track.training = _trained(track.training, event)
            case Done() | Failed():
                del self.active[event.address]
        return track


def _moved(before: Transfer | None, event: Progress) -> Transfer:
    if before is None or before.label != event.label or event.done < before.done:
        return Transfer(event.label, event.unit, event.time, event.done, event.done, event.total, event.time)
    before.done, before.total, before.time = event.done, event.total, event.time
    return before


def _trained(before: Training | None, event: Metric) -> Training:
    training = before or Training(event.time, event.step, event.step, event.total, event.time)
    training.step, training.total, training.time = event.step, event.total, event.time
    values = event.values
    if "train_loss" in values:
        training.train_loss = values["train_loss"]
        training.losses.append(values["train_loss"])
    training.tokens_per_second = values.get("tokens_per_second", training.tokens_per_second)
    training.lr = values.get("lr", training.lr)
    training.mfu = values.get("mfu", training.mfu)
    training.dollars = values.get("dollars", training.dollars)
    if "val_loss" in values:
        training.val_loss = values["val_loss"]
        best = training.best_val_loss
        training.best_val_loss = training.val_loss if best is None else min(best, training.val_loss)
    return training
