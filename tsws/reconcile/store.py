"""Where a workspace keeps what it has achieved: ``.tsws/``.

.tsws/state/<address>.json           the record of each resource
.tsws/runs/<name>/<fingerprint>/     every version of a run, with its own record.json
.tsws/work/<address>/<fingerprint>/  unfinished work of everything else
.tsws/jobs/<address>.json            the job in flight for a resource
.tsws/replaced/<time>/               files that were in the way of a repair
.tsws/lock, .tsws/locks/<address>    who works here
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tsws.errors import FormatError
from tsws.io.atomic import write_bytes
from tsws.reconcile.record import SCHEMA, Record

FOLDER = ".tsws"


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """What a version was begun for; written before the work, so that an unfinished one can be understood."""

    address: str
    fingerprint: str
    rule: int
    identity: dict[str, object]
    inputs: dict[str, str]
    sources: dict[str, str]


class Store:
    """The records of one workspace."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / FOLDER

    # --- records ---

    def record(self, address: str) -> Record | None:
        """The record of a resource, or None.

        Raises:
            FormatError: it is not a record.
        """
        return read_record(self.folder / "state" / f"{address}.json")

    def write(self, record: Record) -> None:
        """Keep a record; the outputs it names stand already."""
        write_record(self.folder / "state" / f"{record.address}.json", record)

    def forget(self, address: str) -> None:
        """Remove the record of a resource."""
        (self.folder / "state" / f"{address}.json").unlink(missing_ok=True)

    def addresses(self) -> Iterator[str]:
        """Every address that has a record, sorted."""
        return (path.stem for path in sorted((self.folder / "state").glob("*.json")))

    # --- folders of work ---

    def version_folder(self, versions: str, fingerprint: str) -> Path:
        """Where a version of a resource with kept versions is made and stays."""
        return self.root / versions / fingerprint

    def work_folder(self, address: str, fingerprint: str) -> Path:
        """Where anything else is made; removed when it is done."""
        return self.folder / "work" / address / fingerprint

    def set_aside(self, path: Path) -> Path:
        """Move something that is in the way to ``.tsws/replaced/`` and say where it went."""
        stamp = time.strftime("%Y%m%d-%H%M%S")
        target = self.folder / "replaced" / stamp / path.relative_to(self.root)
        number = 1
        while target.exists():
            number += 1
            target = self.folder / "replaced" / f"{stamp}-{number}" / path.relative_to(self.root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, target)
        return target

    # --- locks ---

    @property
    def lock_path(self) -> Path:
        """Held while something is applied here."""
        return self.folder / "lock"

    def resource_lock_path(self, address: str) -> Path:
        """Held while one resource is made here."""
        return self.folder / "locks" / address


def read_record(path: Path) -> Record | None:
    """A record file, or None when there is none.

    Raises:
        FormatError: it is damaged, or from a newer tsws.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    return decode_record(data, str(path))


def decode_record(data: bytes, name: str) -> Record:
    """The record in some bytes; ``name`` is for the message.

    Raises:
        FormatError: it is damaged, or from a newer tsws.
    """
    try:
        record = msgspec.json.decode(data, type=Record)
    except msgspec.DecodeError as error:
        raise FormatError(
            f"{name} is not a record ({error})", hint="remove the file; `tsws apply` makes the resource again"
        ) from None
    if record.schema > SCHEMA:
        raise FormatError(
            f"{name} was written by a newer tsws (schema {record.schema}, this one knows {SCHEMA})",
            hint="pip install -U tsws",
        )
    return record


def write_record(path: Path, record: Record) -> None:
    """Write a record file atomically, for people to read too."""
    write_bytes(path, msgspec.json.format(msgspec.json.encode(record, order="sorted"), indent=1))


def read_intent(path: Path) -> Intent | None:
    """What a version was begun for, or None when nobody can tell."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Intent)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
