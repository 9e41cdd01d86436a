"""Small workspaces that are planned and applied whole: a rule is known by what it leaves behind."""

from __future__ import annotations

import dataclasses
import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.fixtures.hub import HubServer
from tsws import Workspace
from tsws.errors import TswsError
from tsws.job import Event
from tsws.plugin import Plugins, load_plugins
from tsws.reconcile.apply import Report
from tsws.reconcile.record import Record


@dataclasses.dataclass
class Place:
    """A workspace with a manifest that a test writes."""

    root: Path
    plugins: Plugins = dataclasses.field(default_factory=load_plugins)
    events: list[Event] = dataclasses.field(default_factory=list)

    def manifest(self, text: str) -> None:
        """Say what should exist."""
        (self.root / "tinystories.toml").write_text(text, encoding="utf-8")

    def write(self, path: str, data: str | bytes) -> Path:
        """A person's own file."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data.encode() if isinstance(data, str) else data)
        return file

    def open(self, *overrides: str) -> Workspace:
        """The workspace as it is now."""
        return Workspace.open(self.root, overrides=overrides, plugins=self.plugins)

    def apply(self, *targets: str, replace: Iterable[str] = ()) -> Report:
        """Apply, whatever becomes of it."""
        return self.open().apply(targets or None, replace=list(replace), emit=self.events.append)

    def make(self, *targets: str, replace: Iterable[str] = ()) -> None:
        """Apply, and nothing may fail."""
        report = self.apply(*targets, replace=replace)
        assert report.ok, [str(result.error) for result in report.failed]

    def failure(self, *targets: str) -> TswsError:
        """Apply, and exactly one thing has to fail."""
        (failed,) = self.apply(*targets).failed
        assert failed.error is not None
        return failed.error

    def record(self, address: str) -> Record:
        """What was recorded of a resource."""
        record = self.open().context.store.record(address)
        assert record is not None
        return record

    def files(self, address: str) -> dict[str, tuple[str, bytes]]:
        """Path and content of every file of a resource, by role."""
        outputs = self.record(address).outputs
        return {output.role: (output.path, (self.root / output.path).read_bytes()) for output in outputs}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A workspace without a manifest."""
    root = tmp_path / "workspace"
    root.mkdir()
    return Place(root)


@pytest.fixture
def hub() -> Iterator[HubServer]:
    """A web server on this machine."""
    with HubServer() as server:
        yield server


def tar_gz(files: Mapping[str, bytes]) -> bytes:
    """A ``.tar.gz`` with some files."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return packed.getvalue()


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A ``.zip`` with some files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return packed.getvalue()


PACKED: dict[str, Callable[[Mapping[str, bytes]], bytes]] = {".tar.gz": tar_gz, ".zip": zipped}
"""How to pack some files, by the ending of the archive's name."""


def gz(data: bytes) -> bytes:
    """One file, packed alone."""
    return gzip.compress(data, mtime=0)
