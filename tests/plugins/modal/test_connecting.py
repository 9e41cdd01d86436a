"""What stands between a person and Modal is told in two lines, by the genuine client, and soon."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.modal_plane.plane import Plane

CHILD = """
import json
from tsws.errors import VolumeError
from tsws_modal.client import connect
try:
    connect(VolumeError, "volume stories")
except VolumeError as error:
    print(json.dumps([error.message, error.hint]))
else:
    print(json.dumps("connected"))
"""
TOKEN_NEW = "run `modal token new`, or set MODAL_TOKEN_ID and MODAL_TOKEN_SECRET"
NETWORK = "look at the network, the proxy and the firewall (and MODAL_SERVER_URL, if it is set), then run the same command again"


def connecting(plane: Plane, **changes: str | None) -> object:
    """What a new process comes to; a variable that is None is not set."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MODAL_")}
    variables = {**environment, **plane.environment, **changes}
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        env={name: value for name, value in variables.items() if value is not None},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_a_token_is_enough(plane: Plane) -> None:
    assert connecting(plane) == "connected"


def test_no_token(plane: Plane) -> None:
    found = connecting(plane, MODAL_TOKEN_ID=None, MODAL_TOKEN_SECRET=None)
    assert found == ["volume stories: there is no Modal token on this machine", TOKEN_NEW]


@pytest.mark.parametrize(
    ("there", "missing"), [("MODAL_TOKEN_ID", "MODAL_TOKEN_SECRET"), ("MODAL_TOKEN_SECRET", "MODAL_TOKEN_ID")]
)
def test_half_a_token(plane: Plane, there: str, missing: str) -> None:
    assert connecting(plane, **{missing: None}) == [
        f"volume stories: only half a Modal token is there: {there} without {missing}",
        f"set {missing}, too, or {TOKEN_NEW}",
    ]


def test_a_wrong_token(plane: Plane) -> None:
    assert connecting(plane, MODAL_TOKEN_SECRET="as-wrong") == [
        "volume stories: Modal does not accept the token: Token validation failed",
        "run `modal token new` for one that is valid",
    ]


def test_an_unknown_profile(plane: Plane) -> None:
    found = connecting(plane, MODAL_TOKEN_ID=None, MODAL_TOKEN_SECRET=None, MODAL_PROFILE="work")
    config = plane.environment["MODAL_CONFIG_PATH"]
    assert found == [
        f"volume stories: there is no Modal profile 'work' in {config}",
        "`modal profile list` shows those there are; `modal token new --profile work` makes this one",
    ]


def test_several_profiles_and_none_chosen(plane: Plane, tmp_path: Path) -> None:
    config = tmp_path / "modal.toml"
    config.write_text('[one]\ntoken_id = "ak-1"\n[two]\ntoken_id = "ak-2"\n')
    assert connecting(plane, MODAL_CONFIG_PATH=str(config)) == [
        "volume stories: which Modal profile? No Modal profile is active",
        "`modal profile activate NAME` chooses one",
    ]


def test_a_configuration_that_is_no_toml(plane: Plane, tmp_path: Path) -> None:
    config = tmp_path / "modal.toml"
    config.write_text("[one\n")
    assert connecting(plane, MODAL_CONFIG_PATH=str(config)) == [
        f"volume stories: the Modal configuration {config} can not be read",
        "mend the file, or remove it and run `modal token new`",
    ]


def test_a_client_that_is_too_old(plane: Plane) -> None:
    import modal

    plane.faults.oldest_client = "99.0.0"
    assert connecting(plane) == [
        f"volume stories: Modal no longer serves a client this old: The client version {modal.__version__} is too old: "
        "at least 99.0.0 is required. Please update with `pip install --upgrade modal`",
        "run `pip install --upgrade modal`",
    ]


def test_nobody_listens(plane: Plane) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    found = connecting(plane, MODAL_SERVER_URL=f"http://127.0.0.1:{port}")
    assert found == [f"volume stories: Modal can not be reached: 127.0.0.1:{port}: Connection refused", NETWORK]


def test_a_server_without_an_answer_is_told_within_ten_seconds(plane: Plane) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = f"127.0.0.1:{server.getsockname()[1]}"
        begun = time.monotonic()
        found = connecting(plane, MODAL_SERVER_URL=f"http://{place}")
        assert time.monotonic() - begun < 10
    assert found == [f"volume stories: Modal can not be reached: {place} gives no answer within 5 seconds", NETWORK]


def test_the_second_of_two_servers_will_do(plane: Plane) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        dead = f"http://127.0.0.1:{server.getsockname()[1]}"
    assert connecting(plane, MODAL_SERVER_URL=f"{dead},{plane.url}") == "connected"
