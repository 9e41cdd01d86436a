"""What ships for plugin authors: conformance suites that say when a volume or a backend is done.

Needs pytest. Subclass a suite in a test module, give it the fixture it asks for, and run pytest.
"""

import pytest

pytest.register_assert_rewrite("tsws.testing.backends", "tsws.testing.volumes")  # a failure shows its values

from tsws.testing.backends import BackendConformance  # noqa: E402 - rewritten only when imported after
from tsws.testing.volumes import VolumeConformance  # noqa: E402

__all__ = ["BackendConformance", "VolumeConformance"]
