"""``github://OWNER/REPO[@REF]/PATH``: a file of a GitHub repository.

Environment: ``GITHUB_TOKEN`` for private repositories and a higher rate limit; ``GITHUB_API_URL``, ``GITHUB_RAW_URL`` and
``GITHUB_MEDIA_URL`` (large files) for another server than github.com.
"""

from __future__ import annotations

import os
import re
from contextlib import AbstractContextManager
from typing import ClassVar
from urllib.parse import quote

from tsws.errors import FetchError
from tsws.io.retry import TryAgain
from tsws.plugin import Fetcher, Origin, Stream
from tsws_fetchers import web
from tsws_fetchers.filename import safe_filename
from tsws_fetchers.repository_uri import RepositoryFile, parse_repository_uri

_EXAMPLE = "github://karpathy/llama2.c@master/README.md"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_POINTER = re.compile(r"version https://git-lfs\.github\.com/spec/v1\n(?:.*\n)*oid sha256:([0-9a-f]{64})\nsize (\d+)\n")
_LARGEST_POINTER = 1024
"""Bytes; a longer file is no pointer (Git LFS specification, "The Pointer")."""
_HINTS = {
    401: "GITHUB_TOKEN is not valid: renew it, or unset it for public repositories",
    403: "set GITHUB_TOKEN to a token that may read this repository",
    404: "check owner, repository, ref and path; for a private repository set GITHUB_TOKEN",
}


class GitHubFetcher(Fetcher):
    """Files of GitHub repositories, pinned to the commit that the ref names when it is first fetched."""

    schemes: ClassVar[tuple[str, ...]] = ("github",)

    def resolve(self, uri: str) -> Origin:
        file = parse_repository_uri(uri, uri.partition("://")[2], example=_EXAMPLE)
        place = "/".join([file.owner, file.repo, quote(_commit(file)), quote(file.path)])
        url = f"{_raw_url()}/{place}"
        found = web.look(url, headers=_authorization(url), hints=_HINTS)
        filename = safe_filename(file.path)
        if found.size is not None and found.size <= _LARGEST_POINTER:
            # What Git LFS keeps stands in the repository as a few lines that name it; nobody wants those.
            pointer = _POINTER.fullmatch(web.get_text(url, headers=_authorization(url), hints=_HINTS))
            if pointer is not None:
                url = f"{_media_url()}/{place}"
                return Origin(uri, url, filename, size=int(pointer[2]), version=pointer[1], sha256=pointer[1])
        return Origin(uri, url, filename, size=found.size, version=found.version)

    def open(self, origin: Origin, offset: int = 0) -> AbstractContextManager[Stream]:
        # With a digest known the end is verified, and no condition is needed; an LFS object's version is none anyway.
        version = origin.version if origin.sha256 is None else None
        return web.transfer(origin.url, offset, version, headers=_authorization(origin.url), hints=_HINTS)


def _commit(file: RepositoryFile) -> str:
    """The commit that a ref names; the ref itself where the API does not tell (its rate limit is low without a token)."""
    ref = file.revision or "HEAD"
    if _COMMIT.fullmatch(ref):
        return ref
    url = f"{_api_url()}/repos/{file.owner}/{file.repo}/commits/{quote(ref, safe='')}"
    try:
        answer = web.get_text(
            url, headers={"Accept": "application/vnd.github.sha", **_authorization(url)}, hints=_HINTS
        )
    except (FetchError, TryAgain):  # the transfer itself will say what is wrong, if anything is
        return ref
    return answer.strip() if _COMMIT.fullmatch(answer.strip()) else ref


def _api_url() -> str:
    return (os.environ.get("GITHUB_API_URL") or "https://api.github.com").rstrip("/")


def _raw_url() -> str:
    return (os.environ.get("GITHUB_RAW_URL") or "https://raw.githubusercontent.com").rstrip("/")


def _media_url() -> str:
    return (os.environ.get("GITHUB_MEDIA_URL") or "https://media.githubusercontent.com/media").rstrip("/")


def _authorization(url: str) -> dict[str, str]:
    """The token, for GitHub's own addresses only: a lock file may name any other."""
    token = os.environ.get("GITHUB_TOKEN")
    if not token or not url.startswith(tuple(f"{own}/" for own in (_api_url(), _raw_url(), _media_url()))):
        return {}
    return {"Authorization": f"Bearer {token}"}
