"""``hf://[datasets/|spaces/]OWNER/REPO[@REVISION]/PATH``: a file of a repository on the Hugging Face Hub.

Environment, as huggingface_hub has it: ``HF_TOKEN`` (or a stored login) for private and gated repositories, ``HF_ENDPOINT`` for a mirror.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, ClassVar

from tsws.errors import FetchError
from tsws.io.retry import TryAgain
from tsws.plugin import Fetcher, Origin, Stream
from tsws.version import __version__
from tsws_fetchers import web
from tsws_fetchers.filename import safe_filename
from tsws_fetchers.repository_uri import parse_repository_uri

if TYPE_CHECKING:
    from huggingface_hub.errors import HfHubHTTPError

_EXAMPLE = "hf://datasets/enio/TinyStories/tok105/tok105.model or hf://karpathy/tinyllamas@main/stories15M.bin"
_KINDS = {"datasets": "dataset", "spaces": "space", "models": "model"}
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TOKEN_HINT = "set HF_TOKEN to a token that may read it (https://huggingface.co/settings/tokens)"
_HINTS = {
    401: f"if the repository is private or gated, {_TOKEN_HINT}",
    403: f"accept the repository's conditions on its page, and {_TOKEN_HINT}",
    404: "check owner, repository, revision and path",
}


class HuggingFaceFetcher(Fetcher):
    """Files on the Hugging Face Hub, pinned to the commit that the revision names when it is first fetched."""

    schemes: ClassVar[tuple[str, ...]] = ("hf",)

    def resolve(self, uri: str) -> Origin:
        hub = _hub()
        rest = uri.partition("://")[2]
        kind, _, tail = rest.partition("/")
        repo_type = _KINDS.get(kind)
        file = parse_repository_uri(uri, tail if repo_type else rest, example=_EXAMPLE)
        with _hub_errors(uri):

            def url_of(revision: str) -> str:
                repo_id = f"{file.owner}/{file.repo}"
                url = hub.hf_hub_url(repo_id, file.path, repo_type=repo_type, revision=revision, endpoint=_endpoint())
                return str(url)

            url = url_of(file.revision or "main")
            found = hub.get_hf_file_metadata(
                url,
                token=os.environ.get("HF_TOKEN"),
                timeout=web.READ_TIMEOUT,
                library_name="tsws",
                library_version=__version__,
                endpoint=_endpoint(),
            )
            if found.commit_hash is not None:
                url = url_of(found.commit_hash)
        # The hub's tag of a large file (LFS, Xet) is the SHA-256 of its bytes; that of a small one is its Git blob id.
        return Origin(
            uri=uri,
            url=url,
            filename=safe_filename(file.path),
            size=found.size,
            version=found.etag,
            sha256=found.etag if found.etag and _SHA256.fullmatch(found.etag) else None,
        )

    def open(self, origin: Origin, offset: int = 0) -> AbstractContextManager[Stream]:
        # No If-Range: the commit stands in the URL, so the bytes behind it stay the same.
        return web.transfer(origin.url, offset, None, headers=_authorization(origin.url), hints=_HINTS)


def _hub() -> ModuleType:
    """The library. It would first send a request of its own, to find out what to report about this machine's tools."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    import huggingface_hub

    return huggingface_hub


def _endpoint() -> str:
    return str(os.environ.get("HF_ENDPOINT") or _hub().constants.ENDPOINT).rstrip("/")


def _authorization(url: str) -> dict[str, str]:
    """The token, for the Hub's own addresses only: a lock file may name any other."""
    token = os.environ.get("HF_TOKEN") or _hub().get_token()
    return {"Authorization": f"Bearer {token}"} if token and url.startswith(f"{_endpoint()}/") else {}


@contextmanager
def _hub_errors(uri: str) -> Iterator[None]:
    import httpx2
    from huggingface_hub import errors

    try:
        yield
    except errors.HFValidationError as error:
        raise FetchError(f"{uri!r} does not name a repository: {error}", hint=f"write it as in {_EXAMPLE}") from error
    except errors.OfflineModeIsEnabled as error:
        raise FetchError(f"{uri}: HF_HUB_OFFLINE forbids to ask the Hub", hint="unset HF_HUB_OFFLINE") from error
    except errors.HfHubHTTPError as error:
        raise _explained(uri, error) from error
    except httpx2.TransportError as error:
        raise TryAgain(f"{uri}: {error or type(error).__name__}") from error


def _explained(uri: str, error: HfHubHTTPError) -> FetchError | TryAgain:
    from huggingface_hub import errors

    response = error.response
    status = response.status_code
    explanations: list[tuple[type[Exception], str, str]] = [
        (errors.GatedRepoError, "its repository is gated", _HINTS[403]),
        (errors.DisabledRepoError, "its repository was disabled", "look at its page for the reason"),
        (errors.RevisionNotFoundError, "its repository has no such revision", "check what follows the '@'"),
        (errors.EntryNotFoundError, "its repository has no such file", "check the path; it is case-sensitive"),
        (
            errors.RepositoryNotFoundError,
            "there is no such repository, or it is private",
            f"check owner and name (a dataset needs `hf://datasets/`); if it is private, {_TOKEN_HINT}",
        ),
    ]
    for kind, what, hint in explanations:
        if isinstance(error, kind) or (status == 401 and kind is errors.RepositoryNotFoundError):
            return FetchError(f"{uri} can not be fetched: {what} ({status})", hint=hint)
    if status in {408, 425, 429} or status >= 500:
        return TryAgain(f"{uri}: the Hub answers {status}", after=web.retry_after(response.headers.get("Retry-After")))
    return FetchError(f"{uri} can not be fetched: the Hub answers {status}", hint=_HINTS.get(status))
