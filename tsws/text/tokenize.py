"""Stories to shards, in constant memory; what a kill interrupts goes on after the last finished shard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np

from tsws.errors import FormatError, InterruptedByUser, TswsError
from tsws.io.atomic import atomic_writer, write_bytes
from tsws.io.digest import digest_value, sha256_file
from tsws.text.corpus import Format, split, stories_of
from tsws.text.encode import Encoder, Tokens, encoder_of
from tsws.text.shard_journal import JOURNAL, FinishedShard, Journal, resumed
from tsws.text.shards import BOS_ID, shard_name

Progress = Callable[[float, float | None], None]
"""Told how much is done, and of how much (None: unknown)."""

RULE_VERSION = 1
"""Goes up when the same stories would give other shards."""

SHARD_TOKENS = 1 << 24
"""A training shard ends with the story that brings it to so many tokens (32 MiB)."""

_BATCH_CHARACTERS = 1 << 19
_ALL = 1 << 62


@dataclass(frozen=True)
class _Part:
    """The stories of the validation or of the training shards."""

    name: Literal["val", "train"]
    files: Sequence[Path]
    format: Format
    val_fraction: float | None
    """None: all stories of the files belong to this part."""

    def stories(self, on_read: Callable[[int], None]) -> Iterator[str]:
        every = self._every(on_read)
        return every if self.val_fraction is None else split(every, self.val_fraction, self.name)

    def _every(self, on_read: Callable[[int], None]) -> Iterator[str]:
        before = 0
        for path in self.files:
            yield from stories_of(path, self.format, on_read=_behind(before, on_read))
            before += path.stat().st_size

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(path.stat().st_size for path in self.files)


def tokenize(
    train: Sequence[Path],
    valid: Sequence[Path] | None,
    *,
    tokenizer: Path,
    folder: Path,
    format: Format = "text",
    val_fraction: float = 0.05,
    shard_tokens: int = SHARD_TOKENS,
    threads: int = 1,
    progress: Progress | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> list[Path]:
    """Write the shards of stories: ``data00.bin`` for validation, ``data01.bin`` and on for training.

    ``folder`` is a work folder of this function alone. Called again after an interruption, with the same inputs, it
    keeps the finished shards and ends with the same bytes as an undisturbed call; with other inputs it begins anew.

    Args:
        train: files of stories, in order.
        valid: files of the validation stories; None: a part of the stories of ``train`` is set aside.
        tokenizer: a sentencepiece ``.model``.
        folder: where the shards and the journal are written.
        format: of the files, as :func:`tsws.text.corpus.stories_of` takes it.
        val_fraction: the part to set aside, by :func:`tsws.text.corpus.is_validation`.
        shard_tokens: a training shard ends with the story that brings it to so many tokens.
        threads: threads to encode with; no byte depends on them.
        progress: told the bytes of the files that have been read, and of how many.
        stop: asked about every MiB whether to stop.

    Returns:
        The shards, validation first.

    Raises:
        FormatError: a file is not what ``format`` says, or the tokenizer's BOS is not id 1.
        TswsError: there are no stories for one of the parts.
        InterruptedByUser: ``stop`` said so; finished shards stay.
        OSError: a file can not be read or written.
    """
    encode = encoder_of(tokenizer, threads=threads)
    if encode.bos_id != BOS_ID:
        raise FormatError(
            f"{tokenizer} has BOS at id {encode.bos_id}; llama2.c's layout wants it at {BOS_ID}",
            hint="Train the tokenizer with tsws, or with sentencepiece's default ids.",
        )
    inputs = {
        "rule": RULE_VERSION,
        "train": [sha256_file(path) for path in train],
        "valid": None if valid is None else [sha256_file(path) for path in valid],
        "tokenizer": sha256_file(tokenizer),
        "format": format,
        "val_fraction": val_fraction if valid is None else None,
        "shard_tokens": shard_tokens,
    }
    fraction = val_fraction if valid is None else None
    parts = (
        _Part("val", train if valid is None else valid, format, fraction),
        _Part("train", train, format, fraction),
    )
    journal = resumed(folder, digest_value(inputs))
    total = sum(part.size for part in parts)
    on_read = _watch(total, progress, stop)
    before = 0
    for part in parts:
        journal = _write_part(part, journal, folder, encode, shard_tokens, _behind(before, on_read))
        before += part.size
    if progress is not None:
        progress(total, total)
    return [folder / shard_name(shard.number) for shard in journal.shards]


def _write_part(
    part: _Part,
    journal: Journal,
    folder: Path,
    encode: Encoder,
    shard_tokens: int,
    on_read: Callable[[int], None],
) -> Journal:
    """Write what is missing of a part; returns the journal that then stands in the folder."""
    finished = [shard for shard in journal.shards if (shard.number == 0) == (part.name == "val")]
    if part.name == "val" and finished:
        return journal
    first = sum(shard.stories for shard in finished)
    source = _Source(islice(part.stories(on_read), first, None), encode)
    limit = _ALL if part.name == "val" else shard_tokens
    while not source.exhausted:
        shard = _write_shard(folder, len(journal.shards), source, limit)
        journal = journal.with_shard(shard)
        write_bytes(folder / JOURNAL, journal.encoded())
        finished.append(shard)
    if not finished:
        names = ", ".join(str(path) for path in part.files)
        purpose = "validation" if part.name == "val" else "training"
        raise TswsError(
            f"there are no stories for {purpose} in {names or 'no files'}",
            hint="Check that the files hold stories, and what is set aside for validation.",
        )
    return journal


def _write_shard(folder: Path, number: int, source: _Source, limit: int) -> FinishedShard:
    tokens = stories = 0
    with atomic_writer(folder / shard_name(number)) as file:
        while tokens < limit and not source.exhausted:
            taken, count = source.take(limit - tokens)
            file.write(taken.astype("<u2", copy=False).tobytes())
            tokens += len(taken)
            stories += count
    return FinishedShard(number, tokens, stories)


class _Source:
    """The tokens of stories, handed out in whole stories."""

    def __init__(self, stories: Iterator[str], encode: Encoder) -> None:
        self._stories = stories
        self._encode = encode
        self._tokens: Tokens = np.empty(0, np.uint16)
        self._refill()

    @property
    def exhausted(self) -> bool:
        """Whether nothing is left."""
        return len(self._tokens) == 0

    def take(self, room: int) -> tuple[Tokens, int]:
        """Tokens of the next stories, up to the one that fills ``room`` or less; and how many stories these are."""
        ends = np.append(np.flatnonzero(self._tokens == BOS_ID)[1:], len(self._tokens))
        count = min(int(np.searchsorted(ends, room)) + 1, len(ends))
        taken, self._tokens = self._tokens[: ends[count - 1]], self._tokens[ends[count - 1] :]
        if self.exhausted:
            self._refill()
        return taken, count

    def _refill(self) -> None:
        batch: list[str] = []
        characters = 0
        for story in self._stories:
            batch.append(story)
            characters += len(story)
            if characters >= _BATCH_CHARACTERS:
                break
        self._tokens = self._encode(batch)


def _behind(before: int, on_read: Callable[[int], None]) -> Callable[[int], None]:
    """What tells ``on_read`` of a file that comes after so many bytes of others."""
    return lambda read: on_read(before + read)


def _watch(total: int, progress: Progress | None, stop: Callable[[], bool]) -> Callable[[int], None]:
    def on_read(done: int) -> None:
        if stop():
            raise InterruptedByUser("stopped while tokenizing", hint="Finished shards are kept: run it again to go on.")
        if progress is not None:
            progress(done, total)

    return on_read
