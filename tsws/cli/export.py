"""``tsws export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tsws.cli.options import set_option
from tsws.cli.session import Command, Session

if TYPE_CHECKING:
    from tsws.plugin import Plugins

_FILES = (".bin", ".safetensors")


@click.command("export", cls=Command)
@click.argument("source", metavar="RUN|FILE")
@click.argument("destination", metavar="OUT", type=click.Path(path_type=Path))
@click.option("--format", "format_", metavar="NAME", help="llama2c, safetensors or a plugin's; what OUT's name says.")
@click.option("--version", type=click.IntRange(0, 2), help="Of llama2c: 0 or 1 hold float32, 2 holds int8; 0.")
@click.option(
    "--group-size", type=click.IntRange(min=1), help="Of version 2: weights that share a scale; what fits, up to 64."
)
@click.option("--weights", type=click.Choice(["best", "last"]), default="best", help="Of a run; best.")
@click.option("--force", is_flag=True, help="Replace OUT.")
@set_option
@click.pass_obj
def command(
    session: Session,
    /,
    source: str,
    destination: Path,
    format_: str | None,
    weights: Any,
    force: bool,
    overrides: tuple[str, ...],
    **options: int | None,
) -> None:
    """Write a model in another format, such as int8.

    RUN is a run of the manifest: its weights, as its last success left them. FILE is a model.bin of any version or a safetensors
    file that tsws has written; it needs no workspace. What should be there always belongs in the manifest, as an
    [export.NAME].
    """
    from tsws.io.sizes import format_bytes
    from tsws.workspace.exporting import Wanted, export_file

    wanted = Wanted(destination, format_, {key: value for key, value in options.items() if value is not None}, force)
    path, plugins = _source(session, source, weights, overrides)
    export_file(path, wanted, plugins)
    click.echo(f"{destination}: {format_bytes(destination.stat().st_size)}")


def _source(session: Session, source: str, weights: Any, overrides: tuple[str, ...]) -> tuple[Path, Plugins]:
    """The file that is meant, and the plugins that there are."""
    from tsws.errors import UsageError
    from tsws.plugin import load_plugins
    from tsws.workspace.exporting import weights_of_run

    path = Path(source)
    if path.is_file():
        return path, load_plugins()
    if path.suffix in _FILES:
        raise UsageError(f"there is no file {source}", hint="name a model file, or a run of the manifest")
    workspace = session.open(overrides)
    return weights_of_run(workspace.context, source, weights), workspace.plugins
