"""``tsws schema``."""

from __future__ import annotations

import click

from tsws.cli.session import Command


@click.command("schema", cls=Command)
def command() -> None:
    """Print the JSON schema of the manifest, for editors.

    `tsws schema > tinystories.schema.json`, and `#:schema ./tinystories.schema.json` as the first line of the manifest, give
    completion and checking in editors that know Taplo or Even Better TOML.
    """
    import json

    from tsws.manifest.schema import json_schema
    from tsws.plugin import load_plugins

    click.echo(json.dumps(json_schema(load_plugins()), indent=2, ensure_ascii=False))
