"""Stores that fsspec reads: their files, and their errors."""

from __future__ import annotations

import sys

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.registry import _registry

from tests.plugins.fetchers.content import DATA, read
from tsws.errors import FetchError
from tsws.io.retry import TryAgain
from tsws.plugin import Origin
from tsws_fetchers import FilesystemFetcher


class Bucket(MemoryFileSystem):
    """Stands in for the package of a store."""

    protocol = "s3"
    cachable = False
    failure: Exception | None = None

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return "/" + path.removeprefix("s3://").strip("/")

    def info(self, path: str, **kwargs: object) -> dict[str, object]:
        if self.failure is not None:
            raise self.failure
        return {**super().info(path, **kwargs), "ETag": '"v1"'}


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> type[Bucket]:
    monkeypatch.setitem(_registry, "s3", Bucket)
    monkeypatch.setattr(Bucket, "store", {})
    return Bucket


def test_stores_are_read_through_fsspec(bucket: type[Bucket]) -> None:
    bucket().pipe_file("/stories/a.txt", DATA)
    fetcher = FilesystemFetcher()
    origin = fetcher.resolve("s3://stories/a.txt")
    assert origin == Origin(
        uri="s3://stories/a.txt", url="s3://stories/a.txt", filename="a.txt", size=len(DATA), version='"v1"'
    )
    assert read(fetcher, origin, 5) == (5, len(DATA), DATA[5:])


@pytest.mark.parametrize(
    ("failure", "raised", "message"),
    [
        (FileNotFoundError("x"), FetchError, "s3://stories/a.txt: there is no such file"),
        (PermissionError("Forbidden"), FetchError, "s3://stories/a.txt: no permission: Forbidden"),
        (RuntimeError("no credentials"), FetchError, "s3://stories/a.txt: RuntimeError: no credentials"),
        (ConnectionResetError("reset"), TryAgain, "s3://stories/a.txt: reset"),
    ],
)
def test_errors_of_stores_are_explained(
    bucket: type[Bucket], monkeypatch: pytest.MonkeyPatch, failure: Exception, raised: type[Exception], message: str
) -> None:
    monkeypatch.setattr(bucket, "failure", failure)
    with pytest.raises(raised) as caught:
        FilesystemFetcher().resolve("s3://stories/a.txt")
    assert str(caught.value) == message


def test_a_folder_of_a_store_is_refused(bucket: type[Bucket]) -> None:
    bucket().pipe_file("/stories/a.txt", DATA)
    with pytest.raises(FetchError, match="is a folder"):
        FilesystemFetcher().resolve("s3://stories")


def test_a_store_whose_package_is_missing_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    with pytest.raises(FetchError, match="Please install gcsfs") as caught:
        FilesystemFetcher().resolve("gs://stories/a.txt")
    assert "install the package" in (caught.value.hint or "")
