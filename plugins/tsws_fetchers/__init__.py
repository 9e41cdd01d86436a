"""The fetchers that come with tsws: the web, Hugging Face, GitHub, this machine's files, and what fsspec knows."""

from __future__ import annotations

from tsws.plugin import Fetcher, hookimpl
from tsws_fetchers.file import FileFetcher
from tsws_fetchers.filesystem import FilesystemFetcher
from tsws_fetchers.github import GitHubFetcher
from tsws_fetchers.http import HttpFetcher
from tsws_fetchers.hugging_face import HuggingFaceFetcher

__all__ = [
    "FileFetcher",
    "FilesystemFetcher",
    "GitHubFetcher",
    "HttpFetcher",
    "HuggingFaceFetcher",
    "tsws_fetchers",
]


@hookimpl
def tsws_fetchers() -> list[type[Fetcher]]:
    return [HttpFetcher, HuggingFaceFetcher, GitHubFetcher, FileFetcher, FilesystemFetcher]
