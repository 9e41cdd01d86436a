"""Removing, after showing what and asking: ``clean`` and ``gc``."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Protocol

import click

from tsws.cli.columns import aligned
from tsws.cli.confirmation import confirm
from tsws.cli.session import Session
from tsws.cli.words import count
from tsws.io.sizes import format_bytes
from tsws.workspace.housekeeping import Removed


class Act(Protocol):
    """What removes things, or only says what would go."""

    def __call__(self, *, dry_run: bool = False, only: Collection[Path] | None = None) -> Removed: ...


def remove(session: Session, act: Act, *, dry_run: bool, yes: bool) -> None:
    """Show what would be removed, ask, and remove it.

    Args:
        session: of the call.
        act: a workspace's ``clean``, ``clean_volume`` of a volume, or ``gc``.
        dry_run: end after showing.
        yes: do not ask.
    """
    wanted = act(dry_run=True)
    if not wanted.paths:
        click.echo("Nothing to remove.")
        return
    rows = [(f"  {click.style('-', fg='red')} {path}", format_bytes(size)) for path, size in wanted.sizes.items()]
    for line in aligned(rows, right=(1,)):
        session.say(line)
    files = count(len(wanted.paths), "path")
    if dry_run:
        click.echo(f"Would remove {files}, {format_bytes(wanted.bytes)}.")
        return
    confirm([f"it removes {files}, {format_bytes(wanted.bytes)}"], yes=yes)
    removed = act(only=wanted.paths)  # more may have become removable since it was shown
    click.echo(f"Removed {count(len(removed.paths), 'path')}, {format_bytes(removed.bytes)}.")
