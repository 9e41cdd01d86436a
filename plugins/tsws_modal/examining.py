"""What ``tsws doctor`` looks at: the client, the token, the secrets that the manifest names, the image."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tsws.errors import JobError
from tsws.plugin import Finding, load_plugins, shipment
from tsws_modal.client import connect, environment_of
from tsws_modal.errors import refusals
from tsws_modal.image import build_image, requirements
from tsws_modal.options import ModalOptions
from tsws_modal.prices import price_of
from tsws_modal.rates import known_rates, refresh_rates


def examine(table: str, options: ModalOptions, base: Path) -> Iterator[Finding]:
    """Each thing that has to be right before a job can be launched; the first that is not is the last.

    Args:
        table: name of the backend's table.
        options: its keys.
        base: the workspace.
    """
    name = f"backend {table}"
    try:
        yield Finding(name, True, f"the modal client is version {version('modal')}")
    except PackageNotFoundError:
        yield Finding(name, False, "the modal client is not installed", "run `pip install 'modal>=1.6,<2'`")
        return
    try:
        client = connect(JobError, name)
        with refusals(JobError, name):
            import modal

            workspace = modal.Workspace.from_context(client=client).hydrate()
            yield Finding(name, True, f"the token is accepted; the workspace is {workspace.name or 'without a name'}")
            environment = environment_of(options.environment)
            for secret in options.secrets:
                modal.Secret.from_name(secret, environment_name=environment).hydrate(client=client)
            if options.secrets:
                yield Finding(name, True, f"its secrets are there: {', '.join(options.secrets)}")
            yield Finding(name, True, _image(options, base))
    except JobError as error:
        yield Finding(name, False, error.message.removeprefix(f"{name}: "), error.hint)
        return
    refresh_rates(base)
    price = price_of(options, *known_rates(base))
    yield Finding(name, True, f"{price.machine}: ${price.dollars_per_hour:.2f} an hour ({price.source})")


def _image(options: ModalOptions, base: Path) -> str:
    """What the image holds. It is not built for an examination: that takes minutes, and the first run has to do it anyway.

    Raises:
        Exception: Modal's client refuses what it is to be made of.
    """
    shipped = shipment(load_plugins())
    build_image(shipped, options.packages, base / ".tsws/cache/modal")
    packages = requirements(shipped, options.packages)
    torch = next(one for one in packages if one.startswith("torch=="))
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"its image has Python {python}, {torch} and {len(packages) - 1} more packages, as here; the first run builds it"
