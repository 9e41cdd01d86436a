"""``http://`` and ``https://``."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import ClassVar

from tsws.plugin import Fetcher, Origin, Stream
from tsws_fetchers import web
from tsws_fetchers.filename import filename_of_disposition, filename_of_url


class HttpFetcher(Fetcher):
    """Files on the web. The URL is pinned as the manifest has it: what it redirects to is often gone tomorrow."""

    schemes: ClassVar[tuple[str, ...]] = ("http", "https")

    def resolve(self, uri: str) -> Origin:
        found = web.look(uri)
        return Origin(
            uri=uri,
            url=uri,
            filename=filename_of_disposition(found.disposition) or filename_of_url(uri),
            size=found.size,
            version=found.version,
        )

    def open(self, origin: Origin, offset: int = 0) -> AbstractContextManager[Stream]:
        return web.transfer(origin.url, offset, origin.version)
