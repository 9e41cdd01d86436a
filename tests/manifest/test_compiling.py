"""What a manifest may say to a compiler: which one, and flags that load, run, read and write nothing else."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tsws.errors import ManifestError
from tsws.manifest import load
from tsws.manifest.compiling import CompilerFlag, CompilerName
from tsws.plugin import Plugins

COMPILERS = """
cc gcc clang tcc icx c99 gcc-13 gcc-13.2 gcc12 clang-18 musl-gcc emcc x86_64-linux-gnu-gcc-12 aarch64-apple-darwin24-clang
x86_64-w64-mingw32-gcc-10-posix afl-gcc
"""
NO_COMPILERS = [
    "",
    "./cc",
    "../cc",
    "/usr/bin/cc",
    "cc -v",
    "sh cc",
    " cc",
    "cc ",
    "cc\n",
    "-cc",
    ".cc",
    "a\\cc",
    "sh",
    "gawk",
]
NO_COMPILERS += ["python3", "make", "tclsh", "reboot", "gcc-ar", "ccache", "~cc", "$CC", "cc;id", "cc\0"]

FLAGS = """
-O -O0 -O3 -Os -Oz -Ofast -DNAME -DNAME=1 -DNAME= -DTEXT="a-b.c" -UNAME -march=native -mtune=cortex-a72 -mavx2 -msse4.2 -mno-avx512f
-march=armv8.2-a+fp16 -m64 -mfpmath=sse,387 -ffast-math -fopenmp -fopenmp=libomp -fno-plt -funroll-loops -fsanitize=address,undefined
-flto -flto=auto -flto=4 -ffp-contract=fast -fno-strict-aliasing -fvisibility=hidden -Wall -Wextra -Werror=format -Wno-unused-result
-Wformat=2 -Wc++-compat -w -pedantic -pthread -g -g3 -ggdb3 -gdwarf-5 -std=c11 -std=gnu17 -std=iso9899:2011 -lm -lgomp -lstdc++
"""
NO_FLAGS = """
-fplugin -fplugin=evil.so -fplugin=./evil.so -fplugin-arg-evil-x=1 -fno-plugin -fpass-plugin=evil.so -fuse-ld=evil -fuse-ld=lld
-fprofile-use=evil -fprofile-generate -fauto-profile=evil -fdump-tree-all -fdump-tree-all=evil -fsave-optimization-record
-fmodules-cache-path=evil -ftest-coverage -fopt-info-vec=evil -foffload-options=evil -fcrash-diagnostics-dir=evil
-specs=evil -specs -wrapper -B -B. -Bevil @evil @ -Wl,-rpath,evil -Wa,-o,evil -Wp,-MD,evil -Wl -Wa -Wp -Xlinker -Xclang -Xassembler
-include -includeevil.h -imacros -I -Iinclude -isystem -iquote -L. -Levil -x -xc++ -xassembler -o -oevil -c -E -S -M -MD -MF --help
--sysroot=evil -T -Tevil.ld -u -e -mllvm -mllvm=-load -l:evil.a -l -lm.so -levil/x -DX=a/b -DX=.. -DX=a..b -march=a/b -march=..
-save-temps -dumpdir -pipe -print-file-name=evil -v -### - -- -static-pie -shared -gsplit-dwarf evil.c evil.o ./evil O3 -Q -a -f -m -W -D
"""
UGLY_FLAGS = [
    "",
    " ",
    "-O3 -fplugin=evil.so",
    "-lm\n",
    "-DX=a\nb",
    "-D X",
    "-DX=$(id)",
    "-DX=`id`",
    "-DX=%x",
    "-O3\0",
    "-W all",
]


def is_allowed(text: str, type_: object) -> bool:
    try:
        msgspec.convert(text, type_)
    except msgspec.ValidationError:
        return False
    return True


def test_a_compiler_is_named_by_its_bare_name() -> None:
    assert [name for name in COMPILERS.split() if not is_allowed(name, CompilerName)] == []
    assert [name for name in NO_COMPILERS if is_allowed(name, CompilerName)] == []


def test_flags_only_say_how_to_compile() -> None:
    assert [flag for flag in FLAGS.split() if not is_allowed(flag, CompilerFlag)] == []
    assert [flag for flag in [*NO_FLAGS.split(), *UGLY_FLAGS] if is_allowed(flag, CompilerFlag)] == []


def test_loading_runs_nothing_that_a_manifest_names(plugins: Plugins, tmp_path: Path) -> None:
    script = tmp_path / "evil-cc"
    script.write_text(f"#!/bin/sh\ntouch {tmp_path / 'ran'}\necho evil 1.0\n")
    script.chmod(0o755)
    manifest = tmp_path / "tinystories.toml"
    for compiler in ("./evil-cc", str(script), "sh evil-cc"):
        manifest.write_text(f'[program.p]\ncompiler = "{compiler}"\n')
        with pytest.raises(ManifestError):
            load(manifest, plugins=plugins)
    assert not (tmp_path / "ran").exists()
