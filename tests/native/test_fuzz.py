"""Some thousand broken and odd files and texts, always the same ones; ``make fuzz`` makes a million."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

SANITIZED = {**os.environ, "ASAN_OPTIONS": "max_allocation_size_mb=32"}


@pytest.mark.parametrize("build", ["gcc-sanitized"], indirect=True)
@pytest.mark.parametrize(
    ("target", "runs", "longest"), [("model", 20_000, 8192), ("tokenizer", 20_000, 8192), ("text", 3_000, 1024)]
)
def test_changed_inputs_break_nothing(build, tmp_path, target: str, runs: int, longest: int):
    fuzz, files = build.native / "fuzz", build.native / "tests" / "files.c"
    subprocess.run([build.link("seeds", fuzz / "seeds.c", files), tmp_path], check=True)
    shared = [fuzz / name for name in ("target.c", "encode.c", "standalone.c")]
    program = build.link(f"fuzz_{target}", fuzz / f"fuzz_{target}.c", *shared, files)
    arguments = [f"-runs={runs}", "-seed=1", f"-max_len={longest}", *sorted((tmp_path / target).iterdir())]
    done = subprocess.run(
        [program, *arguments], cwd=tmp_path, env=SANITIZED, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.slow
@pytest.mark.parametrize("compiler", ["clang"])
def test_the_script_fuzzes_every_target(repository, tmp_path, compiler: str):
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed: apt-get install {compiler}")
    done = subprocess.run(
        [repository / "native/fuzz/run.sh", "500", "1", tmp_path],
        env={**os.environ, "CC": compiler},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (
        0,
        "".join(f"fuzz_{target}: 500 inputs from seed 1\n" for target in ("model", "tokenizer", "text")),
    ), done.stderr
    assert not list(tmp_path.glob("broke-*"))
