"""The training step in C, strict with every compiler: for this processor, for any, and under sanitizers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.native.conftest import STRICT, require_compiler

MODES = {
    "this processor": ("-O3", "-march=native"),
    "any processor": ("-O2",),
    "sanitized": ("-O1", "-g", "-DTSWS_PLAIN_TILES", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
}


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES.keys())
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_training_step(compiler: str, mode: tuple[str, ...], repository: Path, tmp_path: Path) -> None:
    native = repository / "native"
    flags = [*STRICT, *mode, "-std=gnu11", "-ffp-contract=fast", "-Wno-psabi"]
    includes = [f"-I{native / name}" for name in ("include", "src", "train", "tests")]
    sources = [str(native / "tests" / "training.c"), *map(str, sorted(native.glob("train/*.c")))]
    program = tmp_path / "training"
    command = [require_compiler(compiler), *flags, *includes, *sources, "-o", str(program), "-lm"]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (built.returncode, built.stdout + built.stderr) == (0, "")
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
