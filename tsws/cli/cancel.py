"""``tsws cancel``."""

from __future__ import annotations

import click

from tsws.cli.options import address_argument, set_option
from tsws.cli.session import Command, Session


@click.command("cancel", cls=Command)
@address_argument
@set_option
@click.pass_obj
def command(session: Session, /, address: str, overrides: tuple[str, ...]) -> None:
    """Stop a job in flight, after a checkpoint.

    The next apply continues from there.
    """
    from tsws.cli.jobs import backend_of
    from tsws.errors import TswsError
    from tsws.workspace.machines import find_job

    workspace = session.open(overrides)
    workspace.graph[address]
    job = find_job(workspace.context, address)
    if job is None:
        raise TswsError(f"no job of {address} is running", hint="`tsws status --refresh` shows what is at work")
    session.say(f"stopping {address} after a checkpoint")
    backend_of(workspace.context, job).cancel(job.handle)
    click.echo(f"Stopped; `tsws apply {address}` continues.")
