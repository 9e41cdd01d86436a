"""The native code as shared libraries for Python: compiled once for this source, these flags and this machine, then kept."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tsws.engine.build import SHARED_FLAGS, build_identity, build_library
from tsws.engine.compiler import find_compiler
from tsws.engine.source import amalgamate, native_folder
from tsws.errors import BuildError
from tsws.io.caches import CACHE_VARIABLE, cache_folder
from tsws.io.digest import digest_value, sha256_bytes


def native_library() -> Path:
    """``libtsws``, the library of ``native/``; compiled when this machine has not done so before.

    Raises:
        BuildError: there is no compiler, or it failed, or nothing can be kept.
    """
    return shared_library("libtsws", amalgamate(native_folder(), program=False))


def shared_library(name: str, source: bytes, *, flags: Sequence[str] = ()) -> Path:
    """A C source as a shared library, from the cache or compiled now.

    Two processes that need it at once both compile it, and the second finished replaces the first: they are the same.

    Args:
        name: of the file, without its suffix.
        source: C that compiles alone.
        flags: more flags for the compiler.

    Raises:
        BuildError: as :func:`native_library`.
    """
    if sys.platform == "win32":
        raise BuildError(
            f"{name} can not be compiled on Windows: it needs POSIX (mmap, threads)",
            hint="use tsws inside WSL (wsl --install), or play with torch: --engine torch",
        )
    compiler = find_compiler()
    identity = build_identity(compiler, [*flags, *SHARED_FLAGS])
    key = digest_value({**identity, "source": sha256_bytes(source)})
    library = cache_folder() / "native" / key[:32] / f"{name}.so"
    if library.is_file():
        return library
    try:
        library.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=library.parent) as folder:
            file = Path(folder) / f"{name}.c"
            file.write_bytes(source)
            build_library(file, library, compiler=compiler, flags=flags)
    except OSError as error:
        raise BuildError(
            f"{library} can not be written: {error.strerror or error}",
            hint=f"make room, or name another folder: {CACHE_VARIABLE}=FOLDER",
        ) from error
    return library
