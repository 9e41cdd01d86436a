"""Removing, after showing what and asking: ``clean`` and ``gc``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from tsws.cli.columns import aligned
from tsws.cli.confirmation import confirm
from tsws.cli.session import Session
from tsws.cli.words import count
from tsws.io.sizes import format_bytes
from tsws.workspace.housekeeping import Removed


def remove(session: Session, root: Path, act: Callable[[bool], Removed], *, dry_run: bool, yes: bool) -> None:
    """Show what would be removed, ask, and remove it.

    Args:
        session: of the call.
        root: the workspace.
        act: ``clean`` or ``gc``; told whether it is only to say what would go.
        dry_run: end after showing.
        yes: do not ask.
    """
    wanted = act(True)
    if not wanted.paths:
        click.echo("Nothing to remove.")
        return
    rows = [(f"  {click.style('-', fg='red')} {path}", format_bytes(_size(root / path))) for path in wanted.paths]
    for line in aligned(rows, right=(1,)):
        session.say(line)
    files = count(len(wanted.paths), "path")
    if dry_run:
        click.echo(f"Would remove {files}, {format_bytes(wanted.bytes)}.")
        return
    confirm([f"it removes {files}, {format_bytes(wanted.bytes)}"], yes=yes)
    removed = act(False)
    click.echo(f"Removed {count(len(removed.paths), 'path')}, {format_bytes(removed.bytes)}.")


def _size(path: Path) -> int:
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    return sum(file.stat().st_size for file in files)
