"""What a tokenization has finished, written down after every shard so that a kill loses one shard at most."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tsws.io.atomic import TEMPORARY_SUFFIX
from tsws.text.shards import shard_name, shards_in

JOURNAL = "journal.json"
"""Its name in the work folder."""


class FinishedShard(msgspec.Struct, frozen=True):
    """A finished shard."""

    number: int
    tokens: int
    stories: int


class Journal(msgspec.Struct, frozen=True):
    """What stands in the work folder: written after each shard."""

    inputs: str
    """Digest of everything that the shards are made from."""
    shards: tuple[FinishedShard, ...] = ()

    def with_shard(self, shard: FinishedShard) -> Journal:
        """The journal after one more shard."""
        return Journal(self.inputs, (*self.shards, shard))

    def encoded(self) -> bytes:
        """The journal as it stands in the file."""
        return msgspec.json.encode(self)


def resumed(folder: Path, inputs: str) -> Journal:
    """The journal of an interrupted call with the same inputs, or a new one; whatever else lies in the folder goes."""
    folder.mkdir(parents=True, exist_ok=True)
    journal = Journal(inputs)
    try:
        found = msgspec.json.decode((folder / JOURNAL).read_bytes(), type=Journal)
    except (FileNotFoundError, msgspec.DecodeError):
        found = journal
    if found.inputs == inputs:
        shards = shards_in(folder)
        whole = [
            shard.number == place and shard.number in shards and shards[shard.number].stat().st_size == 2 * shard.tokens
            for place, shard in enumerate(found.shards)
        ]
        journal = Journal(inputs, found.shards[: whole.index(False) if False in whole else None])
    kept = {shard_name(shard.number) for shard in journal.shards}
    for path in folder.glob("data*.bin"):
        if path.name not in kept:
            path.unlink()
    for path in folder.glob(f".*{TEMPORARY_SUFFIX}"):
        path.unlink()
    return journal
