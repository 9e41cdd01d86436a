"""Finding the workspace that someone stands in."""

from __future__ import annotations

from pathlib import Path

from tsws.errors import ManifestError

MANIFEST_NAME = "tinystories.toml"


def find_manifest(path: Path) -> Path:
    """The manifest of a folder or of the nearest folder above it; a file is taken as it is.

    Raises:
        ManifestError: there is none.
    """
    if path.is_file():
        return path.absolute()
    start = path.absolute()
    for folder in (start, *start.parents):
        if (folder / MANIFEST_NAME).is_file():
            return folder / MANIFEST_NAME
    raise ManifestError(
        f"there is no {MANIFEST_NAME} in {start} or any folder above it",
        hint="`tsws init` makes a workspace here; `tsws -C FOLDER` looks elsewhere",
    )
