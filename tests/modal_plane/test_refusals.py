"""What a client is told when it may not, or when it asks for what is not there. Nothing runs here."""

from __future__ import annotations

import json

import pytest
from grpclib.const import Status

from tests.modal_plane.auth import Token
from tests.modal_plane.conftest import Client
from tests.modal_plane.faults import BuildFailure
from tests.modal_plane.plane import Plane

HELLO = "import modal; modal.Client.from_env().hello(); print('hello')"


@pytest.mark.parametrize(
    ("environment", "answer"),
    [
        ({}, "hello"),
        ({"MODAL_TOKEN_SECRET": "as-wrong"}, "modal.exception.AuthError: Token validation failed"),
        ({"MODAL_TOKEN_ID": "ak-nobody"}, "modal.exception.AuthError: Token validation failed"),
    ],
)
def test_only_a_known_token_is_let_in(client: Client, environment: dict[str, str], answer: str) -> None:
    assert client.error(HELLO, **environment) == answer


def test_two_tokens_are_told_apart(plane: Plane, client: Client) -> None:
    plane.tokens.known["ak-other"] = Token("as-other", "elsewhere", frozenset({"SecretList"}))
    code = """if True:
        import modal
        print(modal.Workspace.from_context().hydrate().name)
        print(modal.Secret.objects.list())
    """
    assert client.run(code) == "plane\n[]\n"
    other = client.run(code, MODAL_TOKEN_ID="ak-other", MODAL_TOKEN_SECRET="as-other").splitlines()
    assert (other[0], other[-1]) == (
        "elsewhere",
        "modal.exception.PermissionDeniedError: Token does not have permission to call SecretList",
    )


def test_a_client_that_is_too_old_is_sent_away(plane: Plane, client: Client) -> None:
    plane.faults.oldest_client = "99.0"
    answer = client.error(HELLO)
    assert answer.startswith("modal.exception.ConflictError: The client version 1.")
    assert answer.endswith("is too old: at least 99.0 is required. Please update with `pip install --upgrade modal`.")


def test_what_is_not_there_is_not_found(client: Client) -> None:
    code = """if True:
        import modal
        for ask in (
            lambda: modal.Function.from_name("nowhere", "f").hydrate(),
            lambda: modal.App.lookup("nowhere"),
            lambda: modal.Secret.from_name("nowhere").hydrate(),
            lambda: modal.Volume.from_name("nowhere").hydrate(),
            lambda: modal.Environment.from_name("nowhere").hydrate(),
            lambda: modal.FunctionCall.from_id("fc-nowhere").get(),
        ):
            try:
                ask()
            except modal.exception.NotFoundError as error:
                print(error)
    """
    assert client.run(code).splitlines() == [
        "Lookup failed for Function 'f' from the 'nowhere' app: App 'nowhere' not found in environment 'main'.",
        "App 'nowhere' not found in environment 'main'",
        "Secret 'nowhere' not found",
        "Volume 'nowhere' not found in environment 'main'",
        "Environment 'nowhere' not found in workspace 'plane'",
        "Function call 'fc-nowhere' not found",
    ]


def test_what_the_plane_does_not_serve_is_named(client: Client) -> None:
    assert client.error("import modal; modal.Dict.from_name('x').hydrate()") == (
        "modal.exception.UnimplementedError: the local control plane does not implement DictGetOrCreate"
    )


def test_names_are_given_in_an_environment(plane: Plane, client: Client) -> None:
    plane.environments.create("staging")
    plane.set_secret("key", {"VALUE": "1"}, environment="staging")
    code = "import modal; print(modal.Secret.from_name('key').hydrate().info().name)"
    assert client.run(code, MODAL_ENVIRONMENT="staging") == "key\n"
    assert client.error(code) == "modal.exception.NotFoundError: Secret 'key' not found"


def test_limits_are_said_before_anything_starts(plane: Plane, client: Client) -> None:
    plane.faults.gpu_quota = 0
    assert client.error("import jobs; jobs.app.deploy()") == (
        "modal.exception.ResourceExhaustedError: GPU quota exceeded: 1 GPUs were requested, the workspace's limit is 0"
    )
    plane.faults.clear()
    client.deploy()
    plane.faults.spend_limit = True
    assert client.error("import modal; modal.Function.from_name('jobs', 'double').spawn(1)") == (
        "modal.exception.ConflictError: Workspace 'plane' has reached its spend limit for this billing cycle"
    )
    assert not plane.containers.known


def test_a_failed_build_shows_its_last_lines_and_is_tried_again(plane: Plane, client: Client) -> None:
    plane.faults.build = BuildFailure(("ERROR: no such package\n",), "the command failed with status 1")
    failed = client.run("import jobs, modal\nwith modal.enable_output(): jobs.app.deploy()")
    assert "ERROR: no such package" in failed
    assert failed.rstrip().endswith("failed with the exception:\nthe command failed with status 1")
    plane.faults.build = None
    client.deploy()
    assert plane.state.tally()["ImageJoinStreaming"] == 3
    client.deploy()
    assert plane.state.tally()["ImageJoinStreaming"] == 3


def test_calls_that_fail_for_a_while_are_made_again_and_served_once(plane: Plane, client: Client) -> None:
    client.deploy()
    plane.faults.fail("FunctionMap", Status.UNAVAILABLE, times=2)
    plane.faults.fail("FunctionMap", Status.UNAVAILABLE, after=True)
    plane.faults.delay("FunctionMap", 0.01)
    plane.faults.scarce = frozenset({""})
    client.spawn("double", 1)
    assert plane.state.tally()["FunctionMap"] == 4
    assert len(plane.calls.known) == 1
    plane.faults.clear()
    plane.faults.fail("FunctionMap", Status.UNAVAILABLE, "the service is down", times=None)
    assert client.error("import modal; modal.Function.from_name('jobs', 'double').spawn(1)") == (
        "modal.exception.ServiceError: the service is down"
    )


def test_apps_are_listed_with_their_history_and_stopped_by_name(plane: Plane, client: Client) -> None:
    client.deploy()
    client.deploy()
    code = """if True:
        import json, subprocess, sys
        modal = [sys.executable, "-m", "modal"]
        def run(*words): return subprocess.run(modal + list(words), capture_output=True, text=True, check=True).stdout
        [app] = json.loads(run("app", "list", "--json"))
        versions = json.loads(run("app", "history", "jobs", "--json"))
        print(json.dumps([app, len(versions)]))
        run("app", "stop", "jobs", "--yes")
        print(json.dumps([each for each in json.loads(run("app", "list", "--json"))]))
    """
    before, after = map(json.loads, client.run(code).splitlines())
    [app] = plane.apps.known.values()
    assert [*before[0].values()][:3] == [app.id, "jobs", "deployed"]
    assert (before[1], [*after[0].values()][:3]) == (2, [app.id, "jobs", "stopped"])


def test_rates_are_what_the_plane_was_told(plane: Plane, client: Client) -> None:
    plane.rates.known = {"gpu_t4": "0.59"}
    code = "import modal; print(dict(modal.Workspace.from_context().billing.rates()))"
    assert client.run(code) == "{'gpu_t4': Decimal('0.59')}\n"
