"""A run at work, as other calls of tsws see it: status, logs, the lock, cancel."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.cli.conftest import Project

LONG = ("--set", "run.tiny.max_iters=1000000", "--set", "run.tiny.eval_interval=1000000")

pytestmark = pytest.mark.slow


@pytest.fixture
def at_work(applied: Project) -> Iterator[subprocess.Popen[str]]:
    """An apply whose run is training."""
    command = [sys.executable, "-m", "tsws", "apply", "run.tiny", *LONG]
    with subprocess.Popen(
        command, cwd=applied.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("run.tiny: step "):
                break
        yield process
        if process.poll() is None:
            applied.run("cancel", "run.tiny")


def test_others_see_it_and_can_stop_it(applied: Project, at_work: subprocess.Popen[str]) -> None:
    status = applied.run("status", *LONG).out
    assert re.search(r"(?m)^run\.tiny +at work ", status)
    assert re.search(r"(?m)^run\.tiny: step \d+/1000000, loss .+  \(backend local, job .+\)$", status)
    job = json.loads(applied.run("status", "--json", *LONG).out)["resources"][-2]["job"]
    assert (job["backend"], job["max_iters"], job["step"] >= 1) == ("local", 1_000_000, True)

    assert applied.run("logs").out.startswith("run.tiny: step 1/1000000, loss ")

    refused = applied.run("apply", "-q", "--replace", "export.tiny", "-y")
    assert refused.status == 1
    assert refused.err.startswith(f"error: process {at_work.pid} works in this workspace: tsws apply run.tiny --set ")
    assert f"works in this workspace: tsws apply run.tiny {' '.join(LONG)}" in applied.run("doctor").out

    assert applied.run("cancel", "run.tiny").out == (
        "stopping run.tiny after a checkpoint\nStopped; `tsws apply run.tiny` continues.\n"
    )
    said, _ = at_work.communicate()
    assert at_work.returncode == 130
    assert re.search(r"(?m)^run\.tiny: stopped at step \d+ of 1000000, the checkpoint is written$", said)
    assert applied.run("runs").out.count("unfinished") == 1
