"""Where a user's caches lie: what can always be made again, for every workspace of this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

CACHE_VARIABLE = "TSWS_CACHE"
"""Names the folder for what can always be made again."""


def cache_folder() -> Path:
    """Where this user's caches of tsws lie: ``$TSWS_CACHE``, else ``tsws`` in the system's folder for caches."""
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named).absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "tsws"
    # https://specifications.freedesktop.org/basedir-spec/latest/: relative paths are to be ignored
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "tsws"
