"""Which keys name other entries, and what they name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tsws.manifest.problems import Problem, quoted
from tsws.manifest.words import did_you_mean, nearest

REFERENCES: Mapping[str, Mapping[str, str]] = {
    "dataset": {"tokenizer": "tokenizer"},
    "tokenizer": {"train": "dataset"},
    "model": {"tokenizer": "tokenizer"},
    "run": {"model": "model", "dataset": "dataset", "tokenizer": "tokenizer", "volume": "volume"},
    "export": {"run": "run"},
}
"""Table to key to the table of what it names. ``[run.*] backend`` may also name what has no table."""

Names = Mapping[str, frozenset[str]]
"""Which names each table declares."""
Node = tuple[str, str]
"""An entry: its table and its name."""


def bare_name(reference: str, table: str, names: Names) -> str:
    """``tiny`` for ``tiny`` and for ``model.tiny``; anything else as it is."""
    prefix = f"{table}."
    if reference not in names[table] and reference.startswith(prefix):
        return reference.removeprefix(prefix)
    return reference


def with_bare_references(table: str, entry: Mapping[str, Any], names: Names) -> dict[str, Any]:
    """A copy of an entry in which every reference is a bare name."""
    keys = dict(REFERENCES.get(table, {}))
    if table == "run":
        keys["backend"] = "backend"
    return {
        key: bare_name(value, keys[key], names) if key in keys and isinstance(value, str) else value
        for key, value in entry.items()
    }


def entries(data: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """All entries with references: table, name, plain data. What has no such shape is left out."""
    for table in REFERENCES:
        section = data.get(table)
        for name, entry in section.items() if isinstance(section, dict) else ():
            if isinstance(entry, dict):
                yield table, name, entry


def named_by(table: str, entry: Mapping[str, Any], names: Names) -> Iterator[tuple[str, Node]]:
    """The references of an entry: the key, and what it names (which need not exist)."""
    for key, target in REFERENCES.get(table, {}).items():
        value = entry.get(key)
        if isinstance(value, str):
            yield key, (target, bare_name(value, target, names))


def check_references(data: Mapping[str, Any], names: Names) -> list[Problem]:
    """References to what is not there, and circles of references."""
    problems = []
    for table, name, entry in entries(data):
        for key, (target, wanted) in named_by(table, entry, names):
            if wanted not in names[target]:
                message = f"there is no {target} {quoted(wanted)}{_where_else(target, wanted, names)}"
                problems.append(Problem((table, name, key), message))
    return problems + _circles(data, names)


def _where_else(target: str, wanted: str, names: Names) -> str:
    if nearest(wanted, names[target]) is None:
        table, _, rest = wanted.partition(".")
        if rest in names.get(table, ()):
            return f": that is a {table}, and a {target} is expected"
        if not names[target]:
            return f": add a table [{target}.{wanted}]"
    return did_you_mean(wanted, names[target])


def _circles(data: Mapping[str, Any], names: Names) -> list[Problem]:
    edges: dict[Node, list[tuple[str, Node]]] = {
        (table, name): list(named_by(table, entry, names)) for table, name, entry in entries(data)
    }
    problems: list[Problem] = []
    done: set[Node] = set()

    def visit(node: Node, trail: list[Node]) -> None:
        if node in done:
            return
        for key, wanted in edges.get(node, ()):
            if wanted in (*trail, node):
                circle = [*trail, node][[*trail, node].index(wanted) :]
                way = " -> ".join(".".join(step) for step in (*circle, wanted))
                problems.append(Problem((*node, key), f"each needs the other first: {way}"))
            else:
                visit(wanted, [*trail, node])
        done.add(node)

    for node in edges:
        visit(node, [])
    return problems
