"""Everything known about one resource, as lines. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from tsws.cli.columns import aligned
from tsws.cli.words import loss_words, moment, value_words
from tsws.io.durations import format_duration
from tsws.io.sizes import format_bytes
from tsws.reconcile.action import Action
from tsws.reconcile.record import Record, short
from tsws.reconcile.resource import Resource
from tsws.workspace.history import RunVersion


def resource_lines(
    resource: Resource, action: Action, record: Record | None, versions: Sequence[RunVersion]
) -> list[str]:
    """Sections with a heading each; those without content are left out.

    Args:
        resource: what is wanted.
        action: what an apply would do to it.
        record: of the last success.
        versions: of a run.
    """
    sections = {
        "identity": _table(resource.identity),
        "operational": _table(resource.operational),
        "made from": _inputs(resource, record),
        "files": _files(record),
        "record": _record(record),
        "versions": _versions(versions),
    }
    lines = [f"{click.style(resource.address, bold=True)}: {action.reason}"]
    if action.hint:
        lines.append(f"{click.style('hint:', fg='cyan')} {action.hint}")
    for title, rows in sections.items():
        if rows:
            lines += ["", click.style(title, underline=True), *(f"  {line}" for line in aligned(rows))]
    return lines


def _table(fields: Mapping[str, Any]) -> list[Sequence[str]]:
    return [(path, value_words(value)) for path, value in sorted(_leaves("", fields))]


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and (value or not path):
        for key, inner in value.items():
            yield from _leaves(f"{path}.{key}" if path else str(key), inner)
    else:
        yield path, value


def _inputs(resource: Resource, record: Record | None) -> list[Sequence[str]]:
    known = {**record.inputs, **record.sources} if record else {}
    wanted = dict.fromkeys([*resource.inputs, *resource.sources, *known])
    return [(name, short(known[name]) if name in known else "") for name in wanted]


def _files(record: Record | None) -> list[Sequence[str]]:
    outputs = record.outputs if record else ()
    return [(one.path, format_bytes(one.size), one.sha256) for one in outputs]


def _record(record: Record | None) -> list[Sequence[str]]:
    if record is None:
        return []
    rows = {
        "fingerprint": record.fingerprint,
        "made": moment(record.made_at),
        "took": format_duration(record.seconds),
        **{key: str(value) for key, value in record.origin.items()},
        **{key: value_words(value) for key, value in record.notes.items()},
    }
    return list(rows.items())


def _versions(versions: Sequence[RunVersion]) -> list[Sequence[str]]:
    return [
        (
            "*" if version.current else " ",
            version.fingerprint,
            f"{version.step}/{version.max_iters}",
            f"val loss {loss_words(version.val_loss)}" if version.val_loss is not None else "unfinished",
            moment(version.made_at),
        )
        for version in versions
    ]
