"""Datasets: stories as text (written here, fetched, or a person's own) or as token shards."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsws.errors import FormatError
from tsws.manifest.outputs import dataset_folder
from tsws.manifest.specs import DatasetSpec
from tsws.plugin import Plugins
from tsws.reconcile.action import Change, Estimate
from tsws.reconcile.facts import Facts
from tsws.reconcile.record import Record
from tsws.reconcile.resource import BaseRule, Made, Making, Resource, Result
from tsws.reconcile.sources import name_in
from tsws.resources.sourcing import Fetching, as_list, estimate_fetch, own_files

BUILTIN = "builtin:toy-stories"
TRAIN, VALID = "train", "valid"
"""What the role of a text file begins with: ``train/0000``, ``valid/0000``."""
_SHARD = re.compile(r"data(\d{1,5})\.bin")


def dataset_resource(name: str, spec: DatasetSpec, plugins: Plugins, root: Path) -> Resource:
    """The resource of one ``[dataset.NAME]``."""
    folder = str(dataset_folder(name, spec))
    if spec.source == BUILTIN:
        return Resource(
            address=f"dataset.{name}",
            rule=ToyStoriesRule(folder),
            identity={"source": BUILTIN, "stories": spec.stories, "seed": spec.seed},
            outputs=(f"{folder}/train.txt", f"{folder}/valid.txt"),
            on_demand=True,
        )
    rule = ShardsRule if spec.format == "shards" else TextRule
    return Resource(
        address=f"dataset.{name}",
        rule=rule(spec, folder, plugins, root),
        identity={
            "format": spec.format,
            "source": list(as_list(spec.source)),
            "val_source": list(as_list(spec.val_source or ())),
            "sha256": spec.sha256,
        },
        operational={"path": folder},
        sources=(*own_files(spec.source), *own_files(spec.val_source)),
        on_demand=True,
    )


@dataclass(frozen=True)
class ToyStoriesRule(BaseRule):
    """``builtin:toy-stories``: the seeded grammar in the package writes them."""

    folder: str

    version = 1

    def make(self, making: Making) -> Result:
        """Write the two files; the grammar's entropy is kept in the notes."""
        from tsws.text.toy_stories import DEFAULT_STORIES, write_toy_stories

        identity = making.resource.identity
        train, valid = making.folder / "train.txt", making.folder / "valid.txt"
        stats = write_toy_stories(
            train,
            valid,
            stories=identity["stories"] or DEFAULT_STORIES,
            seed=identity["seed"],
            progress=making.progress("writing toy stories", "stories"),
            stop=making.stop,
        )
        files = [
            Made(f"{TRAIN}/0000", train, f"{self.folder}/train.txt"),
            Made(f"{VALID}/0000", valid, f"{self.folder}/valid.txt"),
        ]
        notes = {
            "stories": stats.train.stories + stats.valid.stories,
            "characters": stats.train.characters + stats.valid.characters,
            "entropy_floor_nats_per_character": stats.nats_per_character,
        }
        return Result(files, notes)


@dataclass(frozen=True)
class TextRule(BaseRule):
    """Text or JSON: a person's own files stay where they are, others are fetched and unpacked."""

    spec: DatasetSpec
    folder: str
    plugins: Plugins
    root: Path

    version = 1

    def estimate(self, resource: Resource, change: Change, facts: Facts) -> Estimate | None:  # noqa: ARG002
        """What is to be fetched."""
        return estimate_fetch(self.root, _all_sources(self.spec), change)

    def make(self, making: Making) -> Result:
        """Bring every source; roles number the files of the two parts in the order of the manifest."""
        files = list(self._part(making, TRAIN, self.spec.source))
        if self.spec.val_source is not None:
            files += self._part(making, VALID, self.spec.val_source)
        return Result(files)

    def _part(self, making: Making, part: str, sources: str | Sequence[str]) -> Iterator[Made]:
        number = 0
        for index, source in enumerate(as_list(sources)):
            for path in self._files(making, source, f"{part}-{index}"):
                role = f"{part}/{number:04d}"
                number += 1
                if path.is_relative_to(making.folder):
                    yield Made(role, path, f"{self.folder}/{part}-{number - 1:04d}-{path.name}")
                else:
                    yield Made(role, path, owned=False)

    def _files(self, making: Making, source: str, into: str) -> list[Path]:
        suffixes = (".json", ".json.gz") if self.spec.format == "json" else (".txt", ".txt.gz")
        found: list[Path] = []
        sha256 = self.spec.sha256 if len(_all_sources(self.spec)) == 1 else None
        for path in Fetching(self.plugins).bring(making, source, sha256=sha256, into=into):
            members = _unpacked(making, path, f"{into}/{len(found)}")
            chosen = [path]
            if members is not None:
                chosen = [member for member in members if member.name.lower().endswith(suffixes)]
            if not chosen:
                raise FormatError(
                    f"{making.resource.address}: {path.name} holds no {' or '.join(suffixes)} file",
                    hint="set `format`, or name another source",
                )
            found += chosen
        return found


