"""The hooks: what this plugin adds to tsws. Importing it is cheap, so heavy libraries load where they are used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tsws.plugin import Backend, hookimpl
from tsws_nice.backend import NiceBackend

if TYPE_CHECKING:
    import click


@hookimpl
def tsws_backends() -> list[type[Backend]]:
    return [NiceBackend]


@hookimpl
def tsws_commands() -> list[click.Command]:
    import click  # noqa: PLC0415 - only when the command line asks

    @click.command()
    @click.argument("name", default="world")
    def hello(name: str) -> None:
        """Greet somebody."""
        click.echo(f"Once upon a time, there was a {name}.")

    return [hello]
