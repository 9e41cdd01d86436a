"""The backend keeps all the promises of its interface."""

from __future__ import annotations

from pathlib import Path

import pytest
from tsws_nice.backend import NiceBackend, NiceOptions

from tsws.testing import BackendConformance


class NiceInTests(NiceBackend):
    """Starts the suite's worker, which says and does what each test needs."""

    worker = "tsws.testing.worker"


class TestNice(BackendConformance):
    @pytest.fixture
    def backend(self, tmp_path: Path) -> NiceBackend:
        return NiceInTests("nice", NiceOptions(), tmp_path)
