"""Starts a container's process in namespaces of its own. Run as a script, by :mod:`tests.modal_plane.isolation`.

    python -I launch.py probe          # exits with 0 where namespaces can be had
    python -I launch.py PLAN.json      # becomes the container
    python -I launch.py bare PID_FD COMMAND...      # becomes it without namespaces

In a private mount namespace it builds a root that shows the system's folders, the interpreter and what the plan binds,
and nothing else: no checkout, no home, no temporary folder. In a private process namespace, the container's first process takes all
its children with it when it dies. Only the standard library is used, because nothing else can be imported here.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

# <sched.h>, <sys/mount.h>, <sys/prctl.h>
CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID = 0x00020000, 0x10000000, 0x20000000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
PR_SET_PDEATHSIG = 1
SYSTEM = ("bin", "dev", "etc", "lib", "lib32", "lib64", "libx32", "sbin", "sys", "usr")
"""Top-level folders that every container sees."""

_libc = ctypes.CDLL(None, use_errno=True)


def _check(status: int, what: str) -> None:
    if status:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def _mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    words = [word.encode() or None for word in (source, target, kind)]
    _check(_libc.mount(*words, ctypes.c_ulong(flags), data.encode() or None), f"mount {source} at {target}")


def _unshare() -> None:
    """Leave the namespaces of the parent; without privileges by way of a user namespace in which one is root."""
    uid, gid = os.getuid(), os.getgid()
    if uid == 0:
        _check(_libc.unshare(CLONE_NEWNS | CLONE_NEWPID), "unshare")
        return
    _check(_libc.unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
    Path("/proc/self/gid_map").write_text(f"0 {gid} 1")


def _die_with_parent() -> None:
    if sys.platform == "linux":
        _check(_libc.prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL)), "prctl")


def _say_pid(descriptor: int, pid: int) -> None:
    os.write(descriptor, str(pid).encode())
    os.close(descriptor)


def _bind(source: str, target: Path, *, read_only: bool = False) -> None:
    if Path(source).is_dir():
        target.mkdir(parents=True, exist_ok=True)
    elif not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    _mount(source, str(target), flags=MS_BIND | MS_REC)
    if read_only:
        # In a user namespace a mount must keep the restrictions that it came with; their bits are those of statvfs.
        kept = os.statvfs(target).f_flag & (
            os.ST_NOSUID | os.ST_NODEV | os.ST_NOEXEC | os.ST_NOATIME | os.ST_NODIRATIME
        )
        _mount(source, str(target), flags=MS_BIND | MS_REMOUNT | MS_RDONLY | kept)


def _build_root(root: Path, binds: list[dict[str, Any]]) -> None:
    _mount("", "/", flags=MS_REC | MS_PRIVATE)
    _mount("tmpfs", str(root), "tmpfs", data="mode=755")
    for name in SYSTEM:
        place = Path("/", name)
        if place.is_symlink():
            (root / name).symlink_to(place.readlink())
        elif place.is_dir():
            _bind(str(place), root / name)
    (root / "proc").mkdir()
    try:
        _mount("proc", str(root / "proc"), "proc")
    except PermissionError:
        # Inside another container the kernel may refuse a fresh one; the outer one shows other process ids, and serves.
        _mount("/proc", str(root / "proc"), flags=MS_BIND | MS_REC)
    for bind in binds:
        _bind(bind["source"], root / bind["target"].lstrip("/"), read_only=bind["read_only"])


def _hide(root: Path, folder: str, names: list[str], number: int) -> None:
    """Show a folder without some of its entries: the others become links to where it really lies."""
    place = root / folder.lstrip("/")
    behind = Path(f"/.shown/{number}")
    _bind(str(place), root / behind.relative_to("/"))
    _mount("tmpfs", str(place), "tmpfs", data="mode=755")
    for entry in (root / behind.relative_to("/")).iterdir():
        if entry.name not in names:
            (place / entry.name).symlink_to(behind / entry.name)


def _become(plan: dict[str, Any]) -> None:
    _die_with_parent()
    root = Path(plan["root"])
    _build_root(root, plan["binds"])
    for number, (folder, names) in enumerate(plan["hidden"].items()):
        _hide(root, folder, names, number)
    os.chroot(root)
    os.chdir(plan["cwd"])
    os.execve(plan["command"][0], plan["command"], plan["environment"])


def main(argument: str) -> int:
    """See the module. To the plan's ``pid_fd`` goes the container's process id, as it is seen from outside."""
    if argument == "probe":
        _unshare()
        _mount("", "/", flags=MS_REC | MS_PRIVATE)
        return 0
    if argument == "bare":
        _die_with_parent()
        _say_pid(int(sys.argv[2]), os.getpid())
        os.execv(sys.argv[3], sys.argv[3:])
    plan = json.loads(Path(argument).read_text())
    _die_with_parent()
    _unshare()
    child = os.fork()
    if child == 0:
        try:
            _become(plan)
        except OSError as error:
            print(f"the container could not be started: {error}", file=sys.stderr, flush=True)
            os._exit(125)
    _say_pid(plan["pid_fd"], child)
    for output in (1, 2):
        # Who reads them shall see their end when the container has died.
        os.close(output)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    # As a shell says it: 137 is SIGKILL.
    os._exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
