"""A run that works in a volume: the volume is a workspace elsewhere, and this is the plan of that workspace.

The local graph has one resource for it. What it depends on (data, tokens, exports) lives in the volume and is made
there, by the worker; here it shows up as the parts of one action.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsws.errors import PlanError
from tsws.io.paths import is_relative_inside
from tsws.job import VolumeRef
from tsws.manifest import load_data
from tsws.manifest.outputs import all_exports
from tsws.manifest.slice import slice_manifest
from tsws.manifest.specs import Manifest, RunSpec
from tsws.plugin import Plugins
from tsws.reconcile.action import Change, Estimate, Plan
from tsws.reconcile.compare import compare
from tsws.reconcile.facts import Facts, Probe
from tsws.reconcile.graph import Graph
from tsws.reconcile.observe import Observer
from tsws.reconcile.record import Record
from tsws.reconcile.resource import BaseRule, Making, Resource, Result
from tsws.reconcile.store import Store
from tsws.resources.active_jobs import missing_backend, open_backend
from tsws.resources.dispatch import Assignment
from tsws.resources.rates import priced
from tsws.resources.seen import seen_volume
from tsws.resources.shadow import shadow_folder
from tsws.resources.sourcing import own_files
from tsws.resources.volume import missing_kind, open_volume

Expand = Callable[[Manifest, dict[str, Any], Plugins, Path], Graph]
"""Turns the volume's part of a manifest into the graph of the workspace that the volume is."""


def assignment_of(
    name: str, manifest: Manifest, data: dict[str, Any], *, targets: tuple[str, ...] | None = None
) -> Assignment:
    """What a run asks of its backend.

    Args:
        name: of the run.
        manifest: checked.
        data: the plain data that it was made from.
        targets: what the worker makes; None: the run and its exports.
    """
    spec = manifest.run[name]
    address = f"run.{name}"
    exports = tuple(f"export.{one}" for one, export in all_exports(manifest).items() if export.run == name)
    targets = targets or (address, *exports)
    table = manifest.backend.get(spec.backend)
    volume = None
    if spec.volume is not None:
        there = manifest.volume[spec.volume]
        volume = VolumeRef(name=spec.volume, kind=there.kind, options=there.options)
    return Assignment(
        address=address,
        targets=targets,
        backend=spec.backend,
        kind=(table.kind if table else None) or spec.backend,
        options=dict(table.options) if table else {},
        manifest=_in_place(slice_manifest(data, manifest, targets), name),
        volume=volume,
    )


def remote_run_resource(
    name: str, spec: RunSpec, manifest: Manifest, data: dict[str, Any], plugins: Plugins, root: Path, expand: Expand
) -> Resource:
    """The resource of a run that works in a volume; ``expand`` makes the graph of the volume's own workspace."""
    assignment = assignment_of(name, manifest, data)
    blocked: tuple[str, str] | tuple[None, None] = (None, None)
    if assignment.kind not in plugins.backends:
        blocked = missing_backend(assignment.kind, plugins)
    elif assignment.volume is not None and assignment.volume.kind not in plugins.volumes:
        blocked = missing_kind(assignment.volume, plugins)
    rule = RemoteRunRule(assignment, plugins, root, expand)
    outside = [source for source in rule.own_sources() if not is_relative_inside(source)]
    if outside and blocked[0] is None:
        blocked = (
            f"it works in a volume, and {', '.join(outside)} lies outside of the workspace",
            "put the files into the workspace, which is what a volume gets a copy of",
        )
    return Resource(
        address=f"run.{name}",
        rule=rule,
        operational={"backend": spec.backend, "volume": spec.volume},
        blocked=blocked[0],
        blocked_hint=blocked[1],
        dispatched=True,
    )


