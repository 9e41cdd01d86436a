"""The folder volume: another folder of this machine (a second disk, a network share) as a volume."""

from __future__ import annotations

from tsws.plugin import Volume, hookimpl
from tsws_folder.volume import FolderOptions, FolderVolume

__all__ = ["FolderOptions", "FolderVolume", "tsws_volumes"]


@hookimpl
def tsws_volumes() -> list[type[Volume]]:
    return [FolderVolume]
