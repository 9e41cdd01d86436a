"""A plugin's keys, wanted and not given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from tsws.errors import PluginError
from tsws.job import VolumeRef
from tsws.plugin import load_plugins
from tsws.resources.active_jobs import open_backend
from tsws.resources.volume import open_volume
from tsws_local import LocalBackend


class Wanting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    region: str


class WantingBackend(LocalBackend):
    name = "wanting"
    Options = Wanting  # type: ignore[assignment]


def test_a_backend_without_a_key_that_it_needs_is_named(tmp_path: Path) -> None:
    found = load_plugins()
    plugins = replace(found, backends={**found.backends, "wanting": WantingBackend})
    with pytest.raises(PluginError) as error:
        open_backend("wanting", "wanting", {}, plugins, tmp_path)
    assert error.value.message == "backend.wanting: object missing required field `region`"
    assert error.value.hint == "add it to the table [backend.wanting] of the manifest; `tsws schema` lists the keys"


def test_a_volume_without_a_key_that_it_needs_is_named(tmp_path: Path) -> None:
    with pytest.raises(PluginError) as error:
        open_volume(VolumeRef(name="box", kind="folder"), load_plugins(), tmp_path)
    assert error.value.message == "volume.box: object missing required field `path`"
