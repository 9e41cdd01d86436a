"""Downloads: resumed, verified, pinned."""

from tsws.fetch.download import Fetched, download
from tsws.fetch.lockfile import LockFile, Pin

__all__ = ["Fetched", "LockFile", "Pin", "download"]
