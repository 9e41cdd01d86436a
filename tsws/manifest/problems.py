"""What is wrong in a manifest: one value a mistake, and all of them in one report."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from tsws.errors import ManifestError

KeyPath = tuple[str | int, ...]
"""Where a value stands: ``("run", "baby", "max_iters")``; a number is a place in a list, counted from 0."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, order=True)
class Location:
    """A place in a file."""

    file: str
    """Relative to the folder of the manifest; or the override as it was given (``--set run.baby.seed=1``)."""
    line: int | None = None
    """Counted from 1; None when there are no lines."""
    column: int | None = None
    """Counted from 1; known for mistakes of syntax only."""

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)


@dataclass(frozen=True)
class Problem:
    """One mistake (or, among warnings, one remark)."""

    path: KeyPath
    """The key it is about; empty when it is about a whole file."""
    message: str
    """What was expected and what was found."""
    location: Location | None = None
    """Where the key stands; None when the data came from no file."""

    def __str__(self) -> str:
        parts = [str(self.location) if self.location else "", dotted(self.path), self.message]
        return ": ".join(part for part in parts if part)


class MistakesError(ManifestError):
    """A :class:`ManifestError` that has its mistakes as values, too."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(report(self.problems))


def report(problems: Iterable[Problem]) -> str:
    """All mistakes as text, one a line below a line that counts them."""
    lines = [str(problem) for problem in problems]
    count = "a mistake" if len(lines) == 1 else f"{len(lines)} mistakes"
    return "\n".join([f"the manifest has {count}:", *(f"  {line}" for line in lines)])


def dotted(path: KeyPath) -> str:
    """A key path as TOML would write it: ``run."my run".flags[1]``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if _BARE_KEY.fullmatch(part) else quoted(part)
            text += f".{key}" if text else key
    return text


def quoted(text: str) -> str:
    """Text between double quotes, on one line, with everything unprintable escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in escaped) + '"'
