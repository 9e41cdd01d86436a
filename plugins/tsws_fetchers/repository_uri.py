"""URIs of files in versioned repositories: ``SCHEME://OWNER/REPO[@REVISION]/PATH``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from tsws.errors import FetchError
from tsws.io.paths import is_relative_inside

_NAME = r"[A-Za-z0-9._-]+"
_URI = re.compile(
    rf"(?P<owner>{_NAME})/(?P<repo>{_NAME})(?:@(?P<revision>refs/(?:pr|convert)/[^/]+|[^/]+))?/(?P<path>.+)"
)


@dataclass(frozen=True)
class RepositoryFile:
    """A file of a repository."""

    owner: str
    repo: str
    revision: str | None
    """Branch, tag or commit; None: the default branch."""
    path: str
    """Relative to the repository's root."""


def parse_repository_uri(uri: str, rest: str, *, example: str) -> RepositoryFile:
    """Take a URI apart.

    Args:
        uri: the whole, for messages.
        rest: what comes behind scheme and kind. A revision with slashes is written with ``%2F``
            (``@feature%2Fshort-stories``); ``@refs/pr/1`` may be written as it is.
        example: a right one, for messages.

    Raises:
        FetchError: it has another form.
    """
    found = _URI.fullmatch(rest)
    revision = unquote(found["revision"]) if found and found["revision"] else None
    if found is None or not is_relative_inside(found["path"]) or (revision and not is_relative_inside(revision)):
        raise FetchError(f"{uri!r} does not name a file of a repository", hint=f"write it as in {example}")
    return RepositoryFile(found["owner"], found["repo"], revision, found["path"])
