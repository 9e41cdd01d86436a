"""``tsws doctor``: what it finds, and that it disturbs nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest

from tsws.io.locks import workspace_lock


def test_doctor_finds_this_machine_in_order(applied) -> None:
    result = applied.run("doctor")
    lines = {line[6:].partition(":")[0]: line[:4].strip() for line in result.out.splitlines()}
    assert result.status == 0
    assert [name for name, verdict in lines.items() if verdict == "ok"] == list(lines)
    assert {"python", "torch", "C compiler", "disk", "plugin local", "manifest", "lock"} <= set(lines)


def test_doctor_names_what_is_wrong(project) -> None:
    result = project({"tinystories.toml": "[run.x]\n"}).run("doctor", env={"CC": "no-such-compiler"})
    compiler, manifest = (line for line in result.out.splitlines() if line.startswith("fail"))
    assert result.status == 1
    assert compiler.startswith("fail  C compiler: ")
    assert "'no-such-compiler'" in compiler
    assert manifest == "fail  manifest: the manifest has 2 mistakes:"


def state(root: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in root.rglob("*")}


def line_of(text: str, name: str) -> str:
    (line,) = (line for line in text.splitlines() if line[6:].startswith(f"{name}: "))
    return line


@pytest.mark.parametrize(
    ("module", "fault"),
    [
        ("raise ImportError('libsomething.so.1: no such file')", "ImportError: libsomething.so.1: no such file"),
        ("import os; os.abort()", "python ends with exit status -6"),
    ],
    ids=["raises", "crashes"],
)
def test_library_that_is_installed_and_does_not_load_fails(project, module: str, fault: str) -> None:
    new = project({"broken/torch.py": module})
    result = new.run("doctor", env={"PYTHONPATH": str(new.root / "broken")})
    assert result.status == 1
    said = f"fail  torch: {version('torch')} is installed, and can not be imported: {fault}"
    assert line_of(result.out, "torch") == said


def test_doctor_itself_stays_without_the_heavy_libraries(project) -> None:
    program = (
        "import sys\nfrom tsws.cli.main import cli\n"
        "try:\n    cli.main(['doctor'])\nexcept SystemExit:\n    pass\n"
        "sys.exit(any(name in sys.modules for name in ('torch', 'numpy', 'sentencepiece')))\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=project().root, capture_output=True, check=True)


def test_doctor_says_what_each_backend_costs(project) -> None:
    new = project()
    new.edit("threads = 1", 'threads = 1\nbackend = "far"\n\n[backend.far]\nkind = "moon"')
    out = new.run("doctor").out
    assert line_of(out, "backend far") == "fail  backend far: no plugin provides the backend 'moon'"
    assert line_of(out, "backend local") == "ok    backend local: is there; no run uses it"


def test_doctor_tells_who_works_here_and_leaves_the_lock_alone(applied) -> None:
    lock = applied.root / ".tsws/lock"
    with workspace_lock(lock, purpose="tsws apply run.tiny"):
        before = state(applied.root)
        line = line_of(applied.process("doctor").out, "lock")
        assert state(applied.root) == before
    assert line.startswith("warn  lock: process ")
    assert " works in this workspace: tsws apply run.tiny, for " in line
    before = state(applied.root)
    assert line_of(applied.process("doctor").out, "lock") == "ok    lock: nobody works here"
    assert state(applied.root) == before


def test_note_of_a_holder_that_was_killed_is_no_holder(applied) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    note = {"pid": gone.pid, "host": os.uname().nodename, "purpose": "tsws apply", "since": time.time()}
    (applied.root / ".tsws/lock.json").write_text(json.dumps(note))
    assert line_of(applied.run("doctor").out, "lock") == "ok    lock: nobody works here"
