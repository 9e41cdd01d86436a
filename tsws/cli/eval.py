"""``tsws eval``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tsws.cli.options import set_option
from tsws.cli.session import Command, Session

if TYPE_CHECKING:
    from tsws.job import Asked
    from tsws.plugin import Plugins
    from tsws.workspace.evaluating import Evaluation, Texts
    from tsws.workspace.playables import Playable

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("eval", cls=Command)
@click.argument("what", metavar="RUN|FILE")
@click.option("--data", type=_FILE, help="What to predict: a text, or a token shard (.bin); the run's validation set.")
@click.option("--train", type=_FILE, help="What was learned from, for its words; the run's training set.")
@click.option("--tokenizer", type=_FILE, help="The .bin that belongs to a model file.")
@click.option("--tokens", type=click.IntRange(min=0), help="To predict at most; 0: all; as in training.")
@click.option("--stories", type=click.IntRange(min=0), default=64, help="To tell and look at; 0: none; 64.")
@click.option("--prompt", default="", help="How the stories begin; with nothing.")
@click.option("-t", "temperature", type=click.FloatRange(min=0), default=1.0, help="Temperature; 1.")
@click.option("-p", "top_p", type=click.FloatRange(0, 1), default=0.9, help="Sample from so much probability; 0.9.")
@click.option("-n", "steps", type=click.IntRange(min=0), default=0, help="Tokens of a story at most; the context.")
@click.option("--seed", type=click.IntRange(1, (1 << 31) - 1), default=1, help="Of the first story; 1.")
@click.option("--engine", type=click.Choice(["auto", "native", "torch"]), default="auto", help="What computes; auto.")
@click.option("--remote", is_flag=True, help="Evaluate it where the run works: neither model nor data need be here.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@set_option
@click.pass_obj
def command(
    session: Session,
    /,
    what: str,
    data: Path | None,
    train: Path | None,
    tokenizer: Path | None,
    remote: bool,
    as_json: bool,
    overrides: tuple[str, ...],
    **how: Any,
) -> None:
    """Say how good a model is: loss, perplexity, bits a byte, and what its stories are like.

    RUN is a run of the manifest, a finished model of it, or a model.bin. The loss is that of training: nats a token over the
    same rows. Bits a byte do not depend on the vocabulary, so models with different tokenizers can be compared by them.

    Of the stories: the share of different phrases (distinct-n), of phrases of four words that a story says again (repetition),
    of words that the training text does not have, and their length. The same seed tells the same stories.
    """
    from tsws.cli.eval_text import evaluation_json, evaluation_lines
    from tsws.job import Asked
    from tsws.workspace.evaluating import evaluate

    asked = Asked(**how)
    if remote:
        found = _found_there(session, what, asked, overrides, files=(data, train, tokenizer))
    else:
        playable, texts, plugins = _found(session, what, data, train, tokenizer, overrides)
        found = evaluate(playable, texts, asked, plugins)
    for line in [evaluation_json(found)] if as_json else evaluation_lines(found):
        click.echo(line)


def _found_there(
    session: Session, what: str, asked: Asked, overrides: tuple[str, ...], *, files: tuple[Path | None, ...]
) -> Evaluation:
    """What a machine of the run's backend finds out.

    Raises:
        UsageError: files of this machine are named.
    """
    from tsws.errors import UsageError
    from tsws.workspace.asking import evaluate_there

    if any(files):
        raise UsageError(
            "--remote evaluates what a run has trained, on its own data there",
            hint="leave out --data, --train and --tokenizer, or --remote",
        )
    return evaluate_there(session.open(overrides).context, what, asked)


def _found(
    session: Session,
    what: str,
    data: Path | None,
    train: Path | None,
    tokenizer: Path | None,
    overrides: tuple[str, ...],
) -> tuple[Playable, Texts, Plugins]:
    """The model that is meant, the texts, and the plugins that there are. A model file with its tokenizer needs no workspace."""
    from tsws.plugin import load_plugins
    from tsws.workspace.evaluating import Texts, texts_of_run
    from tsws.workspace.playables import Playable, find_playable

    given = Texts(str(data or ""), (data,) if data else (), (train,) if train else ())
    if tokenizer is not None and Path(what).is_file():
        return Playable(what, Path(what), tokenizer), given, load_plugins()
    context = session.open(overrides).context
    if what.removeprefix("run.") not in context.manifest.run:
        is_model = Path(what).is_file() or what.removeprefix("model.") in context.manifest.model
        chosen = {"model": what} if is_model else {"run": what}
        return find_playable(context, tokenizer=tokenizer, **chosen), given, context.plugins
    playable = find_playable(context, run=what)
    if data is not None:
        return playable, given, context.plugins
    own = texts_of_run(context, what)
    return playable, Texts(own.name, own.held_out, given.training or own.training, own.tokens), context.plugins
