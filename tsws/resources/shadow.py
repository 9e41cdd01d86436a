"""A shadow of a volume that does not lie on this machine: its records, and empty files of the right sizes.

With it the volume's workspace can be planned by the same code that plans a folder. It is what was last seen: a plan
without ``--refresh`` looks at it and at nothing else.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tsws.io.atomic import write_bytes
from tsws.io.paths import inside
from tsws.plugin import FileStat, Volume
from tsws.reconcile.store import FOLDER, read_record

_RECORDS = (f"{FOLDER}/state/", f"{FOLDER}/runs/", f"{FOLDER}/cache/")
_READ = ("record.json", "intent.json", "manifest.json", "state.json", "rates.json")
"""Small files that planning reads."""


def shadow_folder(root: Path, volume: str) -> Path:
    """Where a workspace keeps the shadow of a volume; it does not exist before the first :func:`refresh`."""
    return root / FOLDER / "volumes" / volume


def refresh(volume: Volume, folder: Path) -> list[FileStat]:
    """Look at a volume and make its shadow anew.

    Returns:
        all its files. One that a worker there removes meanwhile (an old checkpoint, say) is none of them.

    Raises:
        VolumeError: it can not be reached.
    """
    fresh = folder.with_name(f".{folder.name}.fresh")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    found = []
    for stat in list(volume.list()):
        path = inside(fresh, stat.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        if stat.path.startswith(_RECORDS) and (path.name in _READ or path.parent.name == "state"):
            try:
                write_bytes(path, b"".join(volume.read(stat.path)))
            except FileNotFoundError:
                continue
        else:
            path.touch()
            os.truncate(path, stat.size)
        found.append(stat)
    _agree_on_times(fresh, {stat.path: stat.size for stat in found})
    shutil.rmtree(folder, ignore_errors=True)
    fresh.replace(folder)
    return found


def _agree_on_times(folder: Path, sizes: dict[str, int]) -> None:
    """An output of the recorded size counts as intact: its bytes are not here to be read."""
    for path in (folder / FOLDER / "state").glob("*.json"):
        record = read_record(path)
        for output in record.outputs if record else ():
            if sizes.get(output.path) == output.size:
                os.utime(inside(folder, output.path), ns=(output.mtime_ns, output.mtime_ns))
