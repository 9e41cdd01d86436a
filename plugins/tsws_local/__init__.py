"""The local backend: workers as processes of this machine."""

from __future__ import annotations

from tsws.plugin import Backend, hookimpl
from tsws_local.backend import LocalBackend

__all__ = ["LocalBackend", "tsws_backends"]


@hookimpl
def tsws_backends() -> list[type[Backend]]:
    return [LocalBackend]
