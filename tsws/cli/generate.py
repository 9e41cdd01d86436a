"""``tsws generate``."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tsws.cli.options import set_option
from tsws.cli.session import Command, Session

if TYPE_CHECKING:
    from tsws.workspace import Workspace

SEPARATOR = "---"
"""A line of its own between two stories."""
_SEEDS = 1 << 31


@click.command("generate", cls=Command)
@click.argument("prompt", default="", metavar="[PROMPT]")
@click.option("-t", "temperature", type=click.FloatRange(min=0), default=1.0, help="Temperature; 0: the likeliest; 1.")
@click.option("-p", "top_p", type=click.FloatRange(0, 1), default=0.9, help="Sample from so much probability; 0.9.")
@click.option("-n", "steps", type=click.IntRange(min=0), default=256, help="Tokens at most; 0: all the context; 256.")
@click.option(
    "--seed", type=click.IntRange(0, _SEEDS - 1), help="Any whole number from 0; the same seed tells the same story."
)
@click.option("--count", type=click.IntRange(min=1), default=1, help="Stories to tell, with seeds that follow; 1.")
@click.option("--run", metavar="NAME", help="The run whose model tells it; the default run's.")
@click.option("--model", metavar="NAME|FILE", help="A finished model of the manifest, or a model file.")
@click.option(
    "--tokenizer", type=click.Path(exists=True, dir_okay=False), help="The .bin that belongs to a model file."
)
@click.option("--engine", type=click.Choice(["native", "torch"]), default="native", help="What plays it; native.")
@click.option("--remote", is_flag=True, help="Tell it where the run works: the model need not be here.")
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line and story.")
@click.option("--pretty/--no-pretty", default=True, help="Show line ends where the vocabulary has none; on.")
@set_option
@click.pass_obj
def command(
    session: Session,
    /,
    prompt: str,
    seed: int | None,
    count: int,
    remote: bool,
    as_json: bool,
    overrides: tuple[str, ...],
    **how: Any,
) -> None:
    """Tell a story with a trained or finished model.

    It begins with PROMPT and is printed as it is told.
    """
    workspace = session.open(overrides)
    how["tokenizer"] = Path(how["tokenizer"]) if how["tokenizer"] else None
    first = secrets.randbelow(_SEEDS - count) + 1 if seed is None else seed
    told = _told_there(workspace, prompt, range(first, first + count), how) if remote else None
    for number in range(count):
        began = time.monotonic()
        pieces = next(told, iter(())) if told else workspace.generate(prompt, seed=first + number, **how)
        if as_json:
            text = "".join(pieces)
            click.echo(_line(text, first + number, time.monotonic() - began, prompt, how))
        else:
            if number:
                click.echo(SEPARATOR)
            _stream(pieces)


def _told_there(workspace: Workspace, prompt: str, seeds: range, how: dict[str, Any]) -> Iterator[Iterator[str]]:
    """The stories of one job, one after another.

    Raises:
        UsageError: options that do not go together with --remote.
    """
    from itertools import groupby

    from tsws.errors import UsageError
    from tsws.job import Telling
    from tsws.workspace.telling import tell_there

    if how["model"] is not None or how["tokenizer"] is not None:
        raise UsageError("--remote plays what a run has trained, not a model file", hint="name the run: --run NAME")
    telling = Telling(
        run=how["run"] or "",
        prompt=prompt,
        temperature=how["temperature"],
        top_p=how["top_p"],
        steps=how["steps"],
        seeds=tuple(seeds),
    )
    for _seed, texts in groupby(tell_there(workspace.context, telling), key=lambda text: text.seed):
        yield (text.piece for text in texts)


def _stream(pieces: Iterator[str]) -> None:
    """Each piece when it comes, and a line end behind the last."""
    for piece in pieces:
        click.echo(piece, nl=False)
    click.echo()


def _line(text: str, seed: int, seconds: float, prompt: str, how: dict[str, Any]) -> str:
    import json

    keys = ("run", "model", "engine", "temperature", "top_p", "steps")
    values = {"prompt": prompt, "text": text, "seed": seed, "seconds": round(seconds, 3)}
    return json.dumps({**values, **{key: how[key] for key in keys}}, ensure_ascii=False)
