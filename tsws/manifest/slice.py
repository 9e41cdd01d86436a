"""The part of a manifest that some addresses need: what travels in a job."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

from tsws.manifest.references import REFERENCES, Node
from tsws.manifest.specs import TABLES, Manifest


def slice_manifest(data: dict[str, Any], manifest: Manifest, addresses: Sequence[str]) -> dict[str, Any]:
    """Only the entries that the addresses need, by reference, and theirs in turn.

    Args:
        data: the whole manifest as plain data (``Loaded.data``).
        manifest: the same, checked.
        addresses: of resources, declared or implied: ``run.baby``, ``export.baby``, ``tokens.mine.tok105``...

    Returns:
        Plain data of its own; ``load_data`` makes the same specs of it. What names no entry (an
        implied program) adds nothing.
    """
    waiting = [node for address in addresses for node in _entries_of(address, manifest)]
    wanted: set[Node] = set()
    while waiting:
        node = waiting.pop()
        if node not in wanted:
            wanted.add(node)
            waiting += _needs(node, manifest)
    part: dict[str, Any] = {"workspace": {"name": manifest.workspace.name}}
    for table in (*TABLES, *manifest.plugin):
        entries = {name: entry for name, entry in data.get(table, {}).items() if (table, name) in wanted}
        if entries:
            part[table] = copy.deepcopy(entries)
    return part


def _entries_of(address: str, manifest: Manifest) -> Iterator[Node]:
    """The entries behind an address."""
    table, _, name = address.partition(".")
    if name in _section(table, manifest):
        yield table, name
    elif table == "export" and name in manifest.run:
        yield "run", name
    elif table == "tokens":
        for dataset in manifest.dataset:
            for tokenizer in manifest.tokenizer:
                if name == f"{dataset}.{tokenizer}":
                    yield from (("dataset", dataset), ("tokenizer", tokenizer))


def _section(table: str, manifest: Manifest) -> dict[str, Any]:
    section: dict[str, Any] = getattr(manifest, table) if table in TABLES else manifest.plugin.get(table, {})
    return section


def _needs(node: Node, manifest: Manifest) -> Iterator[Node]:
    table, name = node
    spec = _section(table, manifest)[name]
    for key, target in REFERENCES.get(table, {}).items():
        if (value := getattr(spec, key)) is not None:
            yield target, value
    if table == "run" and spec.backend in manifest.backend:
        yield "backend", spec.backend
