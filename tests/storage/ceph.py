"""Ceph's gateway for S3, before a cluster of one monitor and one disk in memory."""

from __future__ import annotations

import os
import subprocess
import uuid
from contextlib import contextmanager
from glob import glob

import pytest
from servers import PATIENCE, SECRET, free_port, needs, running, s3, started

# A folder with its packages; empty if the tests are not for it.
FOLDER = os.environ.get("CEPH", "")
PACKAGES = "radosgw ceph-mon ceph-osd"
CONFIGURATION = """
[global]
fsid = {fsid}
mon host = v2:127.0.0.1:{port}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
# The gateway would ask for encryption, which there is none of without keys.
ms mon client mode = crc
run dir = {folder}
admin socket =
pid file =
log file = {folder}/$name.log
mon cluster log to file = false
mon data = {folder}/monitor
# It would not start on a disk that is nearly full.
mon data avail crit = 0
mon allow pool size one = true
# As for a cluster of many monitors, each change would take a second.
paxos propose interval = 0.05
paxos min wait = 0.01
osd data = {folder}/disk
osd objectstore = memstore
memstore device bytes = 4294967296
osd class dir = {libraries}/rados-classes
erasure code dir = {libraries}/ceph/erasure-code
osd crush chooseleaf type = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pg autoscale mode = off
rgw data = {folder}/gateway
"""


@contextmanager
def ceph(folder):
    needs("obstore")
    homes = [it for it in (FOLDER, "") if os.path.exists(f"{it}/usr/bin/radosgw")]
    if not homes:
        pytest.skip(f"Ceph is not installed: apt-get install {PACKAGES}")
    (libraries,) = map(os.path.dirname, glob(f"{homes[0]}/usr/lib/*/rados-classes"))
    variables = {
        "CEPH_CONF": f"{folder}/ceph.conf",
        "LD_LIBRARY_PATH": f"{libraries}:{libraries}/ceph:"
        + libraries.replace("/usr/lib/", "/lib/"),
    }
    monitor, gateway, fsid = free_port(), free_port(), str(uuid.uuid4())
    for name in ("monitor", "disk", "gateway"):
        (folder / name).mkdir()
    text = CONFIGURATION.format(
        fsid=fsid, port=monitor, folder=folder, libraries=libraries
    )
    (folder / "ceph.conf").write_text(text)

    def words(text, *further):
        name, *others = text.split()
        return [f"{homes[0]}/usr/bin/{name}", *others, *further]

    def run(text, *further):
        subprocess.run(
            words(text, *further),
            env={**os.environ, **variables},
            check=True,
            capture_output=True,
            timeout=PATIENCE,
        )

    monitors, disks = f"{folder}/monitors", f"{folder}/disks"
    place = f"[v2:127.0.0.1:{monitor}]"
    run(f"monmaptool --create --fsid {fsid} --addv a {place}", monitors)
    run("osdmaptool --createsimple 1", disks)
    made = ("--monmap", monitors, "--osdmap", disks)
    run(f"ceph-mon -i a --mkfs --fsid {fsid}", *made)
    with started(words("ceph-mon -i a -f"), monitor, variables):
        run(f"ceph-osd -i 0 --mkfs --osd-uuid {uuid.uuid4()}")
        with running(words("ceph-osd -i 0 -f"), variables):
            user = (
                f"--uid key --display-name key --access-key key --secret-key {SECRET}"
            )
            run(f"radosgw-admin user create {user}")
            endpoint = f"beast endpoint=127.0.0.1:{gateway}"
            frontend = words("radosgw -f -n client.gateway --rgw-frontends", endpoint)
            with started(frontend, gateway, variables):
                yield s3(gateway)
