"""Stories in files: read one after another, and shared out between training and validation."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec

from tsws.errors import FormatError

Format = Literal["text", "json"]

DELIMITER = "<|endoftext|>"
"""What ends a story in a text file; TinyStories writes it on a line of its own."""

MAX_STORY_BYTES = 256 << 20
"""A text without a delimiter in so many bytes is refused: it would have to be held in memory as one story."""

_CHUNK = 1 << 20
_DELIMITER = DELIMITER.encode()
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_MILLION = 1_000_000


class _Entry(msgspec.Struct):
    story: str


def stories_of(path: Path, format: Format = "text", *, on_read: Callable[[int], None] | None = None) -> Iterator[str]:
    """The stories of a file, in order, without white space around them; empty ones are left out.

    ``text`` is UTF-8 and read in constant memory: a story ends at ``<|endoftext|>`` or at the end of the file, and
    line ends of Windows become ``\\n``. ``json`` is a list of objects with a ``story``, as in
    ``TinyStories_all_data``, and is held in memory as a whole. A name that ends in ``.gz`` is unpacked as it is read.

    Args:
        path: the file.
        format: ``text`` or ``json``.
        on_read: told how many bytes of the file (packed ones, as they lie on the disk) have been read so far.

    Raises:
        FormatError: not UTF-8, not such JSON, not gzip, cut off, or a story beyond ``MAX_STORY_BYTES``.
        OSError: the file can not be read.
    """
    with _opened(path, on_read) as file:
        stories = _text_stories(file, path) if format == "text" else _json_stories(file, path)
        for story in stories:
            if stripped := story.strip():
                yield stripped


def is_validation(index: int, fraction: float) -> bool:
    """Whether the story at ``index`` (from 0) is set aside for validation.

    The validation stories are spread evenly: with 0.05 they are 0, 20, 40 and so on. Only the index and the fraction
    count, so stories added at the end leave every earlier one where it was. The fraction counts to a millionth.
    """
    parts = round(fraction * _MILLION)
    return index * parts % _MILLION < parts


def split(stories: Iterable[str], val_fraction: float, part: Literal["train", "val"]) -> Iterator[str]:
    """The stories of one of the two parts, shared out by :func:`is_validation`."""
    wanted = part == "val"
    for index, story in enumerate(stories):
        if is_validation(index, val_fraction) == wanted:
            yield story


@contextmanager
def _opened(path: Path, on_read: Callable[[int], None] | None) -> Iterator[Callable[[int], bytes]]:
    """A function that reads up to so many unpacked bytes and reports the position in the file."""
    with open(path, "rb") as raw:
        unpacked: BinaryIO = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw  # type: ignore[assignment]

        def read(size: int) -> bytes:
            try:
                data = unpacked.read(size)
            except (gzip.BadGzipFile, EOFError, zlib.error) as error:
                raise FormatError(
                    f"{path} is not a whole gzip file: {error}", hint="Fetch or pack the file again."
                ) from error
            if on_read is not None:
                on_read(raw.tell())
            return data

        yield read


def _text_stories(read: Callable[[int], bytes], path: Path) -> Iterator[str]:
    rest = bytearray()  # what was read of a story whose end was not seen yet
    offset = 0  # of `rest` in the unpacked file
    while chunk := read(_CHUNK):
        if offset == 0 and not rest and chunk.startswith(_BYTE_ORDER_MARK):
            chunk, offset = chunk[len(_BYTE_ORDER_MARK) :], len(_BYTE_ORDER_MARK)
        searched = max(0, len(rest) - len(_DELIMITER))  # a delimiter may lie across two chunks
        rest += chunk
        end = rest.rfind(_DELIMITER, searched)
        if end >= 0:
            for story in bytes(rest[:end]).split(_DELIMITER):
                yield _decoded(story, offset, path)
                offset += len(story) + len(_DELIMITER)
            del rest[: end + len(_DELIMITER)]
        if len(rest) > MAX_STORY_BYTES:
            raise FormatError(
                f"{path}: no {DELIMITER} in {MAX_STORY_BYTES >> 20} MiB from byte {offset} on",
                hint=f"End every story with a line {DELIMITER}.",
            )
    yield _decoded(bytes(rest), offset, path)


def _decoded(story: bytes, offset: int, path: Path) -> str:
    try:
        text = story.decode()
    except UnicodeDecodeError as error:
        raise FormatError(
            f"{path} is not UTF-8 at byte {offset + error.start}: {error.reason}",
            hint="Convert the file to UTF-8 (iconv -f LATIN1 -t UTF-8, for instance).",
        ) from error
    return text.replace("\r\n", "\n") if "\r" in text else text


def _json_stories(read: Callable[[int], bytes], path: Path) -> Iterator[str]:
    data = read(-1)
    try:
        entries = msgspec.json.decode(data, type=list[_Entry])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FormatError(
            f"{path} is not a JSON list of objects with a `story`: {error}",
            hint='Files of another shape need converting first; `format = "text"` takes plain stories.',
        ) from error
    del data
    for entry in entries:
        yield entry.story
