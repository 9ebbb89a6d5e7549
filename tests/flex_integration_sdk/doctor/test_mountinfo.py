"""The mounts as Linux tells them; of network file systems, which are not mounted, their lines."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from flex_integration_sdk._doctor.mountinfo import Mount, mount_of, parse
from flex_integration_sdk._doctor.mounts import NETWORK, VOLATILE

# As hosts wrote them: proc(5) has the format.
LINES = r"""
22 27 0:21 / /proc rw,relatime - proc proc rw
36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root ro,errors=continue
40 27 0:35 / /home/joe/my\040files rw,relatime shared:5 - nfs4 host:/export rw,vers=4.2
41 27 0:36 / /data ro,relatime shared:6 propagate_from:2 - cifs //host/share rw,vers=3.1
42 27 0:37 / /run rw,nosuid - tmpfs tmpfs rw,size=1k,mode=755
43 27 0:38 / /s rw - fuse.sshfs joe@host: rw,user_id=1000
cut off
"""


def test_each_line_is_a_mount() -> None:
    assert parse(LINES) == {
        22: Mount("/proc", "proc", False),
        36: Mount("/mnt2", "ext3", True),
        40: Mount("/home/joe/my files", "nfs4", False),
        41: Mount("/data", "cifs", True),
        42: Mount("/run", "tmpfs", False),
        43: Mount("/s", "fuse.sshfs", False),
    }


def test_file_systems_of_other_machines_and_of_the_memory_are_known() -> None:
    kinds = {mount.kind for mount in parse(LINES).values()}
    assert kinds & NETWORK == {"nfs4", "cifs", "fuse.sshfs"}
    assert kinds & VOLATILE == {"tmpfs"}


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells its mounts in /proc")
def test_the_mount_of_a_path_is_found(tmp_path: Path) -> None:
    found = mount_of(tmp_path)
    assert found is not None
    assert Path(found.point) in (tmp_path.resolve(), *tmp_path.resolve().parents)
    proc = mount_of(Path("/proc/self/status"))
    assert proc is not None
    assert (proc.point, proc.kind) == ("/proc", "proc")
    assert mount_of(tmp_path / "gone") is None
