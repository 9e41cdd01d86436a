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
    from tsws.engine import Told
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
@click.option(
    "--engine", type=click.Choice(["native", "torch"]), help="What plays it; native, but torch what only torch can."
)
@click.option("--threads", type=click.IntRange(0, 64), help="Of the native program; 0: as many as make it faster; 0.")
@click.option(
    "--quantize",
    "precision",
    type=click.Choice(["int8", "float32"]),
    help="The native program's arithmetic; what the file has.",
)
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

    It begins with PROMPT and is printed as it is told; several are told side by side, and each is printed when it has
    ended.
    """
    workspace = session.open(overrides)
    how["tokenizer"] = Path(how["tokenizer"]) if how["tokenizer"] else None
    first = secrets.randbelow(_SEEDS - count) + 1 if seed is None else seed
    seeds = range(first, first + count)
    if how["engine"] is None:
        how["engine"] = (
            "torch" if remote else workspace.engine(**{key: how[key] for key in ("run", "model", "tokenizer")})
        )
    streams: Iterator[Iterator[str]] | None = None
    if remote:
        streams = _told_there(workspace, prompt, seeds, how)
    elif count == 1 and not as_json:
        streams = iter([workspace.generate(prompt, seed=first, **how)])
    if as_json:
        stories = (
            _whole(streams, seeds, prompt) if streams else workspace.stories(prompt, count=count, seed=first, **how)
        )
        for story in stories:
            click.echo(_line(story, how))
        return
    if streams is None:
        streams = (iter([story.text]) for story in workspace.stories(prompt, count=count, seed=first, **how))
    for number, pieces in enumerate(streams):
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
    from tsws.workspace.asking import tell_there

    if how["model"] is not None or how["tokenizer"] is not None:
        raise UsageError("--remote plays what a run has trained, not a model file", hint="name the run: --run NAME")
    if how["threads"] is not None or how["precision"] is not None:
        raise UsageError(
            "--threads and --quantize are of the native program on this machine", hint="leave out --remote, or these"
        )
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


def _whole(streams: Iterator[Iterator[str]], seeds: range, prompt: str) -> Iterator[Told]:
    """Stories that come piece by piece, as wholes."""
    from tsws.engine import Told

    for seed in seeds:
        began = time.monotonic()
        text = "".join(next(streams, iter(())))
        yield Told(prompt=prompt, text=text, seed=seed, seconds=time.monotonic() - began)


def _line(story: Told, how: dict[str, Any]) -> str:
    import json

    keys = ("run", "model", "engine", "temperature", "top_p", "steps")
    speed = None if story.tokens_per_second is None else round(story.tokens_per_second, 1)
    values = {
        "prompt": story.prompt,
        "text": story.text,
        "seed": story.seed,
        "seconds": round(story.seconds, 3),
        "tokens_per_second": speed,
        "stop": story.stop,
    }
    return json.dumps({**values, **{key: how[key] for key in keys}}, ensure_ascii=False)
