"""``tsws gc``."""

from __future__ import annotations

import click

from tsws.cli.options import set_option
from tsws.cli.session import Command, Session


@click.command("gc", cls=Command)
@click.option("--dry-run", is_flag=True, help="Only show what would go.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@set_option
@click.pass_obj
def command(session: Session, /, dry_run: bool, yes: bool, overrides: tuple[str, ...]) -> None:
    """Remove old versions of runs, and what is no longer declared.

    Versions of runs but the current one, files and records of resources that the manifest no longer has, files that a
    repair set aside, logs of jobs that ended. It shows what goes and asks first.
    """
    from tsws.cli.removal import remove

    workspace = session.open(overrides)
    remove(session, workspace.gc, dry_run=dry_run, yes=yes)
