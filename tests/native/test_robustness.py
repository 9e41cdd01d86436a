"""Real files, cut and edited in many ways: refused with a message, never a crash."""

from __future__ import annotations

import subprocess

import pytest

FILES = {
    "105-pieces": ("tok105/model5000.bin", "tok105/tok105.bin"),
    "260K": ("stories260K/stories260K.bin", "stories260K/tok512.bin"),
}


@pytest.mark.slow
@pytest.mark.parametrize("build", ["gcc-sanitized"], indirect=True)
@pytest.mark.parametrize("files", FILES)
def test_broken_files_are_refused(build, real_data, files, tmp_path):
    paths = [real_data / name for name in FILES[files]]
    done = subprocess.run(
        [build.c_test("robustness"), *paths], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
