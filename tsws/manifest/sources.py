"""What a ``source`` can be: a builtin, a URI, or a path (or glob) relative to the workspace."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tsws.manifest.problems import KeyPath, quoted
from tsws.manifest.specs import Manifest
from tsws.manifest.words import did_you_mean

BUILTIN = "builtin:"
"""What the source of stories begins with that the package itself writes."""
BUILTINS = ("toy-stories",)
"""Their names."""
NATIVE = "native"
"""The source of the program that comes with tsws."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")  # two characters at least: `C:` is a drive


def scheme(source: str) -> str | None:
    """``https`` of ``https://example.org/x``; None when the source is a path."""
    match = _SCHEME.match(source)
    return match[1].lower() if match else None


def is_local(source: str) -> bool:
    """Whether a source is a path (or glob), relative to the workspace."""
    return scheme(source) is None


def as_list(source: str | list[str] | None) -> list[str]:
    """One source, several or none, as a list."""
    if source is None:
        return []
    return [source] if isinstance(source, str) else source


def fault(source: str) -> str | None:
    """What is wrong with a source as a text, or None."""
    if not source.strip() or not source.isprintable():
        return f"expected a path or URI, found {quoted(source)}"
    if source.startswith(BUILTIN):
        name = source.removeprefix(BUILTIN)
        if name not in BUILTINS:
            return f"nothing called {quoted(name)} is built in{did_you_mean(name, BUILTINS)}"
    return None


def all_sources(manifest: Manifest) -> Iterator[tuple[KeyPath, str]]:
    """Every source, and the key that says it."""
    for name, dataset in manifest.dataset.items():
        for key, value in (("source", dataset.source), ("val_source", dataset.val_source)):
            for index, source in enumerate(as_list(value)):
                path: KeyPath = ("dataset", name, key)
                yield (*path, index) if isinstance(value, list) else path, source
    for table, entries in (("tokenizer", manifest.tokenizer), ("model", manifest.model), ("program", manifest.program)):
        for name, spec in entries.items():
            if spec.source is not None and (table, spec.source) != ("program", NATIVE):
                yield (table, name, "source"), spec.source
