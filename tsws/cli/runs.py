"""``tsws runs``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tsws.cli.options import set_option
from tsws.cli.session import Command, Session

if TYPE_CHECKING:
    from tsws.workspace.history import RunVersion

HEADER = ("", "RUN", "VERSION", "STEP", "VAL LOSS", "BEST", "TOKENS", "TOOK", "MADE")


@click.command("runs", cls=Command)
@set_option
@click.pass_obj
def command(session: Session, /, overrides: tuple[str, ...]) -> None:
    """List every version of every run, with its loss.

    Losses are validation losses in nats a token. `*` marks the version whose results stand in the run's folder;
    setting the manifest back to an earlier version restores it without training.
    """
    from tsws.cli.columns import aligned

    versions = session.open(overrides).runs()
    if not versions:
        click.echo("No run has been started yet.")
        return
    for line in aligned([_row(version) for version in versions], header=HEADER, right=(3, 4, 5, 6, 7)):
        click.echo(line)


def _row(version: RunVersion) -> tuple[str, ...]:
    from tsws.cli.words import big_number, loss_words, moment
    from tsws.io.durations import format_duration

    return (
        click.style("*", fg="green") if version.current else " ",
        version.run,
        version.fingerprint,
        f"{version.step}/{version.max_iters}",
        loss_words(version.val_loss) if version.finished else "unfinished",
        loss_words(version.best_val_loss),
        big_number(version.tokens) if version.tokens is not None else "",
        format_duration(version.seconds) if version.seconds is not None else "",
        moment(version.made_at),
    )
