"""``file:relative`` and ``file:///absolute``: files of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote

from tsws.errors import FetchError
from tsws.io.digest import CHUNK
from tsws.plugin import Fetcher, Origin, Stream
from tsws_fetchers.filename import safe_filename


class FileFetcher(Fetcher):
    """Files of this machine. A relative path is relative to the working directory of the process."""

    schemes: ClassVar[tuple[str, ...]] = ("file",)

    def resolve(self, uri: str) -> Origin:
        path = _path(uri)
        try:
            stat = path.stat()
        except OSError as error:
            raise _unreadable(uri, path, error) from error
        if not path.is_file():
            raise FetchError(f"{uri}: {path} is no regular file", hint="name a file; a folder can be packed with tar")
        return Origin(
            uri=uri,
            url=path.as_uri(),
            filename=safe_filename(path.name),
            size=stat.st_size,
            version=str(stat.st_mtime_ns),
        )

    @contextmanager
    def open(self, origin: Origin, offset: int = 0) -> Iterator[Stream]:
        path = _path(origin.url)
        try:
            file = path.open("rb")
        except OSError as error:
            raise _unreadable(origin.uri, path, error) from error
        with file:
            file.seek(offset)
            yield Stream(offset=offset, total=path.stat().st_size, chunks=iter(lambda: file.read(CHUNK), b""))


def _path(uri: str) -> Path:
    rest = uri.partition(":")[2]
    if rest.startswith("//"):
        host, slash, tail = rest[2:].partition("/")
        if host not in {"", "localhost"} or not slash:
            raise FetchError(
                f"{uri} names the machine {host!r}, not a file of this one",
                hint="write file:relative/path or file:///absolute/path",
            )
        rest = "/" + tail
    if not rest:
        raise FetchError(f"{uri!r} names no file", hint="write file:relative/path or file:///absolute/path")
    return Path(unquote(rest)).absolute()


def _unreadable(uri: str, path: Path, error: OSError) -> FetchError:
    return FetchError(f"{uri}: {path} can not be read: {error.strerror or error}", hint="check the path and its rights")
