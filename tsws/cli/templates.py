"""The templates of ``tsws init``, which travel in the package: workspaces, and a package for authors of plugins."""

from __future__ import annotations

from pathlib import Path

from tsws.errors import TswsError, UsageError
from tsws.io.atomic import write_bytes
from tsws.manifest.words import nearest

_PACKAGE = Path(__file__).resolve().parent.parent
MANIFEST_NAME = "tinystories.toml"
"""What makes a template a workspace."""
_PAGES = "pages"
"""What reports are made from is nothing to begin with."""
_RENAMED = {"gitignore": ".gitignore"}
"""Under its own name it would rule over the template itself."""


def templates_folder() -> Path:
    """The folder with the templates: inside an installed package, or in the checkout.

    Raises:
        TswsError: it is in neither place.
    """
    for folder in (_PACKAGE / "_shipped" / "templates", _PACKAGE.parent / "templates"):
        if (folder / "quickstart").is_dir():
            return folder
    raise TswsError("the templates are missing", hint="install tsws again: pip install --force-reinstall tsws")


def template_names() -> list[str]:
    """What ``--template`` takes."""
    return sorted(path.name for path in templates_folder().iterdir() if path.is_dir() and path.name != _PAGES)


def copy_template(name: str, destination: Path) -> list[Path]:
    """Copy a template into a folder; an existing ``.gitignore`` is left as it is.

    Args:
        name: of the template.
        destination: made when missing.

    Returns:
        the files that were written, relative to the folder.

    Raises:
        UsageError: there is no such template.
        TswsError: a file of it is there already; nothing was written.
    """
    names = template_names()
    if name not in names:
        near = nearest(name, names)
        meant = f"; did you mean `{near}`?" if near else ""
        raise UsageError(f"there is no template {name!r}{meant}", hint=f"templates: {', '.join(names)}")
    source = templates_folder() / name
    files = {path.relative_to(source): path for path in sorted(source.rglob("*")) if _belongs(path)}
    targets = {relative.with_name(_RENAMED.get(relative.name, relative.name)): path for relative, path in files.items()}
    taken = [path for path in targets if (destination / path).exists() and path.name not in _RENAMED.values()]
    if taken:
        raise TswsError(
            f"{destination / taken[0]} exists already, so nothing was written",
            hint="choose another folder: tsws init DIR",
        )
    written = [path for path in targets if not (destination / path).exists()]
    for path in written:
        write_bytes(destination / path, targets[path].read_bytes())
    return written


def _belongs(path: Path) -> bool:
    """Python leaves compiled files wherever a module was imported from."""
    return path.is_file() and "__pycache__" not in path.parts
