"""The house as values: modules, what each imports, and the floors that the design gives to its rooms."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PRINTING = {"print", "sys.stdout.write", "sys.stderr.write", "click.echo", "click.secho", "rich.print"}
FLOOR = re.compile(r"^\| (\d+) \| (.+?) \| ")
FOR_PLUGINS = re.compile(r"may import what a stranger's plugin may:\s*(.+?)\. ", re.DOTALL)
ROOM = re.compile(r"`(tsws/[a-z_]+)(?:/|\.py)`")


@dataclass(frozen=True)
class Module:
    """One source file."""

    name: str
    """Dotted, a package without ``__init__``."""
    path: Path
    tree: ast.Module
    is_package: bool

    @property
    def room(self) -> str:
        """The folder or module of the second level (``tsws.io``), or a plugin's package.

        ``python -m tsws`` is the command line by another name.
        """
        if self.name == "tsws.__main__":
            return "tsws.cli"
        parts = self.name.split(".")
        return ".".join(parts[:2]) if parts[0] == "tsws" else parts[0]

    def imports(self) -> Iterator[tuple[str, int]]:
        """Everything that it imports, at any depth and for type checkers too: dotted name and line.

        ``from a import b`` gives ``a.b``, whether ``b`` is a module or a name in one.
        """
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((alias.name, node.lineno) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = self._base(node)
                yield from ((f"{base}.{alias.name}", node.lineno) for alias in node.names)

    def _base(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.name.split(".")
        package = parts[: len(parts) - node.level + self.is_package]
        return ".".join([*package, *([node.module] if node.module else [])])


@dataclass(frozen=True)
class House:
    """All modules by name, and the floor of each room."""

    modules: dict[str, Module]
    floors: dict[str, int]
    for_plugins: set[str]
    """What a stranger's plugin may import, and so what the first-party ones may."""

    @classmethod
    def of(cls, repository: Path) -> House:
        """Parse a checkout."""
        modules = {}
        for base in (repository, repository / "plugins"):
            packages = [base / "tsws"] if base == repository else sorted(base.iterdir())
            for path in (file for package in packages for file in sorted(package.rglob("*.py"))):
                module = parse(path.relative_to(base), path)
                modules[module.name] = module
        design = (repository / "docs" / "design.md").read_text()
        return cls(modules, floors(design), for_plugins(design))

    def target(self, name: str) -> str | None:
        """The module of this house that an imported name is or lies in, or None for a stranger's."""
        parts = name.split(".")
        while parts:
            if ".".join(parts) in self.modules:
                return ".".join(parts)
            parts.pop()
        return None

    def edges(self) -> Iterator[tuple[Module, Module, int]]:
        """Who imports whom, and in which line."""
        for module in self.modules.values():
            for name, line in module.imports():
                target = self.target(name)
                if target is not None:
                    yield module, self.modules[target], line


def for_plugins(design: str) -> set[str]:
    """What a plugin may import, from the sentence of the design."""
    sentence = FOR_PLUGINS.search(design)
    return set(re.findall(r"`(tsws\.[a-z_]+)`", sentence[1])) if sentence else set()


def assert_none(faults: list[str]) -> None:
    """Fail with every fault on a line of its own."""
    assert not faults, "\n" + "\n".join(faults)


def parse(relative: Path, path: Path) -> Module:
    """The module of a source file; ``relative`` to the folder that is on the import path."""
    parts = list(relative.with_suffix("").parts)
    is_package = parts[-1] == "__init__"
    name = ".".join(parts[:-1] if is_package else parts)
    return Module(name, path, ast.parse(path.read_text(), str(path)), is_package)


def floors(design: str) -> dict[str, int]:
    """Rooms and their floors, from the table of the design."""
    found = {}
    for line in design.splitlines():
        row = FLOOR.match(line)
        if row:
            found.update({room.replace("/", "."): int(row[1]) for room in ROOM.findall(row[2])})
    return found


