"""A program that runs beside Python, and what it says."""

from __future__ import annotations

import codecs
import contextlib
import signal
import subprocess
import tempfile
from collections.abc import Generator, Iterator
from typing import IO, cast

from tsws.errors import TswsError

_CHUNK = 1 << 16
_SECONDS_TO_END = 5.0


def output_of(command: list[str | bytes], stdin: bytes) -> Generator[str, None, None]:
    """What a program prints, as it comes, without the newline that closes it. Closing the iterator ends the program.

    Args:
        command: its path and arguments.
        stdin: what it may read.

    Raises:
        TswsError: it could not be started, or failed; with its own message.
    """
    # Files, not pipes: whatever the program says or does not read, nobody waits for anybody.
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as given:
        given.write(stdin)
        given.seek(0)
        try:
            process = subprocess.Popen(command, bufsize=0, stdin=given, stdout=subprocess.PIPE, stderr=said)
        except (OSError, ValueError) as error:
            raise TswsError(
                f"{command[0]!s} could not be started: {error}", hint="build the program again on this machine"
            ) from error
        try:
            yield from _without_last_newline(_decoded(cast("IO[bytes]", process.stdout)))
            _check(process, str(command[0]), said)
        finally:
            _end(process)


def _decoded(output: IO[bytes]) -> Iterator[str]:
    """UTF-8 as it comes; a character that is cut waits for its rest."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    while chunk := output.read(_CHUNK):
        if text := decoder.decode(chunk):
            yield text
    if text := decoder.decode(b"", final=True):
        yield text


def _without_last_newline(pieces: Iterator[str]) -> Iterator[str]:
    held = ""
    for piece in pieces:
        text = held + piece
        held = "\n" if text.endswith("\n") else ""
        if text := text.removesuffix("\n"):
            yield text


def _check(process: subprocess.Popen[bytes], program: str, said: IO[bytes]) -> None:
    """Wait for the end, and raise what went wrong."""
    status = process.wait()
    if status == 0:
        return
    said.seek(0)
    lines = said.read().decode(errors="replace").strip().splitlines()
    message = lines[0].removeprefix("run: ") if lines else ""
    if status < 0:
        raise TswsError(
            f"{program} was ended by {_signal_name(-status)}" + (f": {message}" if message else ""),
            hint="if it was built on another machine, build it again on this one",
        )
    raise TswsError(
        message or f"{program} failed with exit status {status} and no message",
        hint="check the model and the tokenizer that it was given, or play them with `tsws generate --engine torch`",
    )


def _signal_name(number: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"


def _end(process: subprocess.Popen[bytes]) -> None:
    """Leave no process behind, whatever state it is in."""
    if process.stdout is not None:
        process.stdout.close()
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
