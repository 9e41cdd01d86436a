"""A server that can misbehave, and everything that a download needs beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.hub import HubServer
from tsws.fetch import Fetched, download
from tsws_fetchers import HttpFetcher


@pytest.fixture
def hub() -> Iterator[HubServer]:
    with HubServer() as server:
        yield server


@pytest.fixture
def partial(tmp_path: Path) -> Path:
    """The folder for unfinished files."""
    return tmp_path / "partial"


@pytest.fixture
def fetch(tmp_path: Path, partial: Path) -> Callable[..., Fetched]:
    """``download`` to ``tmp_path/file``, without waiting between attempts."""

    def call(uri: str, **arguments: Any) -> Fetched:
        settings = {"fetcher": HttpFetcher(), "partial": partial, "backoff": lambda attempt: 0.0, **arguments}
        return download(uri, settings.pop("destination", tmp_path / "file"), **settings)

    return call
