"""``tsws schema``."""

from __future__ import annotations

from typing import Any

import click

from tsws.cli.session import Command


@click.command("schema", cls=Command)
@click.argument("document", type=click.Choice(["manifest", "plan", "status"]), default="manifest", metavar="[DOCUMENT]")
def command(document: str) -> None:
    """Print the JSON schema of the manifest, for editors.

    DOCUMENT is manifest, plan or status; the last two describe what `tsws plan --json` and `tsws status --json` print.
    `tsws schema > tinystories.schema.json`, and `#:schema ./tinystories.schema.json` as the first line of the manifest, give
    completion and checking in editors that know Taplo or Even Better TOML.
    """
    import json

    click.echo(json.dumps(_schema(document), indent=2, ensure_ascii=False))


def _schema(document: str) -> dict[str, Any]:
    if document == "manifest":
        from tsws.manifest.schema import json_schema
        from tsws.plugin import load_plugins

        return json_schema(load_plugins())
    import msgspec

    from tsws.cli.documents import PlanDocument, StatusDocument
    from tsws.manifest.schema import DIALECT

    described = msgspec.json.schema(PlanDocument if document == "plan" else StatusDocument)
    return {"$schema": DIALECT, **described}
