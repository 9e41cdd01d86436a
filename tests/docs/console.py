"""Runs a page: what it tells the reader to type is typed, and what it shows has to come.

A page tells its story with three kinds of fenced blocks, which are carried out in order in one folder:

- ``console``: lines that begin with ``$`` are commands; the lines below are what they print, errors included. ``...`` stands
  for what is not the same every time: within a line for any characters, alone on a line for any lines. A command may fail only
  where the page shows ``error:``.
- any language with ``title=FILE``: the content of a file, which is written. In a ``console`` block, files are where the last ``cd`` led.
- ``diff`` with ``title=FILE``: an edit of that file. Each group of lines between blank ones has to fit in exactly one place;
  one that only adds is added at the end.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.docs.markdown import Block

ANYTHING = "..."
TIMEOUT = 120
"""Seconds that one command may take."""


class PageError(AssertionError):
    """The page and the program do not agree."""


@dataclass(frozen=True)
class Step:
    """A command and what the page says that it prints."""

    command: str
    expected: str
    line: int


def steps(block: Block) -> Iterator[Step]:
    """The commands of a ``console`` block, each with the lines below it."""
    command: str | None = None
    expected: list[str] = []
    begin = block.line
    for number, line in enumerate(block.text.splitlines(), start=block.line + 1):
        if line.startswith("$ "):
            if command is not None:
                yield Step(command, "\n".join(expected), begin)
            command, expected, begin = line[2:], [], number
        elif command is None:
            raise PageError(f"line {number}: output without a command")
        else:
            expected.append(line)
    if command is not None:
        yield Step(command, "\n".join(expected), begin)


def matches(expected: str, actual: str) -> bool:
    """Whether an output is as a page has it. How wide a column is does not count."""
    pattern = ""
    for line in _columns(expected):
        if line.strip() == ANYTHING:
            pattern += r"(?:[^\n]*\n)*"
        else:
            pattern += "[^\\n]*".join(map(re.escape, line.split(ANYTHING))) + r"\n"
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in _columns(actual))) is not None


def _columns(text: str) -> list[str]:
    """The lines, with two blanks between columns."""
    return [re.sub(r"(?<=\S) {2,}", "  ", line.rstrip()) for line in text.strip("\n").splitlines()]


def edited(text: str, diff: str) -> str:
    """A text after an edit.

    Raises:
        PageError: a group of lines of the edit does not fit in exactly one place.
    """
    for group in re.split(r"\n\s*\n", diff.strip("\n")):
        lines = group.splitlines()
        old = "".join(f"{line[1:]}\n" for line in lines if line[0] != "+")
        new = "".join(f"{line[1:]}\n" for line in lines if line[0] != "-")
        if not old:
            text += f"\n{new}"
            continue
        places = [found.start() for found in re.finditer(f"^(?={re.escape(old)})", text, re.MULTILINE)]
        if len(places) != 1:
            raise PageError(f"these lines do not stand in exactly one place of the file:\n{old}")
        text = text[: places[0]] + new + text[places[0] + len(old) :]
    return text


class Console:
    """A folder in which pages are carried out.

    Args:
        folder: where it begins.
        environment: variables beside those of this process.
    """

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        scripts = str(Path(sys.executable).parent)
        path = os.pathsep.join([scripts, os.environ["PATH"]])
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TSWS_", "FORCE_COLOR"))}
        self.environment = {**kept, "PATH": path, **environment}

    def play(self, blocks: Sequence[Block]) -> None:
        """Carry out every block that is one of the three kinds.

        Raises:
            PageError: something comes out other than the page says.
        """
        for block in blocks:
            if block.language == "console":
                for step in steps(block):
                    self._check(step)
            elif block.title is not None:
                self._write(block)

    def run(self, command: str) -> tuple[int, str]:
        """Run a command where the last one left off; its status, and what it printed."""
        with tempfile.NamedTemporaryFile("r") as where:
            script = f"trap 'pwd -P > {where.name}' EXIT\n{command}"
            done = subprocess.run(
                ["bash", "-c", script],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=TIMEOUT,
                check=False,
            )
            self.folder = Path(where.read().rstrip("\n"))
        return done.returncode, done.stdout

    def _check(self, step: Step) -> None:
        status, output = self.run(step.command)
        fails = re.search(r"^error:", step.expected, re.MULTILINE) is not None
        if not matches(step.expected, output) or (status != 0) != fails:
            raise PageError(
                f"line {step.line}: $ {step.command}\n--- the page says\n{step.expected}\n"
                f"--- it gives (exit status {status})\n{output}"
            )

    def _write(self, block: Block) -> None:
        path = self.folder / (block.title or "")
        if block.language == "diff":
            path.write_text(edited(path.read_text(encoding="utf-8"), block.text), encoding="utf-8")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
