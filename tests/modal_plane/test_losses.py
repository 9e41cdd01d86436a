"""Containers that die, are preempted, run out of time or memory, are cancelled: what becomes of their inputs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from modal_proto import api_pb2

from tests.modal_plane.conftest import Client
from tests.modal_plane.plane import Plane

ANY_ID = re.compile(r"(ta|in|ap)-[0-9a-f]{22}")


def test_the_input_of_a_killed_container_goes_on_in_a_new_one_from_the_last_commit(
    plane: Plane, client: Client
) -> None:
    client.deploy()
    # The fourth commit does not happen: its container dies when it asks for it.
    commits = iter(range(1, 1000))
    plane.kill_container_when(lambda call: call.method == "VolumeCommit" and next(commits) == 4)
    call_id = client.spawn("count", 6)
    assert client.get(call_id) == "[4, 5, 6]"
    assert plane.logs.text() == "from 0\nat 1\nat 2\nat 3\nfrom 3\nat 4\nat 5\nat 6\n"
    first, second = plane.containers.known.values()
    [each] = plane.calls.get(call_id).inputs
    assert (each.taken_by, each.retry_count, first.exit_code) == ([first.id, second.id], 0, 137)


@pytest.mark.slow
def test_a_preempted_container_is_interrupted_and_its_input_goes_on_in_a_new_one(plane: Plane, client: Client) -> None:
    client.deploy()
    call_id = client.spawn("count", 8)
    plane.wait_for_log("at 3\n")
    first = plane.preempt()
    counted = client.get(call_id)
    stopped_at = re.search(r"interrupted at (\d+)\n(?:.*\n)*?from \1\n", plane.logs.text())
    assert stopped_at is not None, plane.logs.text()
    assert counted == str(list(range(int(stopped_at[1]) + 1, 9)))
    assert (first.exit_code, first.leaving) == (0, "it was preempted")


def test_a_call_ends_in_the_way_that_its_container_did(plane: Plane, client: Client) -> None:
    client.deploy()
    calls = {name: client.spawn(name) for name in ("too_slow", "exit_hard", "sleep")}
    ends = {name: ANY_ID.sub(r"\1-#", client.get(calls[name])) for name in ("too_slow", "exit_hard")}
    plane.wait_for_log("asleep\n")
    cancel = f"import modal; modal.FunctionCall.from_id({calls['sleep']!r}).cancel()"
    assert client.run(cancel) == ""
    ends["sleep"] = client.get(calls["sleep"])
    assert ends == {
        "too_slow": "modal.exception.FunctionTimeoutError: Task's current input in-# hit its timeout of 1s",
        "exit_hard": "modal.exception.RemoteError: Container ta-# exited with code 3",
        "sleep": "modal.exception.RemoteError: Input was cancelled by user",
    }


def test_a_function_that_fails_is_retried_by_whoever_waits_for_it(plane: Plane, client: Client) -> None:
    client.deploy()
    waited = client.error("import modal; modal.Function.from_name('jobs', 'fail').remote('once')")
    assert (waited, plane.state.tally()["FunctionRetryInputs"]) == ("ValueError: once", 2)
    assert client.get(client.spawn("fail", "twice")) == "ValueError: twice"
    assert plane.state.tally()["FunctionRetryInputs"] == 2
    assert plane.logs.text().count("failing: twice\n") == 3


def test_a_call_ends_with_the_app_that_somebody_stopped(plane: Plane, client: Client) -> None:
    client.deploy()
    call_id = client.spawn("sleep")
    plane.wait_for_log("asleep\n")
    plane.stop_app()
    assert client.get(call_id) == "modal.exception.RemoteError: The App was stopped: it was stopped by a user"
    plane.wait_until_idle()
    refused = client.error("import modal; modal.Function.from_name('jobs', 'sleep').spawn()")
    assert refused.startswith("modal.exception.NotFoundError: Lookup failed for Function 'sleep' from the 'jobs' app")


@pytest.mark.slow
def test_a_container_that_runs_out_of_memory_takes_its_input_along_unless_that_may_have_another(
    plane: Plane, client: Client
) -> None:
    client.deploy()
    call_id = client.spawn("sleep")
    plane.wait_for_log("asleep\n")
    plane.run_out_of_memory()
    assert ANY_ID.sub("ta-#", client.get(call_id)) == (
        "modal.exception.RemoteError: Container ta-# ran out of memory: it used more than its limit of 1024 MiB"
    )
    plane.faults.crash_limit = None
    call_id = client.spawn("count", 4, 0.3)
    plane.wait_for_log("at 2\n")
    plane.run_out_of_memory()
    client.get(call_id)
    assert plane.logs.text().endswith("at 3\nat 4\n")


@pytest.mark.slow
@pytest.mark.parametrize("cut_off", [False, True])
def test_a_container_whose_heartbeat_is_lost_lives_on_while_its_input_goes_to_a_new_one(
    plane: Plane, client: Client, cut_off: bool
) -> None:
    client.deploy()
    call_id = client.spawn("sleep")
    plane.wait_for_log("asleep\n")
    first = plane.lose(cut_off=cut_off)
    second = plane.wait_for_container(2)
    assert first.exit_code is None
    assert client.run(f"import modal; modal.FunctionCall.from_id({call_id!r}).cancel()") == ""
    assert client.get(call_id) == "modal.exception.RemoteError: Input was cancelled by user"
    assert plane.calls.get(call_id).inputs[0].taken_by == [first.id, second.id]


@pytest.mark.slow
def test_a_container_that_can_not_import_its_function_says_so_to_the_caller(client: Client, tmp_path: Path) -> None:
    (tmp_path / "here_only.py").touch()
    (tmp_path / "lost.py").write_text(
        "import here_only, modal\napp = modal.App('lost')\n@app.function()\ndef work(): pass\n"
    )
    code = "import lost\nwith lost.app.run(): lost.work.remote()"
    assert client.error(code, PYTHONPATH=str(tmp_path)) == "ModuleNotFoundError: No module named 'here_only'"


@pytest.mark.slow
def test_a_gpu_that_is_nowhere_free_is_waited_for_or_replaced_by_the_next_that_will_do(
    plane: Plane, client: Client
) -> None:
    client.deploy()
    plane.faults.scarce = frozenset({"H100", "T4"})
    call_id = client.spawn("on_gpu")
    pending = client.error(f"import modal; modal.FunctionCall.from_id({call_id!r}).get(timeout=1)")
    assert pending.startswith("TimeoutError")
    plane.faults.scarce = frozenset({"H100"})
    assert client.spawn("double", 1)
    container_id = client.get(call_id)
    container = plane.containers.known[container_id]
    assert container.definition.resources.gpu_config == api_pb2.GPUConfig(gpu_type="T4", count=1)
