"""The hooks of the Modal plugin: what the entry point ``modal`` names."""

from __future__ import annotations

from tsws.plugin import Backend, Volume, hookimpl
from tsws_modal.backend import ModalBackend
from tsws_modal.volume import ModalVolume

__all__ = ["ModalBackend", "ModalVolume", "tsws_backends", "tsws_volumes"]


@hookimpl
def tsws_backends() -> list[type[Backend]]:
    return [ModalBackend]


@hookimpl
def tsws_volumes() -> list[type[Volume]]:
    return [ModalVolume]
