"""The manifest of a volume: what the jobs that worked there wanted, for people who open the volume as a workspace."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from tsws.io.atomic import write_bytes
from tsws.workspace.workspace import MANIFEST_NAME


def keep_manifest(root: Path, data: dict[str, Any]) -> None:
    """Add a job's part of a manifest to the one in a folder; entries of the same name are replaced.

    Args:
        root: the volume's folder.
        data: the job's manifest, as TOML-able data.
    """
    import tomli_w

    path = root / MANIFEST_NAME
    try:
        known = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        known = {}
    merged = {**known}
    for table, entries in data.items():
        old = known.get(table)
        merged[table] = {**old, **entries} if isinstance(old, dict) else entries
    if merged != known:
        write_bytes(path, tomli_w.dumps(merged).encode())
