"""Apps, calls, containers and logs, as a client sees them when all is well."""

from __future__ import annotations

import json
import signal

import pytest
from modal_proto import api_pb2

from tests.modal_plane.conftest import Client
from tests.modal_plane.plane import Plane


def test_a_function_runs_where_nothing_of_the_developer_is_to_be_seen(
    plane: Plane, client: Client, interpreter_in_tmp: list[str]
) -> None:
    output = client.run("import jobs, json\nwith jobs.app.run(): print(json.dumps(jobs.look.remote()))")
    seen = json.loads(output)
    container = plane.wait_for_container()
    assert seen == {
        "environment": {
            "FROM_IMAGE": "yes",
            "FROM_SECRET": "yes",
            "OMP_NUM_THREADS": "2",
            "MODAL_TASK_ID": container.id,
            "MODAL_TOKEN_ID": None,
        },
        "home": ["jobs.py"],
        "tmp": interpreter_in_tmp,
        "pid": 1,
        "tsws": False,
    }
    plane.wait_until_idle()
    assert (container.exit_code, plane.logs.text()) == (0, "looking\n")
    [app] = plane.apps.known.values()
    assert app.state == api_pb2.APP_STATE_STOPPED


def test_a_deployed_function_is_called_and_looked_after_from_other_processes(plane: Plane, client: Client) -> None:
    client.deploy()
    call_id = client.spawn("count", 3)
    assert client.get(call_id) == "[1, 2, 3]"
    told = client.run(f"""if True:
        import datetime, modal
        call = modal.FunctionCall.from_id({call_id!r})
        start = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=5)
        print([entry.message for entry in call.logs.stream()])
        print([entry.message for entry in call.logs.tail(2)])
        print([entry.message for entry in call.logs.fetch(since=start)])
        [node] = call.get_call_graph()
        print(node.function_name, node.status.name, node.task_id)
    """)
    lines = ["from 0\n", "at 1\n", "at 2\n", "at 3\n"]
    container = plane.wait_for_container()
    assert told.splitlines() == [str(lines), str(lines[-2:]), str(lines), f"count SUCCESS {container.id}"]


def test_a_call_from_inside_of_a_container_is_a_child_of_the_one_that_made_it(plane: Plane, client: Client) -> None:
    client.deploy()
    call_id = client.spawn("spawn_double", 21)
    assert client.get(call_id) == "42"
    parent, child = plane.calls.known.values()
    assert (parent.id, child.parent_input_id) == (call_id, parent.inputs[0].id)


@pytest.mark.slow
def test_a_detached_app_outlives_its_client_and_an_ephemeral_one_does_not(plane: Plane, client: Client) -> None:
    code = "import jobs\nwith jobs.app.run(detach={}) as app: jobs.count.spawn({}, 0.2).get()"
    process = client.start(code.format(True, 5))
    plane.wait_for_log("at 1\n")
    process.send_signal(signal.SIGKILL)
    [call] = plane.calls.known.values()
    assert client.get(call.id) == "[1, 2, 3, 4, 5]"
    assert client.run(f"import modal; modal.App.lookup({call.app_id!r}).stop()") == ""

    process = client.start(code.format(False, 1000))
    plane.wait_for_log("at 6\n")
    process.send_signal(signal.SIGKILL)
    plane.silence_client()
    plane.wait_until_idle()
    *_, call = plane.calls.known.values()
    assert client.get(call.id) == "modal.exception.RemoteError: The App was stopped: the client is gone"


@pytest.mark.slow
def test_a_map_and_a_generator_hand_over_all_that_they_make(plane: Plane, client: Client) -> None:
    client.deploy()
    mapped = client.run("import modal; print(list(modal.Function.from_name('jobs', 'double').map(range(20))))")
    assert mapped == f"{[2 * number for number in range(20)]}\n"
    yielded = client.run("import modal; print(list(modal.Function.from_name('jobs', 'numbers').remote_gen(30)))")
    assert yielded == f"{list(range(30))}\n"


@pytest.mark.slow
def test_a_cluster_runs_one_input_on_all_its_containers(plane: Plane, client: Client) -> None:
    client.deploy()
    assert client.get(client.spawn("together")) == "(0, 2)"
    plane.wait_for_log("rank 1\n")
    assert sorted(plane.logs.text().split()) == ["0", "1", "rank", "rank"]
    assert {container.served for container in plane.containers.known.values()} == {1}


@pytest.mark.slow
def test_arguments_and_results_that_are_too_large_for_a_message_go_by_way_of_the_blob_store(
    plane: Plane, client: Client
) -> None:
    client.deploy()
    code = "import modal; print(len(modal.Function.from_name('jobs', 'double').remote('x' * 5_000_000)))"
    assert client.run(code) == "10000000\n"
    assert plane.state.tally()["BlobCreate"] == 2
