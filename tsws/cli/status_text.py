"""How everything is, as lines and as a JSON document. Pure but for the events of jobs that it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click

from tsws.cli.columns import aligned
from tsws.cli.documents import FileDocument, JobDocument, ResourceDocument
from tsws.cli.plan_text import COLORS
from tsws.cli.said import training_words
from tsws.cli.tracks import Training
from tsws.cli.words import loss_words, moment
from tsws.io.durations import format_duration
from tsws.io.sizes import format_bytes, format_dollars
from tsws.reconcile.action import Change
from tsws.reconcile.decide import ABSENT
from tsws.workspace.history import ResourceStatus
from tsws.workspace.machines import Stranger

HEADER = ("ADDRESS", "STATE", "FILES", "SIZE", "MADE", "TOOK")
_STATES = {
    Change.CREATE: "not made yet",
    Change.UPDATE: "out of date",
    Change.EXTEND: "out of date",
    Change.RESTORE: "out of date",
    Change.REPAIR: "damaged",
    Change.PENDING: "waits for its inputs",
    Change.SYNC: "out of step",
    Change.KEEP: "up to date",
    Change.BLOCKED: "blocked",
    Change.ORPHAN: "no longer declared",
}
_STORAGE = ".tsws/"


def state_words(status: ResourceStatus) -> str:
    """The state of a resource in a few words."""
    if status.job is not None:
        return "at work"
    action = status.action
    if action.reason == ABSENT:
        return "up to date, files absent"
    return _STATES[action.change]


Cost = tuple[float | None, float | None]
"""Dollars that a job has cost until now, and what its machine costs an hour; None where nobody knows."""


def status_lines(
    statuses: Sequence[ResourceStatus], trainings: Mapping[str, Training], costs: Mapping[str, Cost] | None = None
) -> list[str]:
    """A table; under it a line for every running job, and why what is not up to date is not.

    Args:
        statuses: of every resource.
        trainings: how far the runs at work are, by address.
        costs: of the runs at work, by address.
    """
    lines = aligned([_row(status) for status in statuses], header=HEADER, right=(3, 5))
    notes = [note for status in statuses for note in _notes(status, trainings, costs or {})]
    return [*lines, "", *notes] if notes else lines


def stranger_words(stranger: Stranger) -> str:
    """A job that nobody here knows: which one, since when, what it costs, how to stop it."""
    job, spent = stranger.found.job, stranger.spent
    cost = f", ${spent:.2f} until now" if spent is not None else ""
    return (
        f"{job.address}: the job {job.id}, launched from elsewhere, runs on {stranger.backend} in volume {stranger.volume}"
        f" since {moment(stranger.found.launched_at)}{cost}  (`tsws cancel {job.address}` stops it)"
    )


def resource_document(status: ResourceStatus, training: Training | None, cost: Cost | None = None) -> ResourceDocument:
    """One resource for machines."""
    record = status.record
    outputs = record.outputs if record else ()
    return ResourceDocument(
        address=status.action.address,
        state=state_words(status),
        change=status.action.change.value,
        reason=status.action.reason,
        fingerprint=record.fingerprint if record else None,
        made_at=record.made_at if record else None,
        seconds=record.seconds if record else None,
        files=[FileDocument(role=one.role, path=one.path, size=one.size, sha256=one.sha256) for one in outputs],
        notes=record.notes if record else {},
        job=_job(status, training, cost),
    )


def _job(status: ResourceStatus, training: Training | None, cost: Cost | None) -> JobDocument | None:
    if status.job is None:
        return None
    return JobDocument(
        id=status.job.handle.job,
        backend=status.job.handle.backend,
        launched_at=status.job.launched_at,
        step=training.step if training else None,
        max_iters=training.total if training else None,
        train_loss=training.train_loss if training else None,
        tokens_per_second=training.tokens_per_second if training else None,
        seconds_left=training.seconds_left if training else None,
        dollars=cost[0] if cost else None,
        dollars_per_hour=cost[1] if cost else None,
    )


def _row(status: ResourceStatus) -> tuple[str, ...]:
    record = status.record
    color = "blue" if status.job is not None else COLORS.get(status.action.change, "green")
    state = click.style(state_words(status), fg=color)
    if record is None:
        return status.action.address, state, "", "", "", ""
    shown = [one.path for one in record.outputs if not one.path.startswith(_STORAGE)]
    names = ", ".join(shown[:2]) + (f" and {len(shown) - 2} more" if len(shown) > 2 else "")
    size = format_bytes(sum(one.size for one in record.outputs)) if record.outputs else ""
    return status.action.address, state, names, size, moment(record.made_at), format_duration(record.seconds)


def _cost_words(cost: Cost | None) -> str:
    spent, rate = cost or (None, None)
    parts = [
        f"{format_dollars(spent)} until now" if spent is not None else "",
        f"{format_dollars(rate)}/h" if rate else "",
    ]
    words = ", ".join(part for part in parts if part)
    return f", {words}" if words else ""


def _notes(status: ResourceStatus, trainings: Mapping[str, Training], costs: Mapping[str, Cost]) -> list[str]:
    action, record = status.action, status.record
    if status.job is not None:
        training = trainings.get(action.address)
        how = training_words(training) if training else "no step taken yet"
        how += _cost_words(costs.get(action.address))
        return [f"{action.address}: {how}  (backend {status.job.handle.backend}, job {status.job.handle.job})"]
    if action.change.acts or action.change in {Change.BLOCKED, Change.ORPHAN}:
        hint = f"  ({action.hint})" if action.hint else ""
        return [f"{action.address}: {action.reason}{hint}"] if action.change is not Change.CREATE else []
    if record is not None and "val_loss" in record.notes:
        best = record.notes.get("best_val_loss")
        return [f"{action.address}: val loss {loss_words(record.notes['val_loss'])}, best {loss_words(best)}"]
    return []
