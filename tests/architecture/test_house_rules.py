"""Rules of the house that hold for every file: nothing of one machine in it, and nothing public without a word."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from house import House, assert_none, undocumented

MACHINE_PATH = re.compile(rb"""(?<![\w.:/$}*~-])/(?:home|Users|root|mnt|scratch)/[\w.-]+""")
"""A folder of somebody's machine."""
REGISTRY = re.compile(
    rb"(?:index-url|extra-index|find-links|registry)\s*[=:]?\s*\S*://|\bpypi\.(?!org/(?:project|simple)?)|files\.pythonhosted|//[\w.-]*(?:artifactory|nexus|devpi)",
    re.IGNORECASE,
)
"""Where packages come from is the business of the machine that installs them."""
BINARY = {".bin", ".model", ".png", ".jpg", ".gif", ".gz", ".pt", ".safetensors"}


@pytest.fixture(scope="module")
def tracked(repository: Path) -> list[Path]:
    """Every file that git tracks, or all of them where the sources are no checkout."""
    if not (repository / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=repository, check=True, capture_output=True).stdout
    paths = [repository / name.decode() for name in listed.split(b"\0") if name]
    return [path for path in paths if path.is_file() and path.suffix not in BINARY and path != Path(__file__)]


def found(paths: list[Path], pattern: re.Pattern[bytes], repository: Path) -> list[str]:
    faults = []
    for path in paths:
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            if pattern.search(line):
                faults.append(f"{path.relative_to(repository)}:{number}: {line.decode(errors='replace').strip()}")
    return faults


def test_no_file_names_a_folder_of_one_machine(tracked: list[Path], repository: Path) -> None:
    assert_none(found(tracked, MACHINE_PATH, repository))


def test_no_file_names_a_package_registry(tracked: list[Path], repository: Path) -> None:
    assert_none(found(tracked, REGISTRY, repository))


def test_everything_public_has_a_docstring(house: House) -> None:
    modules = [module for module in house.modules.values() if module.room.startswith("tsws")]
    assert_none([fault for module in modules for fault in undocumented(module)])


@pytest.mark.parametrize(
    "line", [b"path = '/home/somebody/tsws'", b"cd /mnt/disk/main", b"(/root/x)", b"see /Users/me/data"]
)
def test_machine_path_is_recognised(line: bytes) -> None:
    assert MACHINE_PATH.search(line)


@pytest.mark.parametrize("line", [b"../shared/data", b"https://host/home/page", b"tests/mnt/x", b"$HOME/mnt/x"])
def test_other_path_is_not(line: bytes) -> None:
    assert not MACHINE_PATH.search(line)


@pytest.mark.parametrize("line", [b"--index-url https://mirror.local/simple", b"registry = http://npm.local"])
def test_registry_is_recognised(line: bytes) -> None:
    assert REGISTRY.search(line)
