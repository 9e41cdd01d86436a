"""Arguments and options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from tsws.cli.session import session_of

F = TypeVar("F", bound=Callable[..., Any])


def complete_address(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """Addresses of the workspace that begin so, for the shell. Without a manifest there are none."""
    from tsws.errors import TswsError
    from tsws.workspace import Workspace

    try:
        graph = Workspace.open(session_of(context).directory).graph
    except TswsError:
        return []
    return [resource.address for resource in graph if resource.address.startswith(incomplete)]


def set_option(function: F) -> F:
    """``--set KEY=VALUE``, for commands that load a manifest."""
    return click.option(
        "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key, as run.baby.max_iters=2000."
    )(function)


def target_options(function: F) -> F:
    """What a plan is for: addresses, ``--all``, ``--replace``, ``--refresh``."""
    for decorate in (
        click.option("--refresh", is_flag=True, help="Look at volumes that do not lie on this machine."),
        click.option(
            "--replace",
            "--fresh",
            multiple=True,
            metavar="ADDRESS",
            shell_complete=complete_address,
            help="Make this anew, whatever there is of it; a run begins at its first step.",
        ),
        click.option("--all", "everything", is_flag=True, help="Everything that is declared."),
        click.argument("addresses", nargs=-1, metavar="[ADDRESS]...", shell_complete=complete_address),
    ):
        function = decorate(function)
    return function


def address_argument(function: F) -> F:
    """One address."""
    return click.argument("address", metavar="ADDRESS", shell_complete=complete_address)(function)
