"""``tsws init``."""

from __future__ import annotations

from pathlib import Path

import click

from tsws.cli.session import Command, Session


@click.command("init", cls=Command)
@click.option("--template", "name", default="quickstart", metavar="NAME", help="What to begin with; quickstart.")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path(), metavar="[DIR]")
@click.pass_obj
def command(session: Session, /, name: str, folder: Path) -> None:
    """Make a workspace from a template.

    Templates: quickstart (built-in stories, works offline), tinystories (the classic, from Hugging Face),
    your-own-text, and plugin, which is no workspace but a package to begin a plugin from. DIR is made when it is
    missing; nothing that is there is overwritten.
    """
    from tsws.cli.templates import MANIFEST_NAME, copy_template

    destination = session.directory / folder
    written = copy_template(name, destination)
    for path in written:
        session.say(f"  {click.style('+', fg='green')} {path.as_posix()}")
    where = "" if destination.resolve() == Path.cwd() else f"cd {destination} && "
    if Path(MANIFEST_NAME) in written:
        click.echo(f"Made a workspace. Next: {where}tsws plan")
    else:
        click.echo(f"Made a plugin; README.md says what is where. Next: {where}pip install -e . && tsws plugins")
