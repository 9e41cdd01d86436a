"""``tsws sync``."""

from __future__ import annotations

import click

from tsws.cli.options import set_option
from tsws.cli.session import Command, Session


@click.command("sync", cls=Command)
@click.option("--pull", multiple=True, metavar="PATH", help="Bring this file, folder or glob here.")
@click.option("--push", multiple=True, metavar="PATH", help="Bring this file, folder or glob to the volume.")
@click.option("--volume", metavar="NAME", help="Which volume; every declared one.")
@click.option("--force", is_flag=True, help="What is named wins over what changed on the other side.")
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
@set_option
@click.pass_context
def command(
    context: click.Context,
    /,
    pull: tuple[str, ...],
    push: tuple[str, ...],
    volume: str | None,
    force: bool,
    dry_run: bool,
    overrides: tuple[str, ...],
) -> None:
    """Bring files into step with volumes.

    Without --pull and --push every declared file goes to where it is missing or older: what is here, what is there and what was
    last in step are compared. A file that changed on both sides is a conflict: it is named, and nothing is written.
    """
    from tsws.cli.narrator import narrating
    from tsws.cli.stopping import stoppable
    from tsws.cli.sync_text import Transfers, sync_lines, sync_summary

    session: Session = context.obj
    workspace = session.open(overrides)
    planned = workspace.sync(volume=volume, pull=pull, push=push, force=force, dry_run=True)
    plans = [one.plan for one in planned]
    for one in planned:
        for line in sync_lines(one.volume, one.plan, verbose=session.verbose):
            session.say(line)
    if dry_run:
        click.echo(sync_summary(plans))
        context.exit(1 if any(plan.conflicts for plan in plans) else 0)
    with stoppable() as stop, narrating(session) as emit:
        for one in planned:
            with Transfers(one.volume, one.plan.size, emit) as transfers:
                workspace.sync(
                    volume=one.volume, pull=pull, push=push, force=force, progress=transfers.progress, stop=stop
                )
    click.echo(sync_summary(plans, done=True))
