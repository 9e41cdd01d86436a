"""Which keys name other entries, and what they name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
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
    needs: dict[Node, dict[Node, str]] = {
        (table, name): {wanted: key for key, wanted in named_by(table, entry, names)}
        for table, name, entry in entries(data)
    }
    problems = []
    while circle := _a_circle(needs):
        key = needs[circle[0]].pop(circle[1])
        way = " -> ".join(".".join(node) for node in circle)
        problems.append(Problem((*circle[0], key), f"each needs the other first: {way}"))
    return problems


def _a_circle(needs: Mapping[Node, Mapping[Node, str]]) -> list[Node]:
    """Entries of which each needs the next, the last being the first again; or none."""
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        circle: list[Node] = list(reversed(error.args[1]))[1:]
        first = circle.index(min(circle))
        return [*circle[first:], *circle[: first + 1]]
    return []
