"""The digest of a volume's file, by reading it."""

from __future__ import annotations

import hashlib

from tsws.plugin import FileStat, Volume


def sha256_of_remote(volume: Volume, found: FileStat) -> str | None:
    """Hex SHA-256 of what a volume's file holds, in constant memory.

    Returns:
        None when the file was removed meanwhile, or is not the one that was found: it differs from what anyone knows.
    """
    digest = hashlib.sha256()
    size = 0
    try:
        for chunk in volume.read(found.path):
            digest.update(chunk)
            size += len(chunk)
    except FileNotFoundError:
        return None
    return digest.hexdigest() if size == found.size else None
