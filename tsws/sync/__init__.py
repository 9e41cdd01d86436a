"""Bringing files into step with a volume: three-way comparison, then transfer."""

from tsws.sync.base import Agreed, Base
from tsws.sync.compare import compare
from tsws.sync.conflicts import check_conflicts
from tsws.sync.plan import SyncPlan, plan_sync
from tsws.sync.run import SyncReport, run_sync
from tsws.sync.step import Change, Step, Version

__all__ = [
    "Agreed",
    "Base",
    "Change",
    "Step",
    "SyncPlan",
    "SyncReport",
    "Version",
    "check_conflicts",
    "compare",
    "plan_sync",
    "run_sync",
]
