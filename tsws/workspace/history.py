"""What there is, and what there was: the status of every resource, every version of every run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tsws.errors import TswsError
from tsws.job import JobStatus
from tsws.reconcile.action import Action, Plan
from tsws.reconcile.graph import Graph
from tsws.reconcile.observe import Observer
from tsws.reconcile.record import Record, short
from tsws.reconcile.resource import Resource
from tsws.reconcile.store import Store
from tsws.resources.active_jobs import ActiveJob, active_job, backend_of
from tsws.resources.remote import RemoteRunRule
from tsws.workspace.context import Context


@dataclass(frozen=True)
class RunVersion:
    """One version of a run."""

    run: str
    """Address of the run."""
    fingerprint: str
    current: bool
    """Whether it is the one whose results stand in the run's folder."""
    finished: bool
    step: int
    """Steps taken."""
    max_iters: int
    val_loss: float | None
    """Of the last step, in nats a token."""
    best_val_loss: float | None
    tokens: int | None
    """Learned from."""
    seconds: float | None
    """Of training."""
    made_at: float | None
    """Seconds since the epoch."""
    identity: dict[str, Any]
    """Everything that makes it what it is."""


@dataclass(frozen=True)
class ResourceStatus:
    """How one resource is."""

    action: Action
    """What an apply would do to it now."""
    record: Record | None
    """Of the last success."""
    job: ActiveJob | None
    """The job that works on it now."""


def versions(context: Context) -> tuple[RunVersion, ...]:
    """Every version of every run that is kept here, in the manifest's order, the newest last."""
    return tuple(version for resource in context.expansion.graph for version in _versions(context, resource.address))


def status(context: Context, plan: Plan) -> tuple[ResourceStatus, ...]:
    """How every resource of a plan is."""
    return tuple(
        ResourceStatus(action, last_record(context, action.address), running_job(context, action.address))
        for action in plan
    )


def last_record(context: Context, address: str) -> Record | None:
    """The record of a resource's last success; of a run in a volume the one there, as far as it is known here."""
    graph = context.expansion.graph
    if address not in graph:  # no longer declared
        return context.store.record(address)
    _, store = _where(context, graph[address])
    return store.record(address)


def running_job(context: Context, address: str) -> ActiveJob | None:
    """The job that works on a resource now, or None."""
    active = active_job(context.root, address)
    if active is None or active.ended or active.intent is not None:
        return None
    try:
        status = backend_of(active, context.plugins, context.root).status(active.handle)
    except TswsError:
        return None
    return active if status is JobStatus.RUNNING else None


def _where(context: Context, resource: Resource) -> tuple[Graph, Store]:
    """The workspace that a resource is made in: this one, or the volume of a run."""
    if isinstance(resource.rule, RemoteRunRule) and resource.blocked is None:
        return resource.rule.there()
    return context.expansion.graph, context.store


def _versions(context: Context, address: str) -> Iterator[RunVersion]:
    graph, store = _where(context, context.expansion.graph[address])
    resource = graph[address]
    if resource.versions is None:
        return
    facts = Observer(store).facts(resource, probe=False)
    current = short(facts.record.fingerprint) if facts.record else None
    for version in sorted(facts.versions, key=lambda one: one.record.made_at if one.record else 0.0):
        notes = version.record.notes if version.record else {}
        yield RunVersion(
            run=address,
            fingerprint=version.fingerprint,
            current=version.fingerprint == current,
            finished=version.record is not None,
            step=int(notes.get("step") or version.progress.get("step") or 0),
            max_iters=int(version.identity.get("train", {}).get("max_iters", 0)),
            val_loss=notes.get("val_loss"),
            best_val_loss=notes.get("best_val_loss"),
            tokens=notes.get("tokens"),
            seconds=notes.get("seconds"),
            made_at=version.record.made_at if version.record else None,
            identity=dict(version.identity),
        )
