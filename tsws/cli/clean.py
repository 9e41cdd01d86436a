"""``tsws clean``."""

from __future__ import annotations

from functools import partial

import click

from tsws.cli.options import set_option
from tsws.cli.session import Command, Session


@click.command("clean", cls=Command)
@click.option("--volume", metavar="NAME", help="Clean this volume instead of the workspace.")
@click.option("--dry-run", is_flag=True, help="Only show what would go.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@set_option
@click.pass_obj
def command(session: Session, /, volume: str | None, dry_run: bool, yes: bool, overrides: tuple[str, ...]) -> None:
    """Remove intermediates that can be made again.

    Texts that were written or fetched, token shards, partial downloads: the next apply that needs them makes them again. Records stay, so
    nothing becomes stale. It shows what goes and asks first. With --volume the same on a volume, for the runs that work there.
    """
    from tsws.cli.removal import remove

    workspace = session.open(overrides)
    act = workspace.clean if volume is None else partial(workspace.clean_volume, volume)
    remove(session, act, dry_run=dry_run, yes=yes)
