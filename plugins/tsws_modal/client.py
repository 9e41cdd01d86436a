"""Connecting to Modal. Nothing of it is imported before somebody connects."""

from __future__ import annotations

import asyncio
import io
import os
import socket
import tomllib
import urllib.request
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, redirect_stdout
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tsws.errors import TswsError
from tsws_modal.errors import TOKEN_NEW, refusals

if TYPE_CHECKING:
    import modal

REACH_SECONDS = 4.0
"""For a first connection to a server. The client itself would try for a minute before it said that there is none."""
GREETING_SECONDS = 5.0
"""For the first answer. With the above: unreachable is told within 10 s."""


def connect(form: type[TswsError], subject: str) -> modal.Client:
    """The client of this environment: the token, profile and server that the ``modal`` command would use, too.

    The first time in a process it makes sure that the server can be reached, answers, and accepts the token.

    Args:
        form: what is raised.
        subject: what the connection is for, such as ``volume stories``; the message begins with it.

    Raises:
        TswsError: a ``form``: no token, half a token, a wrong one, an unknown profile, a client too old, no connection.
    """
    with refusals(form, subject):
        with nullcontext() if _is_configuration_sound() else redirect_stdout(io.StringIO()):
            import modal
            from modal.config import config

        _check_token(form, subject)
        server = str(config.get("server_url"))
        try:
            _greet(server, config.get("token_id"))
        except OSError as error:
            raise form(
                f"{subject}: Modal can not be reached: {error}",
                hint="look at the network, the proxy and the firewall (and MODAL_SERVER_URL, if it is set), "
                "then run the same command again",
            ) from error
        return modal.Client.from_env()


def environment_of(chosen: str | None) -> str | None:
    """The environment of Modal in which names are looked up; None is the workspace's default.

    Args:
        chosen: what the manifest says; None leaves it to MODAL_ENVIRONMENT and the profile.
    """
    from modal.config import config

    return chosen or config.get("environment") or None


def _is_configuration_sound() -> bool:
    """Whether the client can read its file. If not, importing it prints a banner about a broken installation before it raises."""
    path = Path(os.environ.get("MODAL_CONFIG_PATH") or "~/.modal.toml").expanduser()
    try:
        tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        return False
    return True


def _check_token(form: type[TswsError], subject: str) -> None:
    """Refuse before anything is said to a server. The client does not tell half a token from none."""
    import modal
    from modal.config import config

    token_id, secret = config.get("token_id"), config.get("token_secret")
    if not token_id and not secret and not config.get("oauth_refresh_token"):
        modal.Client.from_env()  # refuses, and says whether it is for the token or the profile
    if bool(token_id) != bool(secret):
        there, missing = (
            ("MODAL_TOKEN_ID", "MODAL_TOKEN_SECRET") if token_id else ("MODAL_TOKEN_SECRET", "MODAL_TOKEN_ID")
        )
        raise form(
            f"{subject}: only half a Modal token is there: {there} without {missing}",
            hint=f"set {missing}, too, or {TOKEN_NEW}",
        )


@cache  # what raises is not kept, so the next call tries again
def _greet(server: str, token_id: str | None) -> None:  # noqa: ARG001  another token is greeted anew
    """Say hello and wait for the answer, but not for long."""
    import modal

    async def hello() -> None:
        client = await modal.Client.from_env.aio()
        await client.hello.aio()  # type: ignore[no-untyped-call]

    _reach(server)
    places = ", ".join(urlsplit(url.strip()).netloc for url in server.split(","))
    _within(GREETING_SECONDS, hello, f"{places} gives no answer")


def _reach(server: str) -> None:
    """Make sure that one of the client's servers, or its proxy, takes connections.

    Raises:
        OSError: none does; the text says which and why.
    """
    faults = []
    addresses = [_address(url) for url in server.split(",")]
    for address in addresses:
        try:
            with socket.create_connection(address, timeout=REACH_SECONDS / len(addresses)):
                return
        except OSError as error:
            faults.append(f"{address[0]}:{address[1]}: {error.strerror or error}")
    raise OSError(", ".join(faults))


def _address(url: str) -> tuple[str, int]:
    """Where the client will connect for a server's URL: the server or, as its own rules have it, a proxy."""
    from modal.config import config

    parts = urlsplit(url.strip())
    host = parts.hostname or ""
    if not config.get("disable_api_proxy") and not urllib.request.proxy_bypass(host):
        proxies = urllib.request.getproxies()
        proxy = proxies.get(parts.scheme) or proxies.get("all")
        if proxy:
            parts = urlsplit(proxy if "//" in proxy else f"//{proxy}", scheme="http")
    return parts.hostname or host, parts.port or (443 if parts.scheme == "https" else 80)


def _within(seconds: float, call: Callable[[], Coroutine[None, None, None]], otherwise: str) -> None:
    """Await a call, and cancel it when it takes longer.

    In a thread of its own, for the thread of a notebook has an event loop already.
    """

    async def limited() -> None:
        try:
            await asyncio.wait_for(call(), timeout=seconds)
        except TimeoutError:
            raise TimeoutError(f"{otherwise} within {seconds:.0f} seconds") from None

    with ThreadPoolExecutor(1, thread_name_prefix="modal-hello") as pool:
        pool.submit(asyncio.run, limited()).result()
