"""Playing a model with the native program: text as it is generated, or whole stories, many at once."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tsws.engine.running import output_of

_MOST_ARGUMENT_BYTES = 100_000
"""Longer prompts go through standard input: Linux takes 131,072 bytes an argument."""


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How a story is told."""

    temperature: float = 1.0
    """0 takes the likeliest token always, 1 is as trained."""
    top_p: float = 0.9
    """Only the likeliest tokens that together pass this probability; 0 or 1 for all."""
    steps: int = 256
    """Tokens at most, those of the prompt included; 0 for the model's context."""
    pretty: bool = False
    """Show ``<unk>`` as a newline where the vocabulary has no newline. Not an option of llama2.c's own program, nor are the next."""
    threads: int | None = None
    """That compute; 0: as many as make it faster; None: the program's default, which is the same."""
    precision: Literal["int8", "float32"] | None = None
    """Of the arithmetic; None: what the file has."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """A story that was told."""

    prompt: str
    text: str
    """The prompt included."""
    seed: int
    seconds: float
    """How long it took, others beside it."""
    tokens_per_second: float | None = None
    stop: Literal["story", "steps", "context"] | None = None
    """Why it stopped: the next story would begin, no more was asked for, or the context is full."""


def play(
    program: Path, model: Path, tokenizer: Path, *, prompt: str = "", seed: int | None = None, manner: Manner = Manner()
) -> Generator[str, None, None]:
    """Run the program and give its text piece by piece, as it comes.

    The program starts with the first piece that is asked for. Closing the iterator ends it.

    Args:
        program: an executable with llama2.c's command line.
        model: a ``model.bin``.
        tokenizer: the tokenizer's ``.bin``.
        prompt: what the text begins with; any characters.
        seed: of the random numbers; None or 0 for the time.
        manner: how to tell it.

    Yields:
        Text, never empty; all together it is what the program prints, without the newline that closes it.

    Raises:
        TswsError: the program could not be started, or failed; with its own message.
    """
    return _run(program, model, tokenizer, prompt, seed, manner, [])


def play_many(
    program: Path, model: Path, tokenizer: Path, *, prompt: str = "", seed: int, count: int, manner: Manner = Manner()
) -> Iterator[Told]:
    """Stories told side by side, much faster than one after another; each as soon as it and those before it have ended.

    Story ``i`` is the one that ``seed + i`` tells alone.

    Args:
        program: the native program of tsws.
        model, tokenizer, prompt, manner: as of :func:`play`.
        seed: of the first; not 0.
        count: how many.

    Raises:
        TswsError: as :func:`play`.
    """
    with closing(_run(program, model, tokenizer, prompt, seed, manner, ["--json", "--count", str(count)])) as pieces:
        for line in _lines(pieces):
            said = json.loads(line)
            yield Told(
                prompt=prompt, **{key: said[key] for key in ("text", "seed", "seconds", "tokens_per_second", "stop")}
            )


def fits_argument(prompt: str) -> bool:
    """Whether a prompt can be given with ``-i``; another needs a program that knows ``--prompt-file``."""
    text = prompt.encode("utf-8", errors="replace")
    return b"\0" not in text and len(text) <= _MOST_ARGUMENT_BYTES


def _run(
    program: Path, model: Path, tokenizer: Path, prompt: str, seed: int | None, manner: Manner, more: list[str]
) -> Generator[str, None, None]:
    text = prompt.encode("utf-8", errors="replace")
    prompt_arguments: list[str | bytes] = ["-i", text] if fits_argument(prompt) else ["--prompt-file", "-"]
    arguments = ["-t", repr(float(manner.temperature)), "-p", repr(float(manner.top_p)), "-n", str(manner.steps)]
    arguments += ["-z", str(tokenizer)]
    if seed is not None:
        arguments += ["-s", str(seed)]
    if manner.pretty:
        arguments.append("--pretty")
    if manner.threads is not None:
        arguments += ["--threads", str(manner.threads)]
    if manner.precision is not None:
        arguments += ["-q", manner.precision]
    command = [str(program.absolute()), str(model), *arguments, *more, *prompt_arguments]
    return output_of(command, b"" if fits_argument(prompt) else text)


def _lines(pieces: Iterator[str]) -> Iterator[str]:
    """Whole lines; the last need not end."""
    held = ""
    for piece in pieces:
        *lines, held = (held + piece).split("\n")
        yield from lines
    if held:
        yield held
