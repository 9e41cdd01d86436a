"""``tinystories.lock``: what every source was when it was first fetched, so that it stays the same for everyone.

A TOML file that belongs into version control: a schema number, and one ``[[source]]`` table a URI, sorted by URI.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import msgspec
from msgspec import Meta

from tsws.errors import FormatError
from tsws.io.atomic import write_bytes
from tsws.io.locks import resource_lock

SCHEMA = 1
_HEADER = "# What the sources in tinystories.toml were when they were fetched. Written by tsws; commit this file.\n\n"
_REPAIR = "restore it from version control; or remove it, and the next apply pins what it finds then"


class Pin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a source was found to be."""

    uri: Annotated[str, Meta(min_length=1)]
    """As the manifest has it."""
    url: Annotated[str, Meta(min_length=1)]
    """Where the bytes were, with the commit in it where there is one."""
    size: Annotated[int, Meta(ge=0)]
    """In bytes."""
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    version: str | None = None
    """Entity tag or commit of that time."""


class _Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    schema: int
    source: list[Pin] = []


class LockFile(msgspec.Struct, frozen=True):
    """The pins of a workspace, as a value."""

    pins: Mapping[str, Pin] = MappingProxyType({})
    """By URI."""

    @classmethod
    def load(cls, path: Path) -> LockFile:
        """Read a lock file; one that does not exist has no pins.

        Raises:
            FormatError: it was edited to something that tsws can not read; the message says where.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return cls()
        except UnicodeDecodeError as error:
            raise FormatError(f"{path} is not UTF-8 text: {error.reason}", hint=_REPAIR) from error
        return cls(_parse(path, text))

    def pin_for(self, uri: str) -> Pin | None:
        """What a URI is pinned to, or None when it never was fetched."""
        return self.pins.get(uri)


def add(path: Path, pin: Pin) -> None:
    """Pin one source, in the place of what its URI was pinned to before. See :func:`merge`."""
    merge(path, [pin])


def merge(path: Path, pins: Iterable[Pin]) -> None:
    """Pin sources, each in the place of what its URI was pinned to before.

    Safe from several threads and processes at once; a reader sees the old file or the new one. A file that has
    these pins already is not touched.

    Raises:
        FormatError: the file that is there can not be read.
        OSError: it can not be written.
    """
    # The guard lies where things that are nobody's business lie, not beside the file that people commit.
    with resource_lock(path.parent / ".tsws" / f"{path.name}.guard", timeout=None):
        old = LockFile.load(path).pins
        new = {**old, **{pin.uri: pin for pin in pins}}
        if new != dict(old):
            write_bytes(path, _render(new.values()))


def _render(pins: Iterable[Pin]) -> bytes:
    import tomli_w

    document = {"schema": SCHEMA, "source": [msgspec.to_builtins(pin) for pin in sorted(pins, key=lambda pin: pin.uri)]}
    return (_HEADER + tomli_w.dumps(document)).encode()


def _parse(path: Path, text: str) -> dict[str, Pin]:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        raise FormatError(f"{path}:{line[1] if line else 1}: not TOML: {error}", hint=_REPAIR) from error
    schema = data.get("schema")
    if isinstance(schema, int) and schema > SCHEMA:
        raise FormatError(
            f"{path}: written by a newer tsws (schema {schema}, this one knows {SCHEMA})", hint="update tsws"
        )
    try:
        document = msgspec.convert(data, _Document)
    except msgspec.ValidationError as error:
        raise FormatError(f"{path}:{_line_of(text, str(error))}: {error}", hint=_REPAIR) from error
    pins: dict[str, Pin] = {}
    for index, pin in enumerate(document.source):
        if pin.uri in pins:
            line_number = _line_of(text, f"$.source[{index}]")
            raise FormatError(f"{path}:{line_number}: {pin.uri!r} is pinned twice", hint="remove one of the two")
        pins[pin.uri] = pin
    return pins


def _line_of(text: str, message: str) -> int:
    """The line of what a message of msgspec is about, such as ``... - at `$.source[2].size```."""
    found = re.search(r"\$\.source\[(\d+)\](?:\.(\w+))?", message)
    if found is None:
        return 1
    lines = text.splitlines()
    headers = [number for number, line in enumerate(lines, 1) if re.match(r"\s*\[\[\s*source\s*\]\]", line)]
    if int(found[1]) >= len(headers):
        return 1  # written as an inline array: there is no header to count
    start = headers[int(found[1])]
    for number, line in enumerate(lines[start:], start + 1):
        if line.lstrip().startswith("["):
            break
        if found[2] and re.match(rf"\s*{found[2]}\s*=", line):
            return number
    return start
