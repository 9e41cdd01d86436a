"""The face of tsws for people and notebooks: ``from tsws import Workspace``."""

from tsws.workspace.workspace import Workspace

__all__ = ["Workspace"]
