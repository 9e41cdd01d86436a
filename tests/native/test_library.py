"""What the library promises about itself: its names, no state, nothing printed, no way out but returning."""

from __future__ import annotations

import re
import subprocess

import pytest

from tsws.version import __version__

FORBIDDEN = {"printf", "fprintf", "vfprintf", "puts", "putchar", "fputs", "fwrite", "perror", "exit", "_exit", "abort"}


def symbols(build, *options):
    """Of each object, its symbols as (kind, name)."""
    assert build.library
    for path in build.library:
        listing = subprocess.run(["nm", "-P", *options, path], capture_output=True, text=True, check=True).stdout
        for line in listing.splitlines():
            name, kind = line.split()[:2]
            yield path.stem, kind, name


@pytest.mark.parametrize("build", ["gcc-optimized"], indirect=True)
def test_all_external_names_are_prefixed(build):
    names = [name for _, _, name in symbols(build, "-g", "--defined-only")]
    assert "tsws_model_open" in names
    assert [name for name in names if not name.startswith("tsws_")] == []


@pytest.mark.parametrize("build", ["gcc-optimized"], indirect=True)
def test_nothing_is_kept_in_globals(build):
    written = []
    for path in build.library:
        listing = subprocess.run(["nm", "-f", "sysv", path], capture_output=True, text=True, check=True).stdout
        rows = [[cell.strip() for cell in line.split("|")] for line in listing.splitlines() if line.count("|") == 6]
        # A table of pointers is constant, but the loader fills it in: it lies in .data.rel.ro.
        written += [
            (path.stem, name)
            for name, *_, section in rows
            if section.startswith((".data", ".bss", ".tdata", ".tbss", "*COM*"))
            and not section.startswith(".data.rel.ro")
        ]
    assert written == []


@pytest.mark.parametrize("build", ["gcc-optimized"], indirect=True)
def test_nothing_prints_or_exits(build):
    used = {(source, name) for source, _, name in symbols(build, "-u")}
    assert {(source, name) for source, name in used if name in FORBIDDEN} == set()


@pytest.mark.parametrize("build", ["gcc-optimized"], indirect=True)
def test_the_program_uses_nothing_but_the_header(build, tmp_path):
    """It links against a shared library that shows what ``tsws.h`` declares, and nothing else."""
    library = tmp_path / "libtsws.so"
    flags = [*build.command, "-fPIC", "-fvisibility=hidden", "-shared"]
    subprocess.run([*flags, *sorted(build.native.glob("src/*.c")), "-o", library, "-lm"], check=True)
    program = [build.native / "run" / "main.c", *build.parts]
    subprocess.run([*build.command, *program, library, "-o", tmp_path / "run", "-lm"], check=True)
    listing = subprocess.run(["nm", "-DP", "--defined-only", library], capture_output=True, text=True, check=True)
    shown = {line.split()[0] for line in listing.stdout.splitlines()}
    declared = set(re.findall(r"\b(tsws_\w+)\(", (build.native / "include/tsws.h").read_text(encoding="utf-8")))
    assert {name for name in shown if name.startswith("tsws_")} == declared
    assert [name for name in shown - declared if not name.startswith("_")] == []


def test_its_version_is_that_of_the_package(build):
    done = subprocess.run([build.program(), "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"run {__version__}\n"


@pytest.mark.parametrize("build", ["gcc-optimized"], indirect=True)
def test_on_windows_the_compiler_says_what_is_missing(build):
    command = [*build.command, "-D_WIN32", "-fsyntax-only", build.native / "src" / "version.c"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "tsws needs POSIX (mmap, pthreads), which Windows has not: build it inside WSL" in done.stderr
