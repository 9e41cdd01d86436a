"""The threads of the library under ThreadSanitizer, which sees two that touch the same memory without an order."""

from __future__ import annotations

import subprocess

import pytest

from tests.native.conftest import STRICT, NativeBuild, require_compiler

RACING = ["test_threads", "test_forward", "test_session", "test_batch"]


@pytest.fixture(scope="module")
def watched(repository, tmp_path_factory):
    native = repository / "native"
    includes = [f"-I{native / name}" for name in ("include", "src", "run", "tests")]
    flags = ("-O1", "-g", "-fsanitize=thread")
    command = (require_compiler("gcc"), *STRICT, *flags, *includes)
    built = NativeBuild(native=native, folder=tmp_path_factory.mktemp("watched"), command=command)
    built.compile()
    return built


@pytest.mark.slow
@pytest.mark.parametrize("unit", RACING)
def test_unit_has_no_races(watched, unit, tmp_path):
    done = subprocess.run([watched.c_test(unit)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
