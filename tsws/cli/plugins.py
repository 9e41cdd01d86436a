"""``tsws plugins``."""

from __future__ import annotations

import click

from tsws.cli.columns import aligned
from tsws.cli.session import Command, Session


@click.command("plugins", cls=Command)
@click.pass_obj
def command(session: Session, /) -> None:
    """List the plugins and what each adds.

    A plugin is a package with an entry point in the group `tsws`. One that can not be loaded is named with
    its error and set aside. TSWS_LOAD_PLUGINS=a,b loads only these.
    """
    from tsws.cli.limit import find_limit
    from tsws.plugin import load_plugins

    loaded = load_plugins().loaded
    rows = [
        (
            plugin.name,
            plugin.package,
            plugin.version,
            click.style(f"set aside: {plugin.error}", fg="red")
            if plugin.error
            else ", ".join(plugin.adds) or "nothing",
        )
        for plugin in loaded
    ]
    if not rows:
        click.echo("No plugins are loaded.")
    for line in aligned(rows, header=("PLUGIN", "PACKAGE", "VERSION", "ADDS")) if rows else ():
        click.echo(line)
    if (limit := find_limit()) is not None:
        session.warn(limit.words())
