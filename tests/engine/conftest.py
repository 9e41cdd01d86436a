"""The native program as the package builds it, and small programs that play its part."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tsws.engine import amalgamate, build_program, find_compiler, native_folder


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("program")
    (folder / "run.c").write_bytes(amalgamate(native_folder()))
    build_program(folder / "run.c", folder / "run", compiler=find_compiler())
    return folder / "run"


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whatever is compiled here is kept for these tests alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TSWS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write an executable Python script into ``tmp_path``."""

    def write(name: str, body: str) -> Path:
        path = tmp_path / name
        path.write_text(f"#!{sys.executable}\nimport os, sys, time\n{body}", encoding="utf-8")
        path.chmod(0o755)
        return path

    return write
