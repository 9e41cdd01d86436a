"""On which line of a TOML text each key stands.

``tomllib`` gives values without places, so this walks over a text that ``tomllib`` has accepted and only
looks for keys; it does not check anything again. The grammar is that of https://toml.io/en/v1.0.0.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right

from tsws.manifest.problems import KeyPath

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})'  # up to two quotes may stand directly before the closing ones
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\n]*")


def key_positions(text: str) -> dict[KeyPath, int]:
    """The line (from 1) of every key, table and list item of a valid TOML text.

    A table that is only named as part of another's name (``[a.b]`` names ``a``) has the line of that name.
    """
    scanner = _Scanner(text)
    scanner.document()
    return scanner.lines


def scan_key(text: str, start: int = 0) -> tuple[tuple[str, ...], int]:
    """The parts of the dotted key that begins at ``start``, and where it ends.

    Raises:
        ValueError: there is no key.
    """
    parts: list[str] = []
    at = start
    while True:
        at = _end(_SPACE, text, at)
        if match := _BARE_KEY.match(text, at):
            parts.append(match[0])
        elif (match := _STRING.match(text, at)) and not match[0].startswith(('"""', "'''")):
            parts.append(tomllib.loads(f"key = {match[0]}")["key"])
        else:
            raise ValueError(f"no key at {at}")
        at = _end(_SPACE, text, match.end())
        if not text.startswith(".", at):
            return tuple(parts), at
        at += 1


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[KeyPath, int] = {}
        self.lengths: dict[KeyPath, int] = {}
        """How many ``[[tables]]`` of each name there were so far."""
        self.newlines = [match.start() for match in re.finditer("\n", text)]

    def document(self) -> None:
        table: KeyPath = ()
        while True:
            self.skip(_BLANK)
            if self.at >= len(self.text):
                return
            start = self.at
            if self.text.startswith("[", start):
                repeated = self.text.startswith("[[", start)
                self.at += 2 if repeated else 1
                table = self.header(self.key(), start, repeated=repeated)
                self.at += 2 if repeated else 1
            else:
                self.pair(table)

    def header(self, parts: tuple[str, ...], start: int, *, repeated: bool) -> KeyPath:
        """Record ``[parts]`` or ``[[parts]]``; the path of the table that begins."""
        path: KeyPath = ()
        for part in parts[:-1]:
            path = self.latest((*path, part))
            self.record(path, start, keep=True)
        path = (*path, parts[-1])
        if repeated:
            self.lengths[path] = self.lengths.get(path, 0) + 1
            self.record(path, start, keep=True)
        path = self.latest(path)
        self.record(path, start)
        return path

    def latest(self, path: KeyPath) -> KeyPath:
        """In a list of tables, a header means the last of them."""
        return (*path, self.lengths[path] - 1) if path in self.lengths else path

    def pair(self, table: KeyPath) -> None:
        start = self.at
        parts = self.key()
        for end in range(1, len(parts)):
            self.record((*table, *parts[:end]), start, keep=True)
        path = (*table, *parts)
        self.record(path, start)
        self.at += 1  # the equals sign
        self.skip(_SPACE)
        self.value(path)

    def value(self, path: KeyPath) -> None:
        if self.text.startswith("[", self.at):
            self.items(path)
        elif self.text.startswith("{", self.at):
            self.inline_table(path)
        else:
            self.skip(_STRING if self.text.startswith(('"', "'"), self.at) else _SCALAR)

    def items(self, path: KeyPath) -> None:
        index = 0
        while self.inside("]"):
            self.record((*path, index), self.at)
            self.value((*path, index))
            index += 1

    def inline_table(self, path: KeyPath) -> None:
        while self.inside("}"):
            self.pair(path)

    def inside(self, closing: str) -> bool:
        """Step over an opening bracket or a comma; False (and behind the bracket) at the closing one."""
        self.skip(_BLANK)
        if not self.text.startswith(closing, self.at):
            self.at += 1
            self.skip(_BLANK)
        if self.text.startswith(closing, self.at):
            self.at += 1
            return False
        return True

    def key(self) -> tuple[str, ...]:
        parts, self.at = scan_key(self.text, self.at)
        return parts

    def skip(self, pattern: re.Pattern[str]) -> None:
        self.at = _end(pattern, self.text, self.at)

    def record(self, path: KeyPath, offset: int, *, keep: bool = False) -> None:
        line = bisect_right(self.newlines, offset - 1) + 1
        if keep:
            self.lines.setdefault(path, line)
        else:
            self.lines[path] = line


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at
