"""What a container's process is shut off from, how it ends, and what is done where the machine offers no namespaces."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.modal_plane import isolation
from tests.modal_plane.conftest import Client
from tests.modal_plane.isolation import LAUNCHER, Bind, namespaces, prepare
from tests.modal_plane.plane import Plane

NOBODY = 65534
LOOK = """
echo "$(id -u) $$ $VALUE" $(ls /root /tmp) $(ls -d "$1" 2>/dev/null)
cat /data/in && echo more > /data/out; { echo no > /fixed/in; } 2>/dev/null || echo fixed
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a container, with a home."""
    return lay_out(tmp_path)


def lay_out(place: Path) -> Path:
    folder = place / "container"
    (folder / "home").mkdir(parents=True)
    (folder / "home" / "mine").touch()
    (folder / "view").mkdir()
    (folder / "view" / "in").write_text("content\n")
    return folder


def start(
    folder: Path, script: str, *arguments: str, python: str = sys.executable, user: int | None = None
) -> tuple[int, str]:
    """Run a shell script as a container: its process id as seen from outside, and what it printed."""
    binds = [Bind(str(folder / "view"), "/data"), Bind(str(folder / "view"), "/fixed", read_only=True)]
    read, write = os.pipe()
    command = ["/bin/sh", "-c", script, "container", *arguments]
    launch = prepare(folder, binds, command, {"VALUE": "value", "PATH": isolation.PATH}, pid_fd=write)
    process = subprocess.Popen(
        [python, *launch.command[1:]],
        pass_fds=(write,),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        user=user,
    )
    os.close(write)
    pid = int(os.read(read, 32))
    os.close(read)
    output, _ = process.communicate(timeout=30)
    return pid, output


@pytest.mark.skipif(not namespaces(), reason="this machine offers no namespaces")
def test_a_container_sees_its_own_files_and_what_is_bound_for_it(folder: Path, interpreter_in_tmp: list[str]) -> None:
    pid, output = start(folder, LOOK, str(folder))
    in_tmp = "".join(f" {name}" for name in interpreter_in_tmp)
    assert output == f"0 1 value /root: mine /tmp:{in_tmp}\ncontent\nfixed\n"
    assert pid != 1
    assert (folder / "view" / "out").read_text() == "more\n"
    assert sorted(path.name for path in (folder / "rootfs").iterdir()) == []


@pytest.mark.skipif(not namespaces(), reason="this machine offers no namespaces")
def test_a_container_does_not_find_what_is_installed_from_a_checkout(folder: Path) -> None:
    code = "import importlib.metadata, sys; print([each.name for each in importlib.metadata.distributions() if each.name in sys.argv])"
    _, output = start(folder, f'exec "$1" -c "{code}" tsws modal', sys.executable)
    assert output == "['modal']\n"


@pytest.mark.skipif(not namespaces() or os.getuid() != 0, reason="only root can become another user")
def test_a_container_can_be_started_without_privileges(monkeypatch: pytest.MonkeyPatch) -> None:
    system = shutil.which("python3", path="/usr/bin")
    if system is None:
        pytest.skip("needs an interpreter that everybody may run")
    monkeypatch.setattr(isolation, "interpreter", list)
    monkeypatch.setattr(isolation, "checkouts", dict)
    with tempfile.TemporaryDirectory() as temporary:
        # Not below the folder of this run's other files, which only their owner may enter.
        folder = lay_out(Path(temporary))
        for path in [Path(temporary), *Path(temporary).rglob("*")]:
            shutil.chown(path, NOBODY, NOBODY)
        monkeypatch.setattr(isolation, "LAUNCHER", shutil.copy(LAUNCHER, temporary))
        _, output = start(folder, LOOK, python=system, user=NOBODY)

    assert output == "0 1 value /root: mine /tmp:\ncontent\nfixed\n"


@pytest.mark.skipif(not namespaces(), reason="this machine offers no namespaces")
def test_a_container_takes_its_children_along_when_it_is_killed(folder: Path) -> None:
    mark = folder / "view" / "alive"
    os.mkfifo(mark)
    # The child holds the pipe open for writing: its other end is closed when the last of them has died.
    script = "setsid sh -c 'exec 3>/data/alive; echo ready; exec sleep 600' & wait"
    read, write = os.pipe()
    launch = prepare(
        folder, [Bind(str(folder / "view"), "/data")], ["/bin/sh", "-c", script], {"PATH": isolation.PATH}, pid_fd=write
    )
    process = subprocess.Popen(launch.command, pass_fds=(write,), stdout=subprocess.PIPE, start_new_session=True)
    os.close(write)
    pid = int(os.read(read, 32))
    os.close(read)
    with mark.open("rb") as alive:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        os.kill(pid, signal.SIGKILL)
        assert alive.read() == b""
    process.stdout.close()
    assert process.wait(timeout=30) == 137


@pytest.mark.slow
def test_without_namespaces_a_volume_is_a_link_at_its_mount_path(
    plane: Plane, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolation, "namespaces", lambda: False)
    place = tmp_path / "mounted"
    (tmp_path / "linked.py").write_text(f"""if True:
        import json, os, pathlib, modal
        app = modal.App("linked")
        volume = modal.Volume.from_name("v", create_if_missing=True, version=2)
        @app.function(volumes={{"{place}": volume}})
        def work():
            pathlib.Path("{place}/out").write_text("made")
            volume.commit()
            return [os.path.islink("{place}"), os.path.basename(os.getcwd())]
    """)
    code = "import linked, json\nwith linked.app.run(): print(json.dumps(linked.work.remote()))"
    assert json.loads(client.run(code, PYTHONPATH=str(tmp_path))) == [True, "home"]
    plane.wait_until_idle()
    volume = plane.volumes.named("v")
    assert volume is not None
    assert plane.volumes.read(volume, "out") == b"made"
    assert not place.is_symlink()
