"""``tsws validate``."""

from __future__ import annotations

import click

from tsws.cli.options import set_option
from tsws.cli.session import Command, Session


@click.command("validate", cls=Command)
@set_option
@click.pass_obj
def command(session: Session, /, overrides: tuple[str, ...]) -> None:
    """Check the manifest and list every mistake in it.

    What is listed names the file, the line and the key, what was expected and the nearest valid name.
    """
    from tsws.cli.words import count
    from tsws.workspace.finding import find_manifest

    workspace = session.open(overrides)
    file = find_manifest(session.directory)
    for warning in () if session.verbose else workspace.warnings:
        session.warn(warning)
    click.echo(f"{file.name} is valid: {count(len(workspace.graph.order), 'resource')}.")