@dataclass(frozen=True)
class ShardsRule(BaseRule):
    """Token shards in llama2.c's layout, from an archive or from files."""

    spec: DatasetSpec
    folder: str
    plugins: Plugins
    root: Path

    version = 1

    def estimate(self, resource: Resource, change: Change, facts: Facts) -> Estimate | None:  # noqa: ARG002
        """What is to be fetched."""
        return estimate_fetch(self.root, _all_sources(self.spec), change)

    def make(self, making: Making) -> Result:
        """Bring and unpack the shards, and check that they are some."""
        from tsws.text.shards import open_shard

        found: dict[int, Path] = {}
        for path in self._files(making):
            number = shard_number(path.name)
            if number is None:
                continue
            open_shard(path)
            if (other := found.setdefault(number, path)) != path:
                raise FormatError(
                    f"{making.resource.address}: there are two shards {number}: {_shown(making, other)} and"
                    f" {_shown(making, path)}",
                    hint="every shard of a dataset needs a number of its own; rename the files, or leave some out",
                )
        if not found:
            raise FormatError(
                f"{making.resource.address}: there are no shards (data00.bin, ...) in {', '.join(as_list(self.spec.source))}",
                hint="name an archive with llama2.c's token shards, a folder (`shards/`) or a glob (`shards/*.bin`)",
            )
        files = [self._made(making, path) for path in found.values()]
        return Result(sorted(files, key=lambda made: made.role), {"shards": len(files)})

    def _files(self, making: Making) -> Iterator[Path]:
        for index, source in enumerate(as_list(self.spec.source)):
            paths = Fetching(self.plugins).bring(making, source, sha256=self.spec.sha256, into=str(index))
            for number, path in enumerate(paths):
                members = _unpacked(making, path, f"{index}/{number}", alone=True)
                yield from [path] if members is None else members

    def _made(self, making: Making, path: Path) -> Made:
        inside = path.is_relative_to(making.folder)
        return Made(path.name, path, f"{self.folder}/{path.name}" if inside else None, owned=inside)


def shard_number(name: str) -> int | None:
    """7 of ``data07.bin``; None for a file that is no shard by its name."""
    match = _SHARD.fullmatch(name)
    return int(match[1]) if match else None


def shard_files(record: Record, root: Path) -> dict[int, Path]:
    """The shards of a ``shards`` dataset by number, in ascending order."""
    found = {shard_number(output.role): root / output.path for output in record.outputs}
    return {number: found[number] for number in sorted(number for number in found if number is not None)}


def text_files(record: Record, root: Path, part: str) -> list[Path]:
    """The files of one part (``train`` or ``valid``) of a text dataset, in order."""
    return [root / output.path for output in _of_part(record, part)]


def has_validation(record: Record) -> bool:
    """Whether a text dataset has validation files of its own."""
    return bool(_of_part(record, VALID))


def _of_part(record: Record, part: str) -> list[Any]:
    return sorted(
        (output for output in record.outputs if output.role.startswith(f"{part}/")), key=lambda output: output.role
    )


def floor_of(record: Record) -> float | None:
    """Entropy of the dataset's text in nats a character, where it is known exactly."""
    value: Mapping[str, Any] = record.notes
    floor = value.get("entropy_floor_nats_per_character")
    return float(floor) if floor is not None else None


def _all_sources(spec: DatasetSpec) -> tuple[str, ...]:
    return (*as_list(spec.source), *as_list(spec.val_source or ()))


def _shown(making: Making, path: Path) -> str:
    """A file as a person knows it: by its place in what was fetched, or in the workspace."""
    unpacked = making.folder / "unpacked"
    if path.is_relative_to(unpacked):
        return Path(*path.relative_to(unpacked).parts[2:]).as_posix()
    return path.name if path.is_relative_to(making.folder) else name_in(making.root, path)


def _unpacked(making: Making, path: Path, into: str, *, alone: bool = False) -> list[Path] | None:
    """The files in an archive, in a folder of its own; None for a file that is none.

    A lone ``.gz`` is no archive unless ``alone`` says so: texts are read as they are.
    """
    from tsws.io.archives import is_archive, unpack

    lone = path.suffix == ".gz" and not path.name.lower().endswith((".tar.gz", ".tgz"))
    if not is_archive(path.name) or (lone and not alone):
        return None
    folder = making.folder / "unpacked" / into / path.name
    members = sorted(unpack(path, folder, progress=making.progress(f"unpacking {path.name}", "B")))
    if path.is_relative_to(making.folder):
        path.unlink()
    return members
