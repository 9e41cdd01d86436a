"""A workspace: the folder of a manifest, and everything that can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from tsws.job import Emit, Job, ignore
from tsws.manifest import load, load_data
from tsws.manifest.specs import Manifest
from tsws.plugin import Plugins, load_plugins
from tsws.reconcile.action import Plan
from tsws.reconcile.apply import Report, apply
from tsws.reconcile.compare import compare
from tsws.reconcile.graph import Graph
from tsws.reconcile.observe import Observer
from tsws.workspace import history, housekeeping, machines, syncing, volume_cleaning
from tsws.workspace.carrying import Carrier, telling_listeners
from tsws.workspace.context import Context
from tsws.workspace.finding import find_manifest
from tsws.workspace.playing import Storyteller
from tsws.workspace.spending import check_spending


def _never() -> bool:
    return False


class Workspace(Storyteller):
    """A folder with a ``tinystories.toml``.

    >>> workspace = Workspace.open("stories")
    >>> for action in workspace.plan():
    ...     print(action.change.symbol, action.address, action.reason)
    >>> workspace.apply()
    >>> print("".join(workspace.generate("Once upon a time")))

    Use :meth:`open`. Nothing here prints; what happens is said to an ``emit`` callback.
    """

    def __init__(
        self, root: Path, manifest: Manifest, data: dict[str, Any], plugins: Plugins, warnings: Sequence[str] = ()
    ) -> None:
        self.context = Context(root, manifest, data, plugins)
        self.warnings = tuple(warnings)
        """What is no mistake in the manifest but will not work as it is."""

    @classmethod
    def open(
        cls, path: str | Path = ".", *, overrides: Sequence[str] = (), plugins: Plugins | None = None
    ) -> Workspace:
        """The workspace of a folder, or the nearest one above it.

        Args:
            path: a folder, or a manifest file.
            overrides: ``KEY=VALUE``, such as ``run.baby.max_iters=2000``.
            plugins: what to use instead of the plugins of this environment.

        Raises:
            ManifestError: there is no manifest, or it has mistakes (all of them are listed).
        """
        file = find_manifest(Path(path))
        found = plugins or load_plugins()
        loaded = load(file, overrides=overrides, plugins=found)
        return cls(file.parent, loaded.manifest, loaded.data, found, loaded.warnings)

    @classmethod
    def of_job(cls, job: Job, root: Path, *, plugins: Plugins | None = None) -> Workspace:
        """The workspace that a worker works in: the job says what should exist, ``root`` is where."""
        found = plugins or load_plugins()
        return cls(root, load_data(job.manifest, plugins=found), job.manifest, found)

    @property
    def root(self) -> Path:
        """The folder."""
        return self.context.root

    @property
    def manifest(self) -> Manifest:
        """Checked; every default filled in."""
        return self.context.manifest

    @property
    def plugins(self) -> Plugins:
        """Who provides what."""
        return self.context.plugins

    @property
    def graph(self) -> Graph:
        """The resources that the manifest means, declared and implied."""
        return self.context.expansion.graph

    def plan(
        self,
        targets: Collection[str] | None = None,
        *,
        everything: bool = False,
        replace: Collection[str] = (),
        refresh: bool = False,
    ) -> Plan:
        """What an apply would do, and why. Changes nothing.

        Args:
            targets: addresses; None: the workspace's default.
            everything: all that is declared, whatever the targets say.
            replace: addresses to make anew whatever their records say.
            refresh: look at volumes that do not lie on this machine; else what was last seen of them counts.

        Raises:
            PlanError: an address does not exist.
        """
        graph = self.graph
        chosen = self.targets(targets, everything=everything)
        replaced = self._known(replace)
        if refresh:
            runs = self._runs_of(chosen)
            syncing.refresh_volumes(self.context, syncing.volumes_of(self.context, runs))
            machines.refresh_backends(self.context, runs)
        observer = Observer(self.context.store)
        addresses = graph.closure([*chosen, *replaced])
        declared = self.context.expansion.declared
        orphans = [one for one in observer.orphans(graph) if one not in declared] if everything else ()
        return compare(
            graph, observer.observe(graph, addresses), [*chosen, *replaced], replaced=replaced, orphans=orphans
        )

    def apply(
        self,
        targets: Collection[str] | None = None,
        *,
        everything: bool = False,
        replace: Collection[str] = (),
        jobs: int = 4,
        keep_going: bool = False,
        max_cost: float | None = None,
        emit: Emit = ignore,
        stop: Callable[[], bool] = _never,
        purpose: str = "tsws apply",
    ) -> Report:
        """Make it so.

        Args:
            targets: addresses; None: the workspace's default.
            everything: all that is declared, whatever the targets say.
            replace: addresses to make anew whatever their records say.
            jobs: how many actions at once.
            keep_going: after a failure, go on with what does not depend on it.
            max_cost: dollars: refuse to start when the estimate is above it, and stop a job before it costs more.
            emit: hears everything that happens, from several threads.
            stop: asked now and then; true means: keep what is done and end.
            purpose: what others are told when they find the workspace locked.

        Returns:
            what became of every resource; failures are in it, and do not raise.

        Raises:
            LockedError: another apply works here.
            PlanError: an address does not exist, or it would cost too much.
        """
        with self.context.exclusively(purpose):
            chosen = self.targets(targets, everything=everything)
            check_spending(self.plan(chosen, replace=replace, refresh=True), max_cost)
            return self._apply(
                chosen, replace, jobs=jobs, keep_going=keep_going, emit=emit, stop=stop, inline=False, max_cost=max_cost
            )

    def work(self, job: Job, *, emit: Emit, stop: Callable[[], bool]) -> Report:
        """A worker's part: bring a job's targets up to date in this process."""
        return self._apply(job.targets, job.replace, jobs=1, keep_going=False, emit=emit, stop=stop, inline=True)

    def sync(
        self,
        *,
        volume: str | None = None,
        pull: Sequence[str] = (),
        push: Sequence[str] = (),
        force: bool = False,
        dry_run: bool = False,
        progress: syncing.Progress | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> tuple[syncing.VolumeSync, ...]:
        """Bring files into step with volumes. See :func:`tsws.workspace.syncing.sync`.

        Raises:
            LockedError: an apply works here, and may be writing what would be sent.
        """
        with nullcontext() if dry_run else self.context.exclusively("tsws sync"):
            return syncing.sync(
                self.context,
                volume=volume,
                pull=pull,
                push=push,
                force=force,
                dry_run=dry_run,
                progress=progress,
                stop=stop,
            )

    def runs(self) -> tuple[history.RunVersion, ...]:
        """Every version of every run that is kept here."""
        return history.versions(self.context)

    def status(self) -> tuple[history.ResourceStatus, ...]:
        """How every resource is now."""
        return history.status(self.context, self.plan(everything=True))

    def clean(self, *, dry_run: bool = False, only: Collection[Path] | None = None) -> housekeeping.Removed:
        """Remove intermediates that can be made again. See :func:`tsws.workspace.housekeeping.clean`."""
        return housekeeping.clean(self.context, dry_run=dry_run, only=only)

    def clean_volume(
        self, volume: str, *, dry_run: bool = False, only: Collection[Path] | None = None
    ) -> housekeeping.Removed:
        """The same on a volume. See :func:`tsws.workspace.volume_cleaning.clean_volume`."""
        return volume_cleaning.clean_volume(self.context, volume, dry_run=dry_run, only=only)

    def gc(self, *, dry_run: bool = False, only: Collection[Path] | None = None) -> housekeeping.Removed:
        """Remove what is no longer wanted: old versions, orphans. See :func:`tsws.workspace.housekeeping.gc`."""
        return housekeeping.gc(self.context, dry_run=dry_run, only=only)

    def targets(self, targets: Collection[str] | None, *, everything: bool = False) -> tuple[str, ...]:
        """The addresses that some words mean: a run comes with its exports and the program that plays it.

        Raises:
            PlanError: an address does not exist.
        """
        if everything:
            return self.context.expansion.everything()
        if targets is None:
            return self.context.expansion.default()
        found = [companion for one in self._known(targets) for companion in self.context.expansion.companions(one)]
        return tuple(dict.fromkeys(found))

    def _known(self, addresses: Collection[str]) -> tuple[str, ...]:
        carriers = [self.context.expansion.carrier(address) for address in addresses]
        for address in carriers:
            self.graph[address]
        return tuple(carriers)

    def _runs_of(self, targets: Collection[str]) -> list[str]:
        return [one.removeprefix("run.") for one in self.graph.closure(targets) if one.startswith("run.")]

    def _apply(
        self,
        targets: Collection[str],
        replace: Collection[str],
        *,
        jobs: int,
        keep_going: bool,
        emit: Emit,
        stop: Callable[[], bool],
        inline: bool,
        max_cost: float | None = None,
    ) -> Report:
        replaced = self._known(replace)
        chosen = tuple(dict.fromkeys([*targets, *replaced]))
        say = emit if inline else telling_listeners(self.plugins, emit)
        observer = Observer(self.context.store)
        carrier = Carrier(self.context, inline=inline, emit=say, stop=stop, max_cost=max_cost)
        return apply(
            self.graph,
            chosen,
            look=lambda addresses: observer.observe(self.graph, addresses),
            carry_out=carrier.carry_out,
            emit=say,
            stop=stop,
            jobs=jobs,
            keep_going=keep_going,
            replaced=replaced,
        )
