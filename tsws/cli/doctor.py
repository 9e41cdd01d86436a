"""``tsws doctor``."""

from __future__ import annotations

import click

from tsws.cli.session import Command, Session


@click.command("doctor", cls=Command)
@click.pass_context
def command(context: click.Context, /) -> None:
    """Check that this machine and this workspace are in order.

    Each line says ok, warn or fail, and what to do; the exit status is 1 when something fails.
    """
    from itertools import chain

    from tsws.cli.check import FAIL, WARN
    from tsws.cli.machine_checks import machine_checks
    from tsws.cli.workspace_checks import workspace_checks

    session: Session = context.obj
    colors = {FAIL: "red", WARN: "yellow"}
    failed = False
    for check in chain(machine_checks(session.directory), workspace_checks(session.directory)):
        failed |= check.verdict == FAIL
        mark = click.style(check.verdict.ljust(4), fg=colors.get(check.verdict, "green"))
        click.echo(f"{mark}  {check.name}: {check.message}")
        if check.advice:
            click.echo(f"      {click.style('hint:', fg='cyan')} {check.advice}")
    context.exit(1 if failed else 0)
