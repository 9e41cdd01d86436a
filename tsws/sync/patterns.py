"""Which paths a sync is about: names and globs, the same on both sides."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from tsws.errors import UsageError
from tsws.io.atomic import TEMPORARY_SUFFIX
from tsws.io.paths import is_relative_inside

_PRIVATE = (".tsws/sync/", ".tsws/tmp/")
"""Files that mean something on their own side only."""
_GLOB = re.compile(r"[*?\[]")


class Selection:
    """The paths that some patterns select.

    A pattern is the path of a file or of a folder with all that lies in it (``.``: everything), or a glob: ``*`` and ``?``
    stand for characters of a name, ``[abc]`` for one of some characters, ``**`` for any folders. A name that begins with a
    dot (``.tsws``, ``.git``) is selected only by a pattern that has it, so no glob brings hooks or records along.

    Args:
        patterns: relative to the workspace and the volume, with ``/``.

    Raises:
        UsageError: a pattern leads out of the workspace.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        self.patterns = tuple(dict.fromkeys(_normal(pattern) for pattern in patterns))
        self._matchers = [(_compiled(pattern), _hidden_parts(pattern)) for pattern in self.patterns]

    def __contains__(self, path: str) -> bool:
        if path.startswith(_PRIVATE) or path.endswith(TEMPORARY_SUFFIX):
            return False
        hidden = _hidden_parts(path)
        return any(matcher.fullmatch(path) and hidden <= named for matcher, named in self._matchers)

    def starts(self) -> tuple[str, ...]:
        """The path or folder before the first glob of each pattern: where to look. Empty text is the top."""
        return tuple(dict.fromkeys(_fixed_part(pattern) for pattern in self.patterns))


def _hidden_parts(path: str) -> frozenset[str]:
    """The names in a path that begin with a dot."""
    return frozenset(part for part in path.split("/") if part.startswith("."))


def _normal(pattern: str) -> str:
    if not is_relative_inside(pattern):
        raise UsageError(f"the path {pattern!r} leads out of the workspace", hint="give it relative to the workspace")
    normal = posixpath.normpath(pattern)
    return "**" if normal == "." else normal


def _fixed_part(pattern: str) -> str:
    parts = pattern.split("/")
    globs = [index for index, part in enumerate(parts) if _GLOB.search(part)]
    return "/".join(parts[: globs[0]] if globs else parts)


def _compiled(pattern: str) -> re.Pattern[str]:
    *folders, last = pattern.split("/")
    start = "".join("(?:[^/]+/)*" if part == "**" else _segment(part) + "/" for part in folders)
    beneath = "" if _GLOB.search(pattern) else "(?:/.*)?"
    return re.compile(start + (".+" if last == "**" else _segment(last)) + beneath, re.DOTALL)


def _segment(part: str) -> str:
    """The expression of one name with globs; a ``[`` that is never closed stands for itself."""
    expression = ""
    position = 0
    while position < len(part):
        character = part[position]
        closing = part.find("]", position + 2) if character == "[" else -1
        if closing > 0:
            inner = part[position + 1 : closing]
            negated = "^" if inner.startswith("!") else ""
            expression += f"(?!/)[{negated}{re.escape(inner.removeprefix('!')).replace(re.escape('-'), '-')}]"
            position = closing + 1
            continue
        expression += {"*": "[^/]*", "?": "[^/]"}.get(character) or re.escape(character)
        position += 1
    return expression
