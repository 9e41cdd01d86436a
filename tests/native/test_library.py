"""What the library promises about itself: its names, no state, nothing printed, no way out but returning."""

from __future__ import annotations

import subprocess

import pytest

FORBIDDEN = {"printf", "fprintf", "vfprintf", "puts", "putchar", "fputs", "fwrite", "perror", "exit", "_exit", "abort"}


def symbols(build, *options):
    """Of each object, its symbols as (kind, name)."""
    objects = sorted(build.folder.glob("*.o"))
    assert objects
    for path in objects:
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
    writable = [(source, name) for source, kind, name in symbols(build) if kind in "BbCDdGgSs"]
    # A table of pointers is constant, but the loader fills it in: it lies in .data.rel.ro.
    assert [entry for entry in writable if entry != ("kernels_portable", "tsws_kernels_portable")] == []


@pytest.mark.parametrize("build", ["gcc-optimized"], indirect=True)
def test_nothing_prints_or_exits(build):
    used = {(source, name) for source, _, name in symbols(build, "-u")}
    assert {(source, name) for source, name in used if name in FORBIDDEN} == set()
