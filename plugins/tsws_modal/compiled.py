"""What containers have compiled, kept on the volume: the next one finds it instead of compiling it again.

A container begins with an empty disk, and training on its processor with compiling the native step: many seconds of all its
cores, which somebody pays for. What a worker compiles lies in its cache, under a digest of the source, the flags, the
compiler and the processor, so a container on another kind of machine looks for another file, and nothing has to be compared here.
The worker uses its own disk's copy: a volume with open files can not be reloaded.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Self

from tsws.io.atomic import atomic_writer
from tsws_modal.layout import COMPILED

MOST = 32
"""Files that are kept. One is needed for each version of tsws and kind of processor; a file has some hundred kilobytes."""


class Compiled:
    """A context manager: a worker's cache while it is entered, which begins with what the volume has.

    Args:
        place: where the volume is mounted.
    """

    def __init__(self, place: Path) -> None:
        self._shelf = place / COMPILED
        self._known: set[Path] = set()
        """Relative to the shelf, and to the cache."""

    def __enter__(self) -> Self:
        self._own = tempfile.TemporaryDirectory(prefix="tsws-cache-")
        self.folder = Path(self._own.name)
        """The worker's cache."""
        for path in _libraries(self._shelf):
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self._shelf / path, self.folder / path)
            self._known.add(path)
        return self

    def __exit__(self, *_: object) -> None:
        self._own.cleanup()

    def keep(self) -> None:
        """Bring what was compiled since to the volume; the oldest files there make room. The next commit shows it to others."""
        fresh = [path for path in _libraries(self.folder) if path not in self._known]
        for path in fresh:
            with open(self.folder / path, "rb") as source, atomic_writer(self._shelf / path) as target:
                shutil.copyfileobj(source, target)
            self._known.add(path)
        if fresh:
            kept = sorted(_libraries(self._shelf), key=lambda path: (self._shelf / path).stat().st_mtime)
            for path in kept[:-MOST]:
                shutil.rmtree((self._shelf / path).parent)


def _libraries(folder: Path) -> list[Path]:
    """The finished libraries in a cache; each lies in a folder of its own."""
    return [path.relative_to(folder) for path in folder.glob("native/*/*.so")]
