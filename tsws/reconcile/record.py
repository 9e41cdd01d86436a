"""The achieved state: one record a resource, written only after success."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tsws.io.digest import digest_value

SCHEMA = 1
"""Of the record files; raised when their meaning changes."""


class OutputRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One file, as it was when it was made."""

    role: str
    path: str
    """Relative to the workspace, with ``/``."""
    size: int
    sha256: str
    mtime_ns: int = 0
    """Of the file when it was recorded: while size and time agree, it is not read again."""
    essential: bool = True
    owned: bool = True


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """The last success of one resource."""

    schema: int = SCHEMA
    address: str
    fingerprint: str
    rule: int
    """Version of the rule that made it."""
    identity: dict[str, Any]
    sources: dict[str, str] = {}
    """Digests of the person's files that it was made from, by path."""
    inputs: dict[str, str] = {}
    """Digests of the inputs, by address."""
    outputs: tuple[OutputRecord, ...] = ()
    made_at: float = 0.0
    """Seconds since the epoch."""
    seconds: float = 0.0
    """How long it took."""
    origin: dict[str, Any] = {}
    """Who made it: version of tsws, host, process."""
    notes: dict[str, Any] = {}
    """What its rule found worth keeping."""

    @property
    def digest(self) -> str:
        """What dependants see: the same when the same bytes came out, wherever they lie."""
        return digest_value({output.role: output.sha256 for output in self.outputs if output.essential})


def fingerprint(
    *,
    kind: str,
    rule: int,
    identity: Mapping[str, Any],
    sources: Mapping[str, str],
    inputs: Sequence[tuple[str, str]],
) -> str:
    """The digest of everything that can change a resource's outputs (hex SHA-256).

    Args:
        kind: of the resource; its name does not matter.
        rule: version of the rule.
        identity: the identity fields.
        sources: digests of the person's files, by path.
        inputs: kind and digest of each input, in the resource's order; their names do not matter either.
    """
    return digest_value(
        {"kind": kind, "rule": rule, "identity": dict(identity), "sources": dict(sources), "inputs": list(inputs)}
    )


def kind_of(address: str) -> str:
    """``run`` of ``run.baby``."""
    return address.partition(".")[0]


def short(value: str) -> str:
    """A fingerprint as folders and people use it: the first 12 digits."""
    return value[:12]
