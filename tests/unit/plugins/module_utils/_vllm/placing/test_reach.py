# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user of an instance cannot reach of an engine and a model that are there already."""

from __future__ import annotations

import os

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.placing.reach import beyond

from tests.sysroots import sysfs

PASSWD = "root:x:0:0::/root:/bin/sh\nvllm:x:990:990::/:/bin/false\nalice:x:1001:1001::/home/alice:/bin/sh\n"


class Owned(Host):
    """A host whose files below /home/alice are alice's and all others root's: a test can give nobody a file."""

    def owner(self, path):
        """Fails as the real one does where nothing is there."""
        os.lstat(self.locate(path))
        return (1001, 1001) if path.startswith("/home/alice") else (0, 0)


@pytest.fixture(name="host")
def fixture_host(tmp_path):
    sysfs.write(tmp_path, "etc/passwd", PASSWD)
    sysfs.write(tmp_path, "etc/group", "alice:x:1001:\n")
    for path in ("home/alice/env/bin/vllm", "home/alice/env/bin/python", "srv/m/config.json", "srv/m/a.safetensors"):
        sysfs.write(tmp_path, path, "")
        (tmp_path / path).chmod(0o755)
    host = Owned(str(tmp_path))

    def set_mode(path, mode):
        (tmp_path / path).chmod(mode)
    host.set_mode = set_mode
    return host


def asked(**changed):
    return dict({"name": "a", "user": "vllm", "model_path": "/srv/m", "source": None,
                 "engine": {"kind": "existing", "path": "/home/alice/env"}}, **changed)


def test_what_everybody_may_reach_is_no_finding(host):
    assert beyond(host, asked()) == []


def test_a_home_that_is_closed_is_named(host):
    host.set_mode("home/alice", 0o700)
    assert beyond(host, asked()) == [
        "user vllm cannot start the engine: /home/alice has mode 0700 and is of user 1001 and group 1001"]
    assert beyond(host, asked(user="alice")) == [] == beyond(host, asked(user="root"))
    assert beyond(host, asked(engine={"kind": "podman", "path": None})) == []
    host.set_mode("home/alice", 0o750)
    assert len(beyond(host, asked())) == 1
    sysfs.write(host.root, "etc/group", "alice:x:1001:vllm\n")
    assert beyond(Owned(host.root), asked()) == []


def test_the_interpreter_of_the_environment_may_be_elsewhere(host, tmp_path):
    sysfs.write(tmp_path, "opt/python/bin/python3", "")
    host.set_mode("opt/python/bin/python3", 0o755)
    host.set_mode("opt/python", 0o700)
    (tmp_path / "home/alice/env/bin/python").unlink()
    (tmp_path / "home/alice/env/bin/python").symlink_to("/opt/python/bin/python3")
    assert beyond(host, asked()) == [
        "user vllm cannot start the engine: /opt/python has mode 0700 and is of user 0 and group 0"]


def test_a_file_of_the_model_that_only_root_may_read(host):
    host.set_mode("srv/m/a.safetensors", 0o600)
    assert beyond(host, asked()) == [
        "user vllm cannot read the model: /srv/m/a.safetensors has mode 0600 and is of user 0 and group 0"]
    assert beyond(host, asked(user="not-yet-there")) != []
    assert beyond(host, asked(source={"path": "/srv/shared"})) == []  # The role brings it, for everybody to read.
    host.set_mode("srv/m", 0o711)
    assert "/srv/m has mode 0711" in beyond(host, asked())[0]
