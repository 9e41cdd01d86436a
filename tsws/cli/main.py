"""The entry point ``tsws``: finds the command, and loads only that one."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any

import click

from tsws.cli.boundary import guarded
from tsws.cli.session import colors_refused, global_options, session_of
from tsws.cli.table import COMMANDS, SECTIONS
from tsws.io.entry_points import installed
from tsws.version import __version__

OWN_PACKAGE = "tsws"
"""The distribution whose plugins add no commands: theirs stand in the table."""


@lru_cache(maxsize=1)
def plugin_commands() -> Mapping[str, click.Command]:
    """The commands of third parties' plugins. Without such a plugin nothing is loaded to find that out."""
    if all(point.package == OWN_PACKAGE for point in installed("tsws")):
        return {}
    from tsws.plugin import load_plugins

    return {name: command for name, command in load_plugins().commands().items() if name not in COMMANDS}


class Commands(click.Group):
    """The group of all commands; a command's module is imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return [*COMMANDS, *sorted(plugin_commands())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name in COMMANDS:
            command: click.Command = import_module(f"tsws.cli.{cmd_name}").command
            return command
        return plugin_commands().get(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if self.get_command(ctx, name) is None and not ctx.resilient_parsing:
            close = difflib.get_close_matches(name, self.list_commands(ctx), n=1)
            ctx.fail(f"there is no command {name!r}" + (f"; did you mean {close[0]}?" if close else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        found = plugin_commands()
        added = {name: found[name].get_short_help_str(100) for name in sorted(found)}
        for title, commands in {**SECTIONS, "Of plugins": added}.items():
            if commands:
                with formatter.section(title):
                    formatter.write_dl(list(commands.items()))

    def main(self, *args: Any, **rest: Any) -> Any:
        """Run a command, and end the process with its exit status."""
        words = args[0] if args else rest.get("args")
        color = False if colors_refused(sys.argv[1:] if words is None else words) else None
        rest = {"prog_name": "tsws", **rest, "standalone_mode": False}
        sys.exit(guarded(lambda: super(Commands, self).main(*args, **rest), color=color))


def _version(context: click.Context, parameter: click.Parameter, value: bool) -> None:  # noqa: ARG001
    if value and not context.resilient_parsing:
        click.echo(f"tsws {__version__}")
        context.exit()


@click.group(
    "tsws",
    cls=Commands,
    params=[
        *global_options(hidden=False),
        click.Option(
            ["--version"], is_flag=True, expose_value=False, is_eager=True, callback=_version, help="Show the version."
        ),
    ],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="tsws COMMAND --help says more of a command. A first workspace: tsws init stories",
)
@click.pass_context
def cli(context: click.Context) -> None:
    """A declarative workspace for tiny language models.

    A tinystories.toml says what should exist: datasets, tokenizers, models, training runs, exports,
    programs, volumes. `tsws apply` makes it so; the second time it does nothing.
    """
    session_of(context)


def main() -> None:
    """What the console script calls."""
    cli.main()
