"""What `github://` URIs stand for."""

from __future__ import annotations

import pytest

from tests.fixtures.hub import HubServer
from tests.plugins.fetchers.content import DATA, DIGEST, GIT_COMMIT, read
from tsws.errors import FetchError
from tsws.plugin import Origin
from tsws_fetchers import GitHubFetcher


@pytest.mark.parametrize("ref", ["HEAD", "master", "v1.0"])
def test_github_pins_the_commit(hub: HubServer, ref: str) -> None:
    uri = hub.add_github("karpathy/llama2.c", "doc/stories 1.txt", DATA, ref=ref)
    fetcher = GitHubFetcher()
    origin = fetcher.resolve(uri)
    assert origin.url == f"{hub.url}/karpathy/llama2.c/{GIT_COMMIT}/doc/stories%201.txt"
    assert (origin.filename, origin.size) == ("stories 1.txt", len(DATA))
    assert read(fetcher, origin, 5) == (5, len(DATA), DATA[5:])


def test_github_a_commit_needs_no_asking(hub: HubServer) -> None:
    hub.add_github("karpathy/llama2.c", "run.c", DATA)
    GitHubFetcher().resolve(f"github://karpathy/llama2.c@{GIT_COMMIT}/run.c")
    assert {request.path for request in hub.requests} == {f"karpathy/llama2.c/{GIT_COMMIT}/run.c"}


def test_github_gives_large_files_and_not_the_lines_that_name_them(hub: HubServer) -> None:
    uri = hub.add_github("me/stories", "all.txt", DATA, large=True)
    origin = GitHubFetcher().resolve(uri)
    assert origin == Origin(
        uri=uri,
        url=f"{hub.url}/media/me/stories/{GIT_COMMIT}/all.txt",
        filename="all.txt",
        size=len(DATA),
        version=DIGEST,
        sha256=DIGEST,
    )
    assert read(GitHubFetcher(), origin, 5) == (5, len(DATA), DATA[5:])


def test_github_goes_by_the_ref_where_the_api_refuses(hub: HubServer) -> None:
    uri = hub.add_github("karpathy/llama2.c", "run.c", DATA, ref="master")
    hub.add("repos/karpathy/llama2.c/commits/master", status=403)
    assert GitHubFetcher().resolve(uri).url == f"{hub.url}/karpathy/llama2.c/master/run.c"


def test_github_sends_the_token(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = hub.add_github("me/private", "stories.txt", DATA, token="secret")
    with pytest.raises(FetchError, match="401") as caught:
        GitHubFetcher().resolve(uri)
    assert "GITHUB_TOKEN" in (caught.value.hint or "")
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    assert read(GitHubFetcher(), GitHubFetcher().resolve(uri)) == (0, len(DATA), DATA)


def test_github_names_what_is_not_there(hub: HubServer) -> None:
    with pytest.raises(FetchError, match="the server answers 404") as caught:
        GitHubFetcher().resolve("github://a/b/c")
    assert "GITHUB_TOKEN" in (caught.value.hint or "")
