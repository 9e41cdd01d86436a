"""``tsws show``."""

from __future__ import annotations

import click

from tsws.cli.options import address_argument, set_option
from tsws.cli.session import Command, Session


@click.command("show", cls=Command)
@address_argument
@set_option
@click.pass_obj
def command(session: Session, /, address: str, overrides: tuple[str, ...]) -> None:
    """Show everything known about one resource.

    What makes it what it is (identity), what does not (operational), what it is made from, the files it has with their
    digests, and, for a run, its versions.
    """
    from tsws.cli.resource_text import resource_lines
    from tsws.workspace.history import last_record

    workspace = session.open(overrides)
    resource = workspace.graph[address]
    action = workspace.plan([address])[address]
    record = last_record(workspace.context, address)
    versions = [version for version in workspace.runs() if version.run == address]
    for line in resource_lines(resource, action, record, versions):
        click.echo(line)