@dataclass(frozen=True)
class RemoteRunRule(BaseRule):
    """Plans the volume's own workspace."""

    assignment: Assignment
    plugins: Plugins
    root: Path
    expand: Expand

    version = 1

    def probe(self, resource: Resource) -> Probe:  # noqa: ARG002
        """The plan of the volume: what the worker would do there."""
        plan = self.plan()
        if plan.blocked:
            first = plan.blocked[0]
            return Probe(Change.BLOCKED, f"{first.address}: {first.reason}", plan.actions, hint=first.hint)
        if not plan.changes:
            return Probe(Change.KEEP, "up to date", plan.actions, digest="")
        lead = plan[self.assignment.address]
        chosen = lead if lead.change.acts else plan.changes[0]
        where = self._where(self.assignment.volume) if self.assignment.volume else ""
        reason = chosen.reason if chosen is lead else f"{chosen.address}: {chosen.reason}"
        return Probe(chosen.change, f"{reason} ({self.assignment.backend}, {where})", plan.changes)

    def _where(self, ref: VolumeRef) -> str:
        volume = open_volume(ref, self.plugins, self.root)
        if volume.is_near:
            return f"in volume {ref.name}"
        seen = seen_volume(self.root, volume)
        if seen is None:
            return f"in volume {ref.name}, which is created if it is missing"
        return f"in volume {ref.name}" if seen.exists() else f"in volume {ref.name}, which will be created"

    def estimate(self, resource: Resource, change: Change, facts: Facts) -> Estimate | None:  # noqa: ARG002
        """The parts' time together, and what the backend's machine costs for so long."""
        parts = facts.probe.parts if facts.probe else ()
        known = [part.estimate for part in parts if part.estimate is not None]
        seconds = [estimate.seconds for estimate in known if estimate.seconds is not None]
        backend = open_backend(
            self.assignment.backend, self.assignment.kind, self.assignment.options, self.plugins, self.root
        )
        basis = "; ".join(dict.fromkeys(estimate.basis for estimate in known if estimate.basis))
        return priced(backend, sum(seconds) if seconds else None, basis)

    def plan(self) -> Plan:
        """What the worker would do in the volume, as far as its records are known here."""
        graph, there = self.there()
        observer = Observer(there, elsewhere=self._here, sources=Store(self.root))
        addresses = graph.closure(self.assignment.targets)
        return compare(graph, observer.observe(graph, addresses), self.assignment.targets)

    def preparations(self) -> tuple[str, ...]:
        """What the worker would make before the run itself: data to fetch, a tokenizer to train, text to tokenize. No accelerator
        helps with that."""
        return tuple(one.address for one in self.plan().changes if one.address not in self.assignment.targets)

    def there(self) -> tuple[Graph, Store]:
        """The volume's own workspace: its resources, and its records as far as they are known here."""
        folder = self._folder()
        manifest = load_data(self.assignment.manifest, plugins=self.plugins)
        return self.expand(manifest, self.assignment.manifest, self.plugins, folder), Store(folder)

    def own_sources(self) -> list[str]:
        """Files of the person that the work in the volume reads: they are pushed first."""
        manifest = load_data(self.assignment.manifest, plugins=self.plugins)
        found = [
            *(one for dataset in manifest.dataset.values() for one in own_files(dataset.source)),
            *(one for dataset in manifest.dataset.values() for one in own_files(dataset.val_source)),
            *(one for tokenizer in manifest.tokenizer.values() for one in own_files(tokenizer.source)),
        ]
        return list(dict.fromkeys(found))

    def _folder(self) -> Path:
        """The volume's folder on this machine, or a shadow of it."""
        if self.assignment.volume is None:
            return self.root
        volume = open_volume(self.assignment.volume, self.plugins, self.root)
        return volume.local_path() or shadow_folder(self.root, volume.name)

    def _here(self, address: str) -> Record | None:
        """What was made here before the run was given a volume counts there too."""
        return Store(self.root).record(address)

    def make(self, making: Making) -> Result:
        """Never called: a backend carries it out.

        Raises:
            PlanError: always.
        """
        raise PlanError(f"{making.resource.address} is made by its backend, not here")


def _in_place(data: dict[str, Any], name: str) -> dict[str, Any]:
    """The same manifest for the worker: it works where it stands."""
    tables = {table: dict(entries) for table, entries in data.items() if table not in {"volume", "backend"}}
    run = {key: value for key, value in tables["run"][name].items() if key not in {"volume", "backend"}}
    return {**tables, "run": {**tables["run"], name: run}}
