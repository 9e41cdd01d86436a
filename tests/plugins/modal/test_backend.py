"""The backend keeps the promises of every backend; each job here is a container of the control plane."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.modal_plane.plane import Plane
from tsws.testing import BackendConformance
from tsws_modal.backend import ModalBackend
from tsws_modal.options import ModalOptions
from tsws_modal.volume import ModalVolume, ModalVolumeOptions


class ModalInTests(ModalBackend):
    """Starts the worker of the suite."""

    worker = "tsws.testing.worker"
    poll = 0.2


class TestModal(BackendConformance):
    @pytest.fixture
    def backend(self, plane: Plane, tmp_path: Path) -> ModalBackend:
        return ModalInTests("modal", ModalOptions(), tmp_path)

    @pytest.fixture
    def volume(self, plane: Plane, tmp_path: Path) -> ModalVolume:
        return ModalVolume(f"volume-{tmp_path.name}"[:60], ModalVolumeOptions(), tmp_path)
