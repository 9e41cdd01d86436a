"""SHA-256 of files and of values."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec

CHUNK = 1 << 20


def sha256_file(path: Path) -> str:
    """Hex SHA-256 of a file's bytes, in constant memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_bytes(data: bytes) -> str:
    """Hex SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def digest_value(value: Any) -> str:
    """Hex SHA-256 of a JSON-able value, the same whatever the order of its keys."""
    return sha256_bytes(msgspec.json.encode(value, order="deterministic"))
