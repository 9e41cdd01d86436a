"""``tsws build``."""

from __future__ import annotations

import click

from tsws.cli import apply
from tsws.cli.options import set_option
from tsws.cli.session import Command, Session


@click.command("build", cls=Command)
@click.argument("names", nargs=-1, metavar="[PROGRAM]...")
@click.option("--force", is_flag=True, help="Compile again what is up to date.")
@click.option("--dry-run", is_flag=True, help="Only show the plan.")
@set_option
@click.pass_context
def command(
    context: click.Context, names: tuple[str, ...], force: bool, dry_run: bool, overrides: tuple[str, ...]
) -> None:
    """Compile the program that plays models, for this machine.

    With the compiler that is found, for the processor that is there. Without a PROGRAM all that the manifest declares or
    implies. It is `tsws apply program.NAME`: what is up to date stays as it is.
    """
    from tsws.errors import PlanError
    from tsws.manifest.outputs import all_programs

    session: Session = context.obj
    known = all_programs(session.open(overrides).manifest)
    addresses = tuple(f"program.{name.removeprefix('program.')}" for name in names or known)
    if not addresses:
        raise PlanError("the manifest has nothing to build", hint="declare a [program.NAME], or a run")
    context.invoke(
        apply.command,
        addresses=addresses,
        overrides=overrides,
        replace=addresses if force else (),
        dry_run=dry_run,
        yes=True,
    )
