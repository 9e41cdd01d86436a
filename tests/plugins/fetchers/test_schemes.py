"""Which schemes there are, and what names no file."""

from __future__ import annotations

import subprocess
import sys

import fsspec
import pytest

from tsws.errors import FetchError
from tsws.plugin import load_plugins
from tsws_fetchers import FileFetcher, FilesystemFetcher, GitHubFetcher, HttpFetcher, HuggingFaceFetcher


def test_the_plugin_registers_every_scheme() -> None:
    fetchers = load_plugins().fetchers
    assert {scheme: fetchers[scheme] for scheme in ("http", "https", "hf", "github", "file", "s3", "gs", "ftp")} == {
        "http": HttpFetcher,
        "https": HttpFetcher,
        "hf": HuggingFaceFetcher,
        "github": GitHubFetcher,
        "file": FileFetcher,
        "s3": FilesystemFetcher,
        "gs": FilesystemFetcher,
        "ftp": FilesystemFetcher,
    }


def test_every_scheme_of_the_filesystem_fetcher_is_known_to_fsspec() -> None:
    assert set(FilesystemFetcher.schemes) <= set(fsspec.available_protocols())


def test_importing_the_plugin_loads_nothing_heavy() -> None:
    code = """
import sys
import tsws_fetchers
import tsws.fetch
print(sorted({"httpx2", "httpx", "huggingface_hub", "fsspec", "filelock", "tomli_w", "asyncio", "ssl"} & set(sys.modules)))
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == "[]\n"


@pytest.mark.parametrize(
    "uri",
    [
        "hf://",
        "hf://gpt2",
        "hf://a/b",
        "hf://a/b/",
        "hf://a/b/../../c",
        "hf://datasets/a/b",
        "hf://a b/c/d",
        "github://a/b",
        "github:a/b/c",
        "github://a/b@/c",
        "github://a/b@..%2Fx/c",
    ],
)
def test_what_names_no_file_of_a_repository_is_refused_with_an_example(uri: str) -> None:
    fetcher = load_plugins().fetcher_for(uri)
    with pytest.raises(FetchError, match="does not name a file of a repository") as caught:
        fetcher.resolve(uri)
    assert "://karpathy/" in (caught.value.hint or "")
