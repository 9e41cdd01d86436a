"""What every command is told before its own arguments: where, how loud, in which colours."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from tsws.workspace import Workspace


@dataclass(frozen=True)
class Session:
    """The settings of one call of ``tsws``."""

    directory: Path = Path()
    """Where the workspace is looked for."""
    quiet: bool = False
    """Only errors and the last line."""
    verbose: bool = False
    """Everything there is to say."""
    no_color: bool = False

    def open(self, overrides: Sequence[str] = ()) -> Workspace:
        """The workspace. Plugins that were set aside are named; what the manifest asks of plugins that are not there is said when
        it is verbose, for the plan says it of whatever it is about.

        Args:
            overrides: ``KEY=VALUE``, of ``--set``.

        Raises:
            ManifestError: there is none, or its manifest has mistakes.
        """
        from tsws.workspace import Workspace

        workspace = Workspace.open(self.directory, overrides=overrides)
        for plugin in workspace.plugins.loaded:
            if plugin.error is not None:
                self.warn(f"the plugin {plugin.name} of {plugin.package} was set aside: {plugin.error}")
        if self.verbose:
            for warning in workspace.warnings:
                self.warn(warning)
        return workspace

    def say(self, text: str = "") -> None:
        """A line that a quiet call leaves out."""
        if not self.quiet:
            click.echo(text)

    def warn(self, text: str) -> None:
        """A warning, on standard error."""
        if not self.quiet:
            click.echo(f"{click.style('warning:', fg='yellow')} {text}", err=True)


def colors_refused(words: Sequence[str] = ()) -> bool:
    """Whether a call wants no colours.

    Args:
        words: of the command line. They are looked at before anything is parsed: what is wrong with them is shown, too.
    """
    return bool(os.environ.get("NO_COLOR")) or "--no-color" in words


def session_of(context: click.Context) -> Session:
    """The session of a call; a fresh one at its beginning."""
    if not isinstance(context.obj, Session):
        context.obj = Session(no_color=colors_refused())
    return context.obj


def _keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    session = session_of(context)
    if value:
        session = context.obj = replace(session, **{str(parameter.name): value})
    if session.no_color:
        context.color = False


def global_options(*, hidden: bool) -> list[click.Parameter]:
    """The options that stand before or after any command's name.

    Args:
        hidden: True for the commands: their help shows only what is their own.
    """

    def option(*names: str, **rest: Any) -> click.Option:
        return click.Option(names, expose_value=False, callback=_keep, is_eager=True, hidden=hidden, **rest)

    folder = click.Path(exists=True, path_type=Path)
    return [
        option(
            "-C", "--directory", type=folder, metavar="DIR", help="Look for the workspace here, not in this folder."
        ),
        option("-q", "--quiet", is_flag=True, help="Say only errors and the last line."),
        option("-v", "--verbose", is_flag=True, help="Say everything."),
        option("--no-color", is_flag=True, help="Use no colours; NO_COLOR=1 in the environment does the same."),
    ]


class Command(click.Command):
    """A command of tsws: takes the global options behind its name, too."""

    def __init__(self, *arguments: Any, **rest: Any) -> None:
        super().__init__(*arguments, **rest)
        self.params.extend(global_options(hidden=True))
