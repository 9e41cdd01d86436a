"""Outputs that fall on each other, on a name that is taken, or on what is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import combinations
from pathlib import PurePosixPath
from typing import Any

from tsws.manifest import outputs, sources
from tsws.manifest.problems import KeyPath, Problem, quoted
from tsws.manifest.specs import Manifest
from tsws.manifest.stated_paths import check_stated_paths, included_manifests, taken
from tsws.plugin import Plugins


@dataclass(frozen=True)
class Claim:
    """One place that an entry writes to."""

    owner: KeyPath
    """The entry: its table and name."""
    key: str
    """The key that says where."""
    path: PurePosixPath
    folder: bool = False
    exclusive: bool = True
    """Whether a folder is its owner's alone; a run's folder may hold what other entries write."""
    is_given: bool = False
    """Whether the file is the source itself, as it was given."""


def check_collisions(manifest: Manifest, data: Mapping[str, Any], plugins: Plugins) -> Iterator[Problem]:
    """All that is wrong with where things are written."""
    included = included_manifests(data)
    faults = check_stated_paths(data, included)
    yield from faults
    nowhere = {problem.path[:2] for problem in faults}  # what makes no sense by itself is not compared
    claims = [claim for claim in _claims(manifest, plugins, nowhere) if claim.owner not in nowhere]
    yield from _check_taken(claims, included)
    yield from _check_each_other(claims)
    yield from _check_read_back(claims, manifest)


def _claims(manifest: Manifest, plugins: Plugins, nowhere: set[KeyPath]) -> Iterator[Claim]:
    for name, dataset in manifest.dataset.items():
        owner: KeyPath = ("dataset", name)
        yield Claim(owner, "path", outputs.dataset_folder(name, dataset), folder=True)
    for name, tokenizer in manifest.tokenizer.items():
        owner = ("tokenizer", name)
        if owner not in nowhere:
            paths = outputs.tokenizer_paths(name, tokenizer)
            yield Claim(owner, "path", paths.model, is_given=tokenizer.source is not None)
            yield from (Claim(owner, "path", path) for path in (paths.vocab, paths.bin))
    for name, model in manifest.model.items():
        if model.source is not None:
            yield Claim(("model", name), "path", outputs.model_path(name, model), is_given=True)
    for name, program in outputs.all_programs(manifest).items():
        owner = ("program", name)
        if owner not in nowhere:
            files = outputs.program_paths(name, program)
            yield from (Claim(owner, "path", path) for path in (files.executable, files.source))
    for name, run in manifest.run.items():
        out = outputs.run_out(name, run)
        yield Claim(("run", name), "out", out, folder=True, exclusive=False)
        yield from (Claim(("run", name), "out", out / file) for file in outputs.RUN_FILES)
    for name, export in outputs.all_exports(manifest).items():
        exporter = plugins.exporters.get(export.format)
        declared = name in manifest.export
        placed = export.path is not None or (exporter is not None and ("run", export.run) not in nowhere)
        if placed and export.run in manifest.run:
            path = outputs.export_path(name, export, manifest, exporter.suffix if exporter else "")
            yield Claim(("export", name) if declared else ("run", name), "path" if declared else "out", path)


def _check_taken(claims: list[Claim], included: frozenset[PurePosixPath]) -> Iterator[Problem]:
    """What falls on a name that is taken without being stated, such as the ``.vocab`` of a tokenizer."""
    for claim in claims:
        if fault := taken(claim.path, included):
            yield Problem((*claim.owner, claim.key), fault)


def _check_each_other(claims: list[Claim]) -> Iterator[Problem]:
    seen: set[tuple[KeyPath, KeyPath]] = set()
    for one, other in combinations(claims, 2):
        pair = (one.owner, other.owner)
        if one.owner != other.owner and pair not in seen and (meeting := _meet(one, other)):
            seen.add(pair)
            address = ".".join(str(part) for part in one.owner)
            message = f"{meeting} {address} writes; give one of them another `{other.key}`"
            yield Problem((*other.owner, other.key), message)


def _meet(one: Claim, other: Claim) -> str | None:
    """How two claims are in each other's way, or None."""
    if one.path == other.path:
        return f"writes {quoted(str(other.path))}, which also"
    for outer, inner in ((one, other), (other, one)):
        if (not outer.folder or outer.exclusive) and inner.path.is_relative_to(outer.path):
            kind = "folder" if outer.folder else "file"
            return f"{quoted(str(inner.path))} would lie in the {kind} {quoted(str(outer.path))}, which"
    return None


def _check_read_back(claims: list[Claim], manifest: Manifest) -> Iterator[Problem]:
    for path, source in sources.all_sources(manifest):
        pattern = PurePosixPath(source).parts
        for claim in claims:
            if sources.is_local(source) and _reads(pattern, claim) and not _is_at_its_place(path, source, claim):
                address = ".".join(str(part) for part in claim.owner)
                message = f"{quoted(source)} would read what {address} writes: {quoted(str(claim.path))}"
                yield Problem(path, f"{message}; keep them apart, by another `{claim.key}` for instance")
                break


def _is_at_its_place(path: KeyPath, source: str, claim: Claim) -> bool:
    """Whether a finished tokenizer or model is read where it would be written: then it stays as it is."""
    return claim.owner == path[:2] and claim.is_given and PurePosixPath(source) == claim.path


def _reads(pattern: tuple[str, ...], claim: Claim) -> bool:
    """Whether a glob, in parts, can match a claimed file or something in a folder that is its owner's alone."""
    places = _at_or_behind_stars(pattern, {0})
    for part in claim.path.parts:
        steps = {(at, pattern[at]) for at in places if at < len(pattern)}
        moved = {at if glob == "**" else at + 1 for at, glob in steps if glob == "**" or fnmatchcase(part, glob)}
        places = _at_or_behind_stars(pattern, moved)
    if claim.folder:
        return claim.exclusive and any(at < len(pattern) for at in places)
    return len(pattern) in places


def _at_or_behind_stars(pattern: tuple[str, ...], places: set[int]) -> set[int]:
    """``**`` matches no folder as well as many, so every place at one is also a place behind it."""
    reached = set(places)
    for at, glob in enumerate(pattern):
        if at in reached and glob == "**":
            reached.add(at + 1)
    return reached
