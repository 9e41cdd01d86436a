"""Object stores and file servers, through fsspec: ``s3://``, ``gs://``, ``az://``, ``ftp://``...

fsspec's own configuration gives credentials and endpoints (environment variables ``FSSPEC_S3_ENDPOINT_URL`` and the like, or files in
``~/.config/fsspec``); most stores need a package of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, ClassVar

from tsws.errors import FetchError
from tsws.io.digest import CHUNK
from tsws.io.retry import TryAgain
from tsws.plugin import Fetcher, Origin, Stream
from tsws_fetchers.filename import safe_filename

_VERSION_KEYS = (
    "ETag",
    "etag",
    "md5Hash",
    "content_md5",
    "LastModified",
    "last_modified",
    "updated",
    "mtime",
    "modify",
)
"""What the file systems call an entity tag, a digest or a time of change: the best first."""

_CREDENTIALS = "give credentials and endpoint as fsspec's package for this store expects them"


class FilesystemFetcher(Fetcher):
    """Files wherever fsspec reaches."""

    schemes: ClassVar[tuple[str, ...]] = ("s3", "gs", "gcs", "az", "abfs", "ftp", "sftp", "smb", "hdfs")

    def resolve(self, uri: str) -> Origin:
        system, path = _open_system(uri)
        with _system_errors(uri):
            info = system.info(path)
        if info.get("type") == "directory":
            raise FetchError(f"{uri} is a folder", hint="name a file in it")
        version = next((str(info[key]) for key in _VERSION_KEYS if info.get(key)), None)
        return Origin(uri=uri, url=uri, filename=safe_filename(path), size=info.get("size"), version=version)

    @contextmanager
    def open(self, origin: Origin, offset: int = 0) -> Iterator[Stream]:
        system, path = _open_system(origin.url)
        with _system_errors(origin.uri):
            file = system.open(path, "rb", cache_type="readahead")
            file.seek(offset)
        with file:
            yield Stream(offset=offset, total=origin.size, chunks=_chunks(origin.uri, file))


def _chunks(uri: str, file: BinaryIO) -> Iterator[bytes]:
    while True:
        with _system_errors(uri):
            chunk = file.read(CHUNK)
        if not chunk:
            return
        yield chunk


def _open_system(uri: str) -> tuple[Any, str]:
    import fsspec

    scheme = uri.partition(":")[0]
    try:
        system, path = fsspec.url_to_fs(uri)
    except ImportError as error:
        raise FetchError(
            f"{uri}: fsspec needs another package for {scheme}://: {error}",
            hint="install the package that the message names into the environment of tsws",
        ) from error
    except ValueError as error:
        raise FetchError(
            f"{uri}: fsspec does not know {scheme}://: {error}", hint="`tsws plugins` lists the schemes"
        ) from error
    return system, path


@contextmanager
def _system_errors(uri: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise FetchError(f"{uri}: there is no such file", hint="check bucket (or host) and path") from error
    except PermissionError as error:
        raise FetchError(f"{uri}: no permission: {error}", hint=_CREDENTIALS) from error
    except OSError as error:
        raise TryAgain(f"{uri}: {error or type(error).__name__}") from error
    except Exception as error:  # each store's library has errors of its own, for missing credentials above all
        raise FetchError(f"{uri}: {type(error).__name__}: {error}", hint=_CREDENTIALS) from error
