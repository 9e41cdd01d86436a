"""Loading: from a file (or plain data) to a checked manifest, or to one report of all mistakes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tsws.manifest.convert import convert
from tsws.manifest.crosscheck import crosscheck
from tsws.manifest.document import Document, read_document
from tsws.manifest.extensions import check_run_backends, check_schemes
from tsws.manifest.overrides import OPTION
from tsws.manifest.parse import check_depth
from tsws.manifest.problems import MistakesError, Problem, dotted, quoted
from tsws.manifest.references import check_references
from tsws.manifest.specs import TABLES, Manifest
from tsws.manifest.words import did_you_mean, nearest
from tsws.plugin import Plugins


@dataclass(frozen=True)
class Loaded:
    """A manifest that was read from a file."""

    manifest: Manifest
    """Checked, and with all references as bare names."""
    data: dict[str, Any]
    """The same as plain TOML data: includes merged, overrides applied."""
    warnings: tuple[str, ...] = ()
    """What is no mistake but will not work as it is, such as a plugin that is not installed."""


def load(path: Path, *, overrides: Sequence[str] = (), plugins: Plugins) -> Loaded:
    """Read and check a manifest.

    Args:
        path: of the ``tinystories.toml``.
        overrides: ``KEY=VALUE``, such as ``run.baby.max_iters=2000`` or ``run.baby.backend=local``.
        plugins: whose options are checked, too.

    Raises:
        ManifestError: the file is missing, or something in it is wrong; the message lists every mistake.
    """
    document = read_document(path, overrides)
    manifest, warnings = _check(document.data, plugins, document)
    return Loaded(manifest, document.data, tuple(str(warning) for warning in warnings))


def load_data(data: dict[str, Any], *, plugins: Plugins) -> Manifest:
    """Check plain data that came from no file: a job's part of a manifest.

    Raises:
        ManifestError: something in it is wrong; the message lists every mistake.
    """
    if problem := check_depth(data):
        raise MistakesError([problem])
    manifest, _ = _check(data, plugins, None)
    return manifest


def _check(data: dict[str, Any], plugins: Plugins, document: Document | None) -> tuple[Manifest, list[Problem]]:
    converted = convert(data, plugins)
    problems = [
        *converted.problems,
        *check_references(data, converted.names),
        *crosscheck(converted.manifest, data, converted.names, plugins),
    ]
    if problems:
        raise MistakesError(_ordered(_without_consequences(problems, data, document), document))
    remarks = [
        *converted.warnings,
        *check_run_backends(data, converted.names["backend"], plugins),
        *check_schemes(converted.manifest, plugins),
    ]
    return converted.manifest, _ordered(remarks, document)


def _without_consequences(
    problems: Sequence[Problem], data: Mapping[str, Any], document: Document | None
) -> list[Problem]:
    """An override of an entry that does not exist makes a new one, which lacks everything: only the name is wrong."""
    kept: list[Problem] = []
    for problem in problems:
        entry = problem.path[:2]
        place = document.locate(entry) if document else None
        if len(entry) == 2 and entry[0] in TABLES and place is not None and place.file.startswith(OPTION):
            table, name = str(entry[0]), str(entry[1])
            others = data[table].keys() - {name} if isinstance(data[table], dict) else ()
            if nearest(name, others):
                problem = Problem(entry, f"there is no {table} {quoted(name)}{did_you_mean(name, others)}")
        kept.append(problem)
    return kept


def _ordered(problems: Iterable[Problem], document: Document | None) -> list[Problem]:
    """Each once, with its place, in the order in which they stand in the files."""
    if document is None:
        return sorted(dict.fromkeys(problems), key=lambda problem: dotted(problem.path))
    files = {name: index for index, name in enumerate(document.order)}
    located = [replace(problem, location=document.locate(problem.path)) for problem in dict.fromkeys(problems)]

    def place(problem: Problem) -> tuple[int, int, str]:
        location = problem.location
        if location is None:
            return len(files), 0, dotted(problem.path)
        return files.get(location.file, len(files)), location.line or 0, dotted(problem.path)

    return sorted(located, key=place)
