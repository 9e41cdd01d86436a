"""``tsws completion``."""

from __future__ import annotations

import click

from tsws.cli.session import Command

_VARIABLE = "_TSWS_COMPLETE"
"""Through which the script asks tsws; click has it so for a program called tsws."""


@click.command("completion", cls=Command)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, /, shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash:  eval "$(tsws completion bash)"       in ~/.bashrc
    zsh:   eval "$(tsws completion zsh)"        in ~/.zshrc
    fish:  tsws completion fish > ~/.config/fish/completions/tsws.fish
    """
    from click.shell_completion import get_completion_class

    completion = get_completion_class(shell)
    if completion is None:
        raise AssertionError(f"click no longer knows {shell}")
    click.echo(completion(context.find_root().command, {}, "tsws", _VARIABLE).source())
