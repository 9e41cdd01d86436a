"""The C tests of each source, with every compiler, strict and under sanitizers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

NATIVE = Path(__file__).resolve().parents[2] / "native"
UNITS = sorted(path.stem for path in NATIVE.glob("tests/test_*.c"))


@pytest.mark.parametrize("unit", UNITS)
def test_unit(build, unit, tmp_path):
    done = subprocess.run([build.c_test(unit)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_source_has_a_unit():
    sources = {path.stem.split("_")[0] for path in NATIVE.glob("src/*.c")} - {"main"}
    assert {f"test_{source}" for source in sources} <= set(UNITS)
