"""The plane as a developer starts it."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

HELLO = "import modal; modal.Client.from_env().hello(); print('hello')"


def test_what_it_prints_is_all_that_a_client_needs(repository: Path) -> None:
    command = [sys.executable, "-m", "tests.modal_plane", "--calls"]
    with subprocess.Popen(command, cwd=repository, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        exports = {}
        for line in process.stdout:
            name, _, value = line.removeprefix("export ").rstrip().partition("=")
            exports[name] = "".join(shlex.split(value))
            if name == "no_proxy":
                break
        said = subprocess.run(
            [sys.executable, "-c", HELLO], env=os.environ | exports, capture_output=True, text=True, check=True
        )
        assert said.stdout == "hello\n"
        process.send_signal(signal.SIGTERM)
        rest = [line for line in process.stdout.read().splitlines() if not line.startswith("# This machine")]
        assert rest == [f"# {'client':>25} ClientHello", "# stopping"]
    assert process.returncode == 0
