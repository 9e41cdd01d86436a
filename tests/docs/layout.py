"""The layout of a workspace as the page of the files has it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs.pages import page

FILES = page("docs/files.md")
_PLACEHOLDER = re.compile(r"[A-Z]{3,}|NN")


def patterns() -> list[re.Pattern[str]]:
    """One for each path in the two tables: words in capitals stand for one name, ``...`` for anything."""
    found = []
    for part in ("## A workspace", "## `.tsws/`"):
        for row in re.findall(r"^\| (`.+?`) \|", FILES.part(part).text, re.MULTILINE):
            found += [_pattern(path) for path in re.findall(r"`([^`]+)`", row)]
    return found


def _pattern(path: str) -> re.Pattern[str]:
    whole = re.escape(path)
    return re.compile(_PLACEHOLDER.sub("[^/]+", whole).replace(re.escape("..."), ".+"))


def unlisted(root: Path, *own: str) -> list[str]:
    """Files of a workspace that the page does not name.

    Args:
        root: the workspace.
        own: names of folders and files that a person made.
    """
    names = (path.relative_to(root).as_posix() for path in sorted(root.rglob("*")) if path.is_file())
    known = patterns()
    return [
        name
        for name in names
        if name.partition("/")[0] not in own and not any(pattern.fullmatch(name) for pattern in known)
    ]
