"""A Modal volume keeps the promises of every volume: the genuine client, on the local control plane."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from tests.modal_plane.plane import Plane
from tsws.testing import VolumeConformance
from tsws_modal.volume import ModalVolume, ModalVolumeOptions

_numbers = itertools.count()


class TestVersion2(VolumeConformance):
    @pytest.fixture
    def volume(self, plane: Plane, tmp_path: Path) -> ModalVolume:
        return ModalVolume(f"stories-{next(_numbers)}", ModalVolumeOptions(), tmp_path)


class TestVersion1(VolumeConformance):
    @pytest.fixture
    def volume(self, plane: Plane, tmp_path: Path) -> ModalVolume:
        return ModalVolume(f"stories-{next(_numbers)}", ModalVolumeOptions(version=1), tmp_path)
