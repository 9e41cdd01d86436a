"""Real files of every version, cut at every length and edited in many ways: refused with a message, never a crash."""

from __future__ import annotations

import subprocess
from typing import Literal

import pytest

from tsws.model.llama2c import read_model, write_model

FILES = {
    "105-pieces": ("tok105/model5000.bin", "tok105/tok105.bin"),
    "260K": ("stories260K/stories260K.bin", "stories260K/tok512.bin"),
}


@pytest.mark.slow
@pytest.mark.parametrize("build", ["gcc-sanitized"], indirect=True)
@pytest.mark.parametrize("version", [0, 1, 2])
@pytest.mark.parametrize("files", FILES)
def test_broken_files_are_refused(build, real_data, files: str, version: Literal[0, 1, 2], tmp_path):
    model, tokenizer = (real_data / name for name in FILES[files])
    write_model(tmp_path / "model.bin", *read_model(model), version=version)
    done = subprocess.run(
        [build.c_test("robustness"), "model.bin", tokenizer], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
