"""Writes the generated parts of the pages again: ``python -m tests.docs.regenerate``."""

from __future__ import annotations

from tests.docs.generated import SCHEMAS, render, schema
from tests.docs.pages import REPOSITORY, pages


def main() -> None:
    """Rewrite every page and schema that is not as the code has it now."""
    wanted = {page.path: page.regenerated(render) for page in pages()}
    wanted |= {REPOSITORY / path: schema(path) for path in SCHEMAS}
    for path, text in wanted.items():
        path.parent.mkdir(exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(path.relative_to(REPOSITORY))


if __name__ == "__main__":
    main()
