"""The native program and its C tests, built with every compiler, strict and under sanitizers."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

STRICT = ("-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror", "-ffp-contract=off", "-pthread")
MODES = {
    "optimized": ("-O3", "-march=native"),
    "sanitized": ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
}


@dataclass(frozen=True)
class NativeBuild:
    """The library's objects, and what is linked with them."""

    native: Path
    folder: Path
    command: tuple[str, ...]
    """Compiler and flags."""

    @property
    def library(self) -> list[Path]:
        """Objects of the library: an object for each file of ``src``."""
        return sorted(self.folder.glob("library/*.o"))

    @property
    def parts(self) -> list[Path]:
        """Objects of the program without its ``main``: an object for each other file of ``run``."""
        return sorted(self.folder.glob("run/*.o"))

    def compile(self) -> None:
        """All but the program's ``main.c``, one object each."""
        parts = [path for path in self.native.glob("run/*.c") if path.name != "main.c"]
        for name, sources in {"library": self.native.glob("src/*.c"), "run": parts}.items():
            (self.folder / name).mkdir()
            self._compile("-c", *map(str, sorted(sources)), folder=self.folder / name)

    def link(self, name: str, *sources: Path) -> Path:
        """An executable of the library, the parts of the program and a few sources."""
        program = self.folder / name
        if not program.exists():
            objects = map(str, [*sources, *self.parts, *self.library])
            self._compile(*objects, "-o", str(program), "-lm", folder=self.folder)
        return program

    def c_test(self, name: str) -> Path:
        """One of the programs of ``native/tests``."""
        tests = self.native / "tests"
        return self.link(name, tests / f"{name}.c", tests / "files.c")

    def program(self) -> Path:
        """``run`` itself."""
        return self.link("program", self.native / "run" / "main.c")

    def _compile(self, *arguments: str, folder: Path) -> None:
        done = subprocess.run([*self.command, *arguments], cwd=folder, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")


def require_compiler(name: str) -> str:
    """The compiler's path; without it the test is skipped, but fails where everything has to be there."""
    path = shutil.which(name)
    if path is None:
        message = f"{name} is not installed: the C sources are not checked with it (apt-get install {name})"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return path


@pytest.fixture(scope="session", params=[f"{compiler}-{mode}" for compiler in ("gcc", "clang") for mode in MODES])
def build(request: pytest.FixtureRequest, repository: Path, tmp_path_factory: pytest.TempPathFactory) -> NativeBuild:
    compiler, mode = request.param.split("-")
    native = repository / "native"
    includes = [f"-I{native / name}" for name in ("include", "src", "run", "tests")]
    built = NativeBuild(
        native=native,
        folder=tmp_path_factory.mktemp(request.param),
        command=(require_compiler(compiler), *STRICT, *MODES[mode], *includes),
    )
    built.compile()
    return built
