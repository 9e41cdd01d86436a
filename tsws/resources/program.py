"""The native program that plays models, compiled on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsws.engine.compiler import Compiler, find_compiler
from tsws.errors import BuildError
from tsws.io.atomic import write_bytes
from tsws.io.digest import sha256_bytes
from tsws.manifest.outputs import program_paths
from tsws.manifest.specs import ProgramSpec
from tsws.plugin import Plugins
from tsws.reconcile.resource import BaseRule, Made, Making, Resource, Result
from tsws.resources.sourcing import Fetching, own_files

PROGRAM, SOURCE = "program", "source"
NATIVE = "native"


def program_resource(name: str, spec: ProgramSpec, plugins: Plugins) -> Resource:
    """The resource of one ``[program.NAME]``; blocked when there is no C compiler."""
    where = program_paths(name, spec)
    paths = (str(where.executable), str(where.source))
    try:
        compiler: Compiler | None = find_compiler(spec.compiler)
        blocked, hint = None, None
    except BuildError as error:
        compiler, blocked, hint = None, error.message, error.hint
    return Resource(
        address=f"program.{name}",
        rule=ProgramRule(spec, paths, compiler, plugins),
        identity=_identity(spec, compiler),
        sources=() if spec.source == NATIVE else own_files(spec.source),
        outputs=paths,
        blocked=blocked,
        blocked_hint=hint,
    )


def _identity(spec: ProgramSpec, compiler: Compiler | None) -> dict[str, Any]:
    from tsws.engine.build import build_identity

    identity: dict[str, Any] = {"source": spec.source}
    if spec.source == NATIVE:
        identity["source_sha256"] = sha256_bytes(_native_source())
    if compiler is not None:
        identity |= build_identity(compiler, spec.flags)
    return identity


def _native_source() -> bytes:
    from tsws.engine.source import amalgamate, native_folder

    return amalgamate(native_folder())


@dataclass(frozen=True)
class ProgramRule(BaseRule):
    """Write one C file and compile it."""

    spec: ProgramSpec
    paths: tuple[str, str]
    compiler: Compiler | None
    plugins: Plugins

    version = 1

    def make(self, making: Making) -> Result:
        """Compile the program; its source is published beside it."""
        from tsws.engine.build import build_program

        if self.compiler is None:
            raise BuildError("there is no C compiler", hint="install gcc or clang")
        source = self._source(making)
        program = making.folder / "program"
        build_program(source, program, compiler=self.compiler, flags=self.spec.flags)
        files = [Made(PROGRAM, program, self.paths[0])]
        if source.is_relative_to(making.folder):
            files.append(Made(SOURCE, source, self.paths[1]))
        return Result(files, {"compiler": self.compiler.version_line})

    def _source(self, making: Making) -> Path:
        if self.spec.source == NATIVE:
            source = making.folder / "program.c"
            write_bytes(source, _native_source())
            return source
        found = Fetching(self.plugins).bring(making, self.spec.source)
        if len(found) != 1:
            raise BuildError(
                f"{making.resource.address}: {self.spec.source} names {len(found)} files, expected one C file",
                hint="name one C file that compiles alone",
            )
        return found[0]
