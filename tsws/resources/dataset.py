"""Datasets: stories as text (written here, fetched, or a person's own) or as token shards."""

from __future__ import annotations

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
from tsws.resources.shards import ShardsRule
from tsws.resources.sourcing import Fetching, as_list, estimate_fetch, own_files, unpacked

BUILTIN = "builtin:toy-stories"
TRAIN, VALID = "train", "valid"
"""What the role of a text file begins with: ``train/0000``, ``valid/0000``."""


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
            members = unpacked(making, path, f"{into}/{len(found)}")
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
