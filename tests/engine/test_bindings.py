"""What Python says of ``tsws.h`` is what the compiler says of it."""

from __future__ import annotations

import re
import subprocess
from ctypes import sizeof

import pytest

from tsws.engine import find_compiler, native_folder
from tsws.engine.bindings import ABI, FUNCTIONS, STRUCTURES, library, load
from tsws.engine.build import build_library
from tsws.errors import BuildError
from tsws.version import __version__


def test_structures_are_laid_out_as_in_c(tmp_path):
    lines = []
    expected = {}
    for name, structure in STRUCTURES.items():
        expected[name] = [sizeof(structure)]
        lines.append(f'printf("{name} %zu", sizeof({name}));')
        for field, _ in structure._fields_:
            place = getattr(structure, field)
            expected[name] += [place.offset, place.size]
            lines.append(f'printf(" %zu %zu", offsetof({name}, {field}), sizeof((({name} *)0)->{field}));')
        lines.append('puts("");')
    (tmp_path / "layout.c").write_text(
        '#include "tsws.h"\n#include <stdio.h>\nint main(void) {\n' + "\n".join(lines) + "\nreturn 0;\n}\n"
    )
    command = [*find_compiler().command, "layout.c", "-o", "layout", f"-I{native_folder() / 'include'}"]
    subprocess.run(command, cwd=tmp_path, check=True)
    said = subprocess.run([tmp_path / "layout"], capture_output=True, text=True, check=True).stdout
    found = {name: [int(number) for number in numbers] for name, *numbers in map(str.split, said.splitlines())}
    assert found == expected


def test_functions_are_declared_with_as_many_arguments():
    header = (native_folder() / "include" / "tsws.h").read_text(encoding="utf-8")
    declared = {
        name: 0 if arguments.strip() == "void" else arguments.count(",") + 1
        for name, arguments in re.findall(r"\b(tsws_\w+)\(([^)]*)\);", header)
    }
    assert {name: len(arguments) for name, (_, arguments) in FUNCTIONS.items()}.items() <= declared.items()
    assert f"#define TSWS_ABI {ABI}\n" in header


def test_the_library_is_of_this_version():
    assert library().tsws_abi() == ABI
    assert library().tsws_version().decode() == __version__


def test_a_library_of_another_abi_is_refused(tmp_path):
    functions = "".join(
        f'__attribute__((visibility("default"))) int {name}(void) {{ return 999; }}\n' for name in FUNCTIONS
    )
    (tmp_path / "other.c").write_text(functions)
    build_library(tmp_path / "other.c", tmp_path / "other.so", compiler=find_compiler())
    with pytest.raises(BuildError) as caught:
        load(tmp_path / "other.so")
    assert caught.value.message == f"{tmp_path / 'other.so'} has the ABI 999, expected {ABI}"
    assert caught.value.hint == f"remove {tmp_path / 'other.so'}, and it will be compiled again"


@pytest.mark.parametrize("content", [b"", b"int x;"])
def test_what_is_no_library_is_refused(tmp_path, content):
    path = tmp_path / "broken.so"
    path.write_bytes(content)
    with pytest.raises(BuildError) as caught:
        load(path)
    assert caught.value.message.startswith("the native library can not be loaded: ")


def test_a_library_without_the_functions_is_refused(tmp_path):
    (tmp_path / "empty.c").write_text("int x;\n")
    build_library(tmp_path / "empty.c", tmp_path / "empty.so", compiler=find_compiler())
    with pytest.raises(BuildError) as caught:
        load(tmp_path / "empty.so")
    assert "tsws_abi" in caught.value.message
