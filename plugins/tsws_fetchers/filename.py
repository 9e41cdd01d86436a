"""Plain file names out of what servers say."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

_LONGEST = 200
"""Bytes kept of a name, its end: file systems take 255, and temporary endings need some."""


def safe_filename(name: str) -> str:
    """A name without folders, control characters and leading dots, never empty."""
    base = re.split(r"[/\\]", name)[-1]
    printable = "".join(character for character in base if character.isprintable()).strip().lstrip(".")
    return printable.encode()[-_LONGEST:].decode(errors="ignore").strip().lstrip(".") or "download"


def filename_of_url(url: str) -> str:
    """The last part of a URL's path, as a safe name."""
    return safe_filename(unquote(urlsplit(url).path))


def filename_of_disposition(header: str | None) -> str | None:
    """The safe name that a ``Content-Disposition`` header (RFC 6266) suggests, or None."""
    from email.message import Message

    if not header:
        return None
    message = Message()
    message["Content-Disposition"] = header
    name = message.get_filename()
    return safe_filename(name) if name else None
