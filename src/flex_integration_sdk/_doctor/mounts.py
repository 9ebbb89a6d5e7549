"""Checks of the mounts that the store's files are in: their file system, and how it is mounted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .checks import check
from .finding import Outcome, SkipCheck, error, ok, warning
from .ground import Ground
from .mountinfo import Mount, mount_of
from .ownership import nearest

NETWORK = frozenset(
    (
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre"),
        *("gpfs", "davfs", "fuse.davfs", "fuse.sshfs", "fuse.s3fs", "fuse.gcsfuse"),
        *("fuse.rclone", "fuse.glusterfs", "fuse.ceph", "fuse.blobfuse", "fuse.blobfuse2"),
    )
)
VOLATILE = frozenset(("tmpfs", "ramfs"))


@check("place.filesystem")
def filesystem(ground: Ground) -> Iterator[Outcome]:
    """Whether the files are on a file system of this machine."""
    mounts = _mounts(ground)
    remote = {path: mount for path, mount in mounts.items() if mount.kind in NETWORK}
    for path, mount in remote.items():
        yield warning(
            f"{path} is on a network file system ({mount.kind}, mounted at {mount.point}): whether "
            "its locks hold between hosts cannot be seen from one of them",
            "Use it on one host only, or choose a store for several hosts: redis, sql or vault",
        )
    if not remote:
        kinds = sorted({mount.kind for mount in mounts.values()})
        yield ok(f"The files are on a local file system: {', '.join(kinds)}")


@check("place.mount")
def mount(ground: Ground) -> Iterator[Outcome]:
    """Whether the mount can be written to, is of a folder, and lasts."""
    # One path for each mount: the folder comes first.
    first = {there: path for path, there in reversed(_mounts(ground).items())}
    found = [each for there, path in first.items() for each in _problems(path, there)]
    points = " and ".join(sorted(there.point for there in first))
    yield from found or [ok(f"The mount at {points} can be written to")]


CHECKS = (filesystem, mount)


def _mounts(ground: Ground) -> dict[Path, Mount]:
    found = {path: mount_of(nearest(path)) for path in ground.disk_paths}
    known = {path: there for path, there in found.items() if there is not None}
    if not known:
        raise SkipCheck("This system does not tell its mounts (only Linux is looked at).")
    return known


def _problems(path: Path, there: Mount) -> Iterator[Outcome]:
    if there.is_read_only:
        yield error(
            f"{there.point} is mounted read-only ({there.kind}): no token can be saved in {path}",
            f"Mount it with write access (`mount -o remount,rw {there.point}`; in a container, "
            "without `:ro`), or choose another location",
        )
    elif there.point == str(path) and path.is_file():
        yield warning(
            f"{path} is a mount of its own, so it cannot be replaced and is written in place: a "
            "power cut in that moment may damage the token",
            f"Mount the folder {path.parent}, not the file",
        )
    if there.kind in VOLATILE:
        yield warning(
            f"{path} is on {there.kind} (mounted at {there.point}), which is lost at a restart: "
            "the next start signs in again",
            "Choose a folder on a disk, unless that is meant so",
        )
