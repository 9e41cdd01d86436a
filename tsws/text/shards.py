"""Token shards in llama2.c's layout: read, checked and chosen.

A shard is a file of uint16, little endian, in which every story begins with BOS (id 1) and nothing ends it. A folder
holds ``data00.bin`` (validation) and ``data01.bin``, ``data02.bin`` and so on (training).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tsws.errors import FormatError, InterruptedByUser, TswsError

BOS_ID = 1

_NAME = re.compile(r"data(\d{1,5})\.bin")
_CHUNK = 1 << 22


def shard_name(number: int) -> str:
    """``data07.bin`` for 7."""
    return f"data{number:02d}.bin"


def open_shard(path: Path) -> npt.NDArray[np.uint16]:
    """The tokens of a shard, (tokens,), mapped and read-only.

    Raises:
        FormatError: the file is empty, or has an odd number of bytes.
        OSError: it can not be read.
    """
    size = path.stat().st_size
    if size == 0 or size % 2:
        raise FormatError(
            f"{path} is not a shard of uint16 tokens: it has {size} bytes",
            hint="Fetch it again, or let tsws tokenize the stories again.",
        )
    return np.memmap(path, dtype="<u2", mode="r")


def check_shard(path: Path, vocab_size: int, *, stop: Callable[[], bool] = lambda: False) -> int:
    """Check that a shard fits a tokenizer, reading all of it in constant memory.

    Returns:
        How many tokens it has.

    Raises:
        FormatError: not a shard, an id that is not below ``vocab_size``, or no BOS anywhere.
        InterruptedByUser: ``stop`` said so.
    """
    tokens = open_shard(path)
    has_bos = False
    for start in range(0, len(tokens), _CHUNK):
        if stop():
            raise InterruptedByUser(f"stopped while checking {path.name}")
        chunk = np.asarray(tokens[start : start + _CHUNK])
        if (largest := int(chunk.max())) >= vocab_size:
            raise FormatError(
                f"{path} holds the token {largest}, but the tokenizer has only {vocab_size} pieces",
                hint="Name the tokenizer that the shards were made with.",
            )
        has_bos = has_bos or bool((chunk == BOS_ID).any())
    if not has_bos:
        raise FormatError(
            f"{path} holds no BOS (id {BOS_ID}), with which every story of a shard begins",
            hint="Tokenize the stories as llama2.c does, or let tsws do it.",
        )
    return len(tokens)


def parse_shard_ranges(spec: str) -> list[int]:
    """The numbers that a text such as ``0-9,12`` names, in ascending order.

    Raises:
        TswsError: it is no such list, a range runs backwards, or a number is named twice.
    """
    numbers: set[int] = set()
    for part in spec.split(","):
        match = re.fullmatch(r"\s*(\d{1,5})\s*(?:-\s*(\d{1,5})\s*)?", part, re.ASCII)
        if match is None:
            raise _bad_ranges(spec, f"`{part.strip()}` is neither a number nor a range")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise _bad_ranges(spec, f"`{part.strip()}` runs backwards")
        if again := sorted(numbers.intersection(range(first, last + 1))):
            raise _bad_ranges(spec, f"{again[0]} is named twice")
        numbers.update(range(first, last + 1))
    return sorted(numbers)


def shards_in(folder: Path) -> dict[int, Path]:
    """The shards of a folder by number, in ascending order: ``data00.bin`` and ``data0.bin`` are both shard 0.

    Raises:
        FormatError: two files have the same number.
        OSError: the folder can not be read.
    """
    found: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        if match := _NAME.fullmatch(path.name):
            other = found.setdefault(int(match[1]), path)
            if other != path:
                raise FormatError(
                    f"{folder} holds both {other.name} and {path.name}", hint="Remove the one that is not wanted."
                )
    return dict(sorted(found.items()))


def select_shards(folder: Path, spec: str) -> list[Path]:
    """The files of the shards that ``spec`` (``0-9,12``) names, in ascending order.

    Raises:
        FormatError: some are not in the folder; the message names them.
        TswsError: ``spec`` is no list of ranges.
        OSError: the folder can not be read.
    """
    found = shards_in(folder)
    wanted = parse_shard_ranges(spec)
    if missing := [shard_name(number) for number in wanted if number not in found]:
        names = ", ".join(missing[:8]) + (f" and {len(missing) - 8} more" if len(missing) > 8 else "")
        have = f"has shards {min(found)} to {max(found)}" if found else "has no shards"
        raise FormatError(f"{folder} has no {names}", hint=f"The folder {have}: choose from these.")
    return [found[number] for number in wanted]


def _bad_ranges(spec: str, reason: str) -> TswsError:
    return TswsError(f'"{spec}" does not name shards: {reason}', hint='Write numbers and ranges, such as "0-9,12".')
