"""Who checks types sees those of every package that travels in the wheel."""

from __future__ import annotations

import tomllib
from pathlib import Path


def test_every_package_says_that_it_is_typed(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    packages += [
        path.parent.relative_to(repository).as_posix() for path in repository.glob("templates/*/*/__init__.py")
    ]
    assert {"tsws", "plugins/tsws_local", "templates/plugin/tsws_nice"} <= set(packages)
    assert [package for package in packages if not (repository / package / "py.typed").is_file()] == []
