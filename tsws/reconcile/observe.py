"""Looking at a workspace: records, files, sources and versions become facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from tsws.errors import TswsError
from tsws.io.digest import sha256_file
from tsws.reconcile.facts import Facts, FileState, Observation, Version
from tsws.reconcile.graph import Graph
from tsws.reconcile.record import OutputRecord, Record
from tsws.reconcile.resource import Resource
from tsws.reconcile.sources import SourceDigests
from tsws.reconcile.store import Store, read_intent, read_record

RECORD = "record.json"
"""A finished version's record, in its folder."""
INTENT = "intent.json"
"""What a version was begun for, in its folder."""


class Observer:
    """Looks at the workspace on this disk.

    Args:
        store: of the workspace.
        elsewhere: where to look for a record of the same resource in another place, if anywhere.
        sources: the workspace that has the person's own files, when it is another one.
    """

    def __init__(
        self, store: Store, elsewhere: Callable[[str], Record | None] | None = None, sources: Store | None = None
    ) -> None:
        self._store = store
        self._elsewhere = elsewhere
        owner = sources or store
        self._sources = SourceDigests(owner.root, owner.folder / "cache" / "sources.json")

    def observe(self, graph: Graph, addresses: Iterable[str], *, probe: bool = True) -> Observation:
        """The facts of some resources.

        Args:
            graph: what is wanted.
            addresses: which of its resources to look at.
            probe: False leaves out what rules would have to look for themselves.

        Raises:
            FormatError: a record is damaged.
            TswsError: a file can not be looked at.
        """
        try:
            facts = {address: self.facts(graph[address], probe=probe) for address in addresses}
            self._sources.save()
        except OSError as error:
            name = error.filename or self._store.root
            raise TswsError(
                f"{name} can not be looked at: {error.strerror or error}", hint="mend the file or its permissions"
            ) from error
        return facts

    def facts(self, resource: Resource, *, probe: bool = True) -> Facts:
        """The facts of one resource."""
        record = self._store.record(resource.address)
        digests, missing = self._sources.digests(resource.sources)
        facts = Facts(
            record=record,
            files={output.path: state(self._store.root, output) for output in record.outputs} if record else {},
            sources=digests,
            missing_sources=missing,
            versions=tuple(self._versions(resource)),
            elsewhere=self._elsewhere(resource.address) if self._elsewhere else None,
        )
        if probe and resource.blocked is None:
            facts = replace(facts, probe=resource.rule.probe(resource))
        return facts

    def orphans(self, graph: Graph) -> tuple[str, ...]:
        """Addresses that have a record here but are not in the graph."""
        return tuple(address for address in self._store.addresses() if address not in graph)

    def _versions(self, resource: Resource) -> Iterator[Version]:
        if resource.versions is None:
            return
        for folder in sorted((self._store.root / resource.versions).glob("*/")):
            intent = read_intent(folder / INTENT)
            if intent is None:
                continue
            record = read_record(folder / RECORD)
            yield Version(
                fingerprint=folder.name,
                identity=intent.identity,
                inputs=intent.inputs,
                sources=intent.sources,
                rule=intent.rule,
                record=record,
                intact=record is not None and _own_files_intact(self._store.root, folder, record),
                progress=resource.rule.progress_of(folder),
            )


def state(root: Path, output: OutputRecord) -> FileState:
    """A recorded output against the disk; the file is read only when its size or time differ."""
    path = root / output.path
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return FileState.MISSING
    if not output.owned or (found.st_size == output.size and found.st_mtime_ns == output.mtime_ns):
        return FileState.INTACT
    if not path.is_file():
        return FileState.EDITED
    if found.st_size == output.size and sha256_file(path) == output.sha256:
        return FileState.INTACT
    return FileState.EDITED


def kept_copy(folder: Path, output: OutputRecord) -> Path:
    """Where a version keeps its own copy of an output that was published from it."""
    return folder / "kept" / output.role


def _own_files_intact(root: Path, folder: Path, record: Record) -> bool:
    """Whether a version still holds everything that is needed to put it back (copies are read when that is done)."""
    for output in record.outputs:
        if (root / output.path).is_relative_to(folder):
            if state(root, output) is not FileState.INTACT:
                return False
            continue
        try:
            if kept_copy(folder, output).stat().st_size != output.size:
                return False
        except (FileNotFoundError, NotADirectoryError):
            return False
    return True
