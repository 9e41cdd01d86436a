"""Token shards in llama2.c's layout as a dataset: brought, told apart, and chosen for training and validation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tsws.errors import FormatError
from tsws.manifest.shards import parse_shards
from tsws.manifest.specs import DatasetSpec
from tsws.plugin import Plugins
from tsws.reconcile.action import Change, Estimate
from tsws.reconcile.facts import Facts
from tsws.reconcile.record import Record
from tsws.reconcile.resource import BaseRule, Made, Making, Resource, Result
from tsws.reconcile.sources import name_in
from tsws.resources.sourcing import Fetching, as_list, estimate_fetch, unpacked

_SHARD = re.compile(r"data(\d{1,5})\.bin")


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
        return estimate_fetch(self.root, as_list(self.spec.source), change)

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
                members = unpacked(making, path, f"{index}/{number}", alone=True)
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


def chosen_shards(
    address: str, dataset: DatasetSpec, shards: Mapping[int, Path]
) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """The shards for training and those for validation: what the dataset says, else shard 0 and all others.

    Raises:
        FormatError: a shard that is wanted does not exist (the message names those), or none is left for training.
    """
    val = sorted(parse_shards(dataset.val or "0"))
    train = sorted(shards.keys() - val if dataset.train is None else parse_shards(dataset.train))
    missing = [number for number in (*val, *train) if number not in shards]
    if missing:
        names = ", ".join(map(str, missing[:8])) + (f" and {len(missing) - 8} more" if len(missing) > 8 else "")
        raise FormatError(
            f"{address}: its dataset has no shard {names}",
            hint=f"choose `train` and `val` from its shards: {', '.join(map(str, shards))}",
        )
    if not train:
        raise FormatError(
            f"{address}: its dataset has no shard for training beside those for validation",
            hint="add shards, or say with `train` and `val` which ones are for what",
        )
    return tuple(shards[number] for number in train), tuple(shards[number] for number in val)


def _shown(making: Making, path: Path) -> str:
    """A file as a person knows it: by its place in what was fetched, or in the workspace."""
    archives = making.folder / "unpacked"
    if path.is_relative_to(archives):
        return Path(*path.relative_to(archives).parts[2:]).as_posix()  # behind the two numbers that keep them apart
    return path.name if path.is_relative_to(making.folder) else name_in(making.root, path)
