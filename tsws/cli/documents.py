"""The JSON documents of ``plan --json`` and ``status --json``.

Their shape is a promise: keys are added, never renamed or removed, while ``schema`` stays the same.
Sizes are bytes, times seconds since the epoch, durations seconds, fingerprints hexadecimal SHA-256 digests.
"""

from __future__ import annotations

from typing import Any

import msgspec

from tsws.reconcile.action import Action, Estimate, Plan

SCHEMA = 1


class FieldDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is not as it was."""

    path: str
    """A field of the resource, a source file, or the address of an input."""
    old: Any
    new: Any


class EstimateDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What an action will take; null where nobody knows."""

    seconds: float | None
    bytes: int | None
    """To transfer."""
    dollars: float | None
    basis: str
    """Where the figures come from."""


class ActionDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan does to one resource."""

    address: str
    change: str
    """``create``, ``update``, ``extend``, ``restore``, ``repair``, ``pending``, ``sync``, ``keep``, ``blocked`` or ``orphan``."""
    reason: str
    hint: str | None
    fields: list[FieldDocument]
    fingerprint: str | None
    """The wanted one; null while an input is unknown."""
    version: str | None
    """The kept version that is put back or continued."""
    estimate: EstimateDocument | None
    parts: list[ActionDocument]
    """What a job does elsewhere, or the files that a sync moves."""


class PlanDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What ``tsws plan --json`` prints."""

    schema: int = SCHEMA
    changes: int
    """How many actions do, or may do, something."""
    blocked: int
    actions: list[ActionDocument]
    """In the order in which they would be carried out."""


class FileDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One output, as it was when it was made."""

    role: str
    path: str
    """Relative to the workspace."""
    size: int
    sha256: str


class JobDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The job that works on a resource now."""

    id: str
    backend: str
    launched_at: float
    step: int | None
    max_iters: int | None
    train_loss: float | None
    tokens_per_second: float | None
    seconds_left: float | None
    dollars: float | None
    """What it has cost until now; null where it costs nothing or nobody knows."""
    dollars_per_hour: float | None
    """What its machine costs."""


class ResourceDocument(msgspec.Struct, frozen=True, kw_only=True):
    """How one resource is."""

    address: str
    state: str
    """In words, such as ``up to date``."""
    change: str
    """What an apply would do (see :class:`ActionDocument`)."""
    reason: str
    fingerprint: str | None
    """Of the last success."""
    made_at: float | None
    seconds: float | None
    """How long it took."""
    files: list[FileDocument]
    notes: dict[str, Any]
    """What its maker found worth keeping, such as ``val_loss``."""
    job: JobDocument | None


class StatusDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What ``tsws status --json`` prints."""

    schema: int = SCHEMA
    root: str
    """Absolute path of the workspace."""
    resources: list[ResourceDocument]


def plan_document(plan: Plan) -> PlanDocument:
    """A plan for machines."""
    return PlanDocument(
        changes=len(plan.changes), blocked=len(plan.blocked), actions=[_action(action) for action in plan]
    )


def encode(document: msgspec.Struct) -> str:
    """Indented JSON."""
    return msgspec.json.format(msgspec.json.encode(document, enc_hook=str), indent=2).decode()


def _action(action: Action) -> ActionDocument:
    return ActionDocument(
        address=action.address,
        change=action.change.value,
        reason=action.reason,
        hint=action.hint,
        fields=[FieldDocument(path=field.path, old=field.old, new=field.new) for field in action.fields],
        fingerprint=action.fingerprint,
        version=action.version,
        estimate=_estimate(action.estimate),
        parts=[_action(part) for part in action.parts],
    )


def _estimate(estimate: Estimate | None) -> EstimateDocument | None:
    if estimate is None:
        return None
    return EstimateDocument(
        seconds=estimate.seconds, bytes=estimate.bytes, dollars=estimate.dollars, basis=estimate.basis
    )
