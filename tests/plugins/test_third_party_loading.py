"""Plugins of strangers are found by their entry points; one that is broken is named and set aside."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

REPORT = """
import msgspec, sys
from tsws.plugin import load_plugins
plugins = load_plugins()
print(msgspec.json.encode({
    "loaded": {plugin.name: [plugin.package, plugin.version, list(plugin.adds), plugin.error] for plugin in plugins.loaded},
    "volumes": sorted(plugins.volumes),
    "backends": sorted(plugins.backends),
}).decode())
"""

GOOD = """
from tsws.plugin import hookimpl
from tsws_folder import FolderVolume

class Cupboard(FolderVolume):
    kind = "cupboard"

@hookimpl
def tsws_volumes():
    return [Cupboard]
"""

FAILING_HOOK = """
from tsws.plugin import hookimpl
from tsws_folder import FolderVolume

class Drawer(FolderVolume):
    kind = "drawer"

@hookimpl
def tsws_volumes():
    return [Drawer]

@hookimpl
def tsws_exporters():
    raise ValueError("no idea")
"""


def install(folder: Path, name: str, code: str) -> None:
    """What an installer leaves of a package with one module that is a plugin."""
    (folder / f"{name}.py").write_text(code)
    info = folder / f"{name}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(f"[tsws]\n{name} = {name}\n")


def report(folder: Path, limit: str | None = None) -> dict[str, object]:
    """What a process that has the packages of ``folder`` loads."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TSWS_")}
    environment["PYTHONPATH"] = str(folder)
    if limit is not None:
        environment["TSWS_LOAD_PLUGINS"] = limit
    done = subprocess.run(
        [sys.executable, "-c", REPORT], env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return msgspec.json.decode(done.stdout, type=dict[str, object])


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    install(tmp_path, "good", GOOD)
    install(tmp_path, "missing", "import a_library_that_nobody_has")
    install(tmp_path, "failing", FAILING_HOOK)
    return tmp_path


def test_broken_plugins_are_named_and_set_aside(packages: Path) -> None:
    found = report(packages)
    loaded = found["loaded"]
    assert isinstance(loaded, dict)
    assert loaded["good"] == ["good", "1.2", ["volume cupboard"], None]
    assert loaded["missing"] == [
        "missing",
        "1.2",
        [],
        "ModuleNotFoundError: No module named 'a_library_that_nobody_has'",
    ]
    assert loaded["failing"] == ["failing", "1.2", [], "ValueError: no idea"]
    assert loaded["local"][3] is None
    assert found["volumes"] == ["cupboard", "folder", "modal"]
    assert found["backends"] == ["local", "modal"]


@pytest.mark.parametrize(
    ("limit", "names", "volumes", "backends"),
    [
        ("good", ["good"], ["cupboard"], []),
        ("good, local", ["good", "local"], ["cupboard"], ["local"]),
        ("folder,nobody", ["folder"], ["folder"], []),
        ("", [], [], []),
    ],
)
def test_the_variable_limits_what_is_loaded(
    packages: Path, limit: str, names: list[str], volumes: list[str], backends: list[str]
) -> None:
    found = report(packages, limit)
    loaded = found["loaded"]
    assert isinstance(loaded, dict)
    assert (sorted(loaded), found["volumes"], found["backends"]) == (names, volumes, backends)
