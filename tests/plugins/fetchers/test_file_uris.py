"""What `file:` URIs stand for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugins.fetchers.content import DATA, read
from tsws.errors import FetchError
from tsws.plugin import Origin
from tsws_fetchers import FileFetcher


def test_file_uris_are_absolute_or_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "my stories.txt"
    path.write_bytes(DATA)
    monkeypatch.chdir(tmp_path)
    fetcher = FileFetcher()
    for uri in (
        path.as_uri(),
        f"file:{path}",
        "file:my stories.txt",
        "file:./my%20stories.txt",
        f"file://localhost{path}",
    ):
        origin = fetcher.resolve(uri)
        assert origin == Origin(
            uri=uri,
            url=path.as_uri(),
            filename="my stories.txt",
            size=len(DATA),
            version=str(path.stat().st_mtime_ns),
        )
        assert read(fetcher, origin, 5) == (5, len(DATA), DATA[5:])


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("file:absent.txt", "can not be read: No such file or directory"),
        ("file:///", "is no regular file"),
        ("file:", "names no file"),
        ("file://server/share", "names the machine 'server'"),
    ],
)
def test_file_uris_that_lead_nowhere_are_explained(uri: str, message: str) -> None:
    with pytest.raises(FetchError, match=message):
        FileFetcher().resolve(uri)