def layer_faults(house: House) -> list[str]:
    """Imports that do not go down."""
    faults = []
    for module, target, line in house.edges():
        if module.room == target.room:
            continue
        where = f"{module.name}:{line} imports {target.name}"
        if target.room == "tsws":
            faults.append(f"{where}: the face of the package is for people, not for its rooms")
        elif target.room.startswith("tsws.") and module.room == "tsws":
            continue
        elif not target.room.startswith("tsws"):
            faults.append(f"{where}: a plugin is imported by nothing")
        elif target.room == "tsws.testing":
            faults.append(f"{where}: conformance suites are imported by nothing")
        elif module.room.startswith("tsws.") and module.room in house.floors:
            here, there = house.floors[module.room], house.floors.get(target.room)
            if there is None or there >= here:
                faults.append(f"{where}: floor {there} is not below floor {here}")
    return faults


def plugin_faults(house: House) -> list[str]:
    """What plugins import of the house beyond what a stranger's may."""
    plugins = ((module, target, line) for module, target, line in house.edges() if module.name.startswith("tsws_"))
    return [
        f"{module.name}:{line} imports {target.name}"
        for module, target, line in plugins
        if target.room != module.room and target.room not in house.for_plugins
    ]


def circle(house: House) -> list[str] | None:
    """Modules that import each other in a circle, or None. A package counts where its ``__init__`` hands names on."""
    graph: dict[str, set[str]] = {name: set() for name in house.modules}
    for module, target, _ in house.edges():
        if module.name != target.name:
            graph[module.name].add(target.name)
    finished: set[str] = set()

    def visit(name: str, trail: list[str]) -> list[str] | None:
        if name in trail:
            return [*trail[trail.index(name) :], name]
        if name in finished:
            return None
        for target in sorted(graph[name]):
            found = visit(target, [*trail, name])
            if found:
                return found
        finished.add(name)
        return None

    for name in sorted(graph):
        found = visit(name, [])
        if found:
            return found
    return None


def definitions(module: Module) -> list[str]:
    """Statements of an ``__init__`` that do not hand names on.

    A docstring, imports and ``__all__`` do; so do imports for type checkers, and ``__getattr__``, which imports a name
    when it is asked for (PEP 562).
    """
    faults = []
    for number, node in enumerate(module.tree.body):
        docstring = number == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        names = isinstance(node, ast.Assign) and [ast.unparse(one) for one in node.targets] == ["__all__"]
        lazily = isinstance(node, ast.FunctionDef) and node.name == "__getattr__"
        if not (docstring or names or lazily or _is_import(node)):
            faults.append(f"{module.name}:{node.lineno} {ast.unparse(node).splitlines()[0]}")
    return faults


def _is_import(node: ast.stmt) -> bool:
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return all(_is_import(inner) for inner in node.body) and not node.orelse
    return isinstance(node, (ast.Import, ast.ImportFrom))


def prints(module: Module) -> list[str]:
    """Calls that write for people, on the standard streams."""
    calls = (node for node in ast.walk(module.tree) if isinstance(node, ast.Call))
    return [f"{module.name}:{call.lineno} {ast.unparse(call)}" for call in calls if ast.unparse(call.func) in PRINTING]


def undocumented(module: Module) -> list[str]:
    """Public modules, classes and functions without a docstring.

    What a class of this module inherits, or what overrides a documented method of it, speaks for itself only where
    the base class is named; so methods of classes with bases may leave theirs to the base.
    """
    faults = [] if ast.get_docstring(module.tree) else [f"{module.name} has no docstring"]

    def visit(node: ast.AST, prefix: str, *, inherited: bool) -> None:
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                if isinstance(child, (ast.If, ast.Try, ast.With)):
                    visit(child, prefix, inherited=inherited)
                continue
            name = f"{prefix}.{child.name}"
            is_class = isinstance(child, ast.ClassDef)
            if child.name.startswith(("_", "test_")):  # a test is named after what it shows
                continue
            if not ast.get_docstring(child) and not (inherited and not is_class) and not _is_hook(child):
                faults.append(f"{name} has no docstring")
            if is_class:
                visit(child, name, inherited=bool(child.bases))

    visit(module.tree, module.name, inherited=False)
    return faults


def _is_hook(node: ast.AST) -> bool:
    """Hook implementations are described by their specification."""
    return any(ast.unparse(one) == "hookimpl" for one in getattr(node, "decorator_list", []))
