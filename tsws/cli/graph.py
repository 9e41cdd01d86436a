"""``tsws graph``."""

from __future__ import annotations

import click

from tsws.cli.options import set_option
from tsws.cli.session import Command, Session


@click.command("graph", cls=Command)
@click.option("--format", "form", type=click.Choice(["text", "dot", "mermaid"]), default="text", help="text.")
@set_option
@click.pass_obj
def command(session: Session, /, form: str, overrides: tuple[str, ...]) -> None:
    """Show what depends on what.

    As a tree (text), for Graphviz (dot) or for a Markdown page (mermaid).
    """
    from tsws.cli.graph_text import FORMATS

    for line in FORMATS[form](session.open(overrides).graph):
        click.echo(line)
