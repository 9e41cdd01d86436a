"""The manifest of a volume: what the jobs that worked there wanted, for people who open the volume as a workspace."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from tsws.io.atomic import write_bytes
from tsws.io.locks import resource_lock
from tsws.reconcile.store import Store
from tsws.workspace.finding import MANIFEST_NAME

HEADER = "# What the jobs that worked here wanted. Written by tsws: edit it, and the next job keeps a copy aside.\n\n"


def keep_manifest(root: Path, data: dict[str, Any]) -> None:
    """Add a job's part of a manifest to the one in a folder; entries of the same name are replaced.

    A manifest that a person wrote or broke is moved to ``.tsws/replaced/`` before it is written anew: what TOML
    can not carry over (comments, the order of things) is theirs.

    Args:
        root: the volume's folder.
        data: the job's manifest, as TOML-able data.

    Raises:
        OSError: it can not be written.
    """
    store = Store(root)
    path = root / MANIFEST_NAME
    # Two workers may begin at the same moment, and neither may lose what the other adds.
    with resource_lock(store.folder / f"{MANIFEST_NAME}.guard"):
        text = path.read_bytes() if path.exists() else None
        known = _parsed(text)
        merged = _merged(known or {}, data)
        if known == merged:
            return
        if text is not None and (known is None or text != _rendered(known)):
            store.set_aside(path)
        write_bytes(path, _rendered(merged))


def _parsed(text: bytes | None) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text.decode()) if text is not None else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return None


def _merged(known: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    merged = {**known}
    for table, entries in data.items():
        old = known.get(table)
        merged[table] = {**old, **entries} if isinstance(old, dict) else entries
    return merged


def _rendered(data: dict[str, Any]) -> bytes:
    import tomli_w

    return (HEADER + tomli_w.dumps(data)).encode()
