"""Playing a model with the native program: text as it is generated."""

from __future__ import annotations

import codecs
import contextlib
import signal
import subprocess
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import IO, cast

from tsws.errors import TswsError

_MOST_ARGUMENT_BYTES = 100_000
"""Longer prompts go through standard input: Linux takes 131,072 bytes an argument."""
_CHUNK = 1 << 16
_SECONDS_TO_END = 5.0


def play(
    program: Path,
    model: Path,
    tokenizer: Path,
    *,
    prompt: str = "",
    temperature: float = 1.0,
    top_p: float = 0.9,
    steps: int = 256,
    seed: int | None = None,
    pretty: bool = False,
) -> Generator[str, None, None]:
    """Run the program and give its text piece by piece, as it comes.

    The program starts with the first piece that is asked for. Closing the iterator ends it.

    Args:
        program: an executable with llama2.c's command line.
        model: a ``model.bin``.
        tokenizer: the tokenizer's ``.bin``.
        prompt: what the text begins with; any characters.
        temperature: 0 takes the likeliest token always, 1 is as trained.
        top_p: only the likeliest tokens that together pass this probability; 0 or 1 for all.
        steps: tokens at most, those of the prompt included; 0 for the model's context.
        seed: of the random numbers; None or 0 for the time.
        pretty: show ``<unk>`` as a newline where the vocabulary has no newline (the program must know ``--pretty``).

    Yields:
        Text, never empty; all together it is what the program prints, without the newline that closes it.

    Raises:
        TswsError: the program could not be started, or failed; with its own message.
    """
    text = prompt.encode("utf-8", errors="replace")
    arguments = ["-t", repr(float(temperature)), "-p", repr(float(top_p)), "-n", str(steps), "-z", str(tokenizer)]
    if seed is not None:
        arguments += ["-s", str(seed)]
    if pretty:
        arguments.append("--pretty")
    through_stdin = b"\0" in text or len(text) > _MOST_ARGUMENT_BYTES
    prompt_arguments: list[str | bytes] = ["--prompt-file", "-"] if through_stdin else ["-i", text]
    command = [str(program.absolute()), str(model), *arguments, *prompt_arguments]
    return _stream(command, text if through_stdin else b"")


def _stream(command: list[str | bytes], stdin: bytes) -> Generator[str, None, None]:
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
