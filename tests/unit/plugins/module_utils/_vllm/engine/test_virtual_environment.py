# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual environment before and after its installation; the installation itself is in tests/unit/roles."""

from __future__ import annotations

import json
import os

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import CommandNotRun
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.engine import virtual_environment
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.engine.virtual_environment import NoEngine
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.model.volume import Volume

ENGINE = {"kind": "venv", "version": "0.33.0", "path": "/opt/vllm-0.33.0"}
ASKED = {"python": None, "uv": None, "space": 1}


class Node(Volume):
    """A node with some Pythons, {name: (version, whether it makes environments)}, and a vllm that says something."""

    pythons = {"python3.12": ((3, 12), True), "python3": ((3, 9), True)}
    says = "0.33.0"

    def run(self, argv, seconds=10, changes=True):
        """Answer as Python or vLLM."""
        if argv[0].endswith("/bin/vllm"):
            return 0, self.says + "\n", ""
        if argv[0] not in self.pythons:
            raise CommandNotRun("%s: No such file or directory" % argv[0])
        version, makes = self.pythons[argv[0]]
        return 0, json.dumps([version, makes]), ""


@pytest.fixture(name="host")
def fixture_host(tmp_path):
    """The node."""
    return Node(str(tmp_path), read_only=False)


def install(tmp_path, version="0.33.0"):
    """What pip leaves."""
    folder = tmp_path / "opt/vllm-0.33.0"
    info = folder / "lib/python3.12/site-packages" / ("vllm-%s.dist-info" % version)
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Name: vllm\nVersion: %s\n" % version)
    (folder / "bin").mkdir()
    (folder / "bin/vllm").write_text("")
    (folder / "bin/vllm").chmod(0o755)
    (tmp_path / "usr/bin").mkdir(parents=True, exist_ok=True)
    (tmp_path / "usr/bin/python3.12").write_text("")
    (tmp_path / "usr/bin/python3.12").chmod(0o755)
    (folder / "bin/python").symlink_to("/usr/bin/python3.12")
    return folder


def test_from_nothing_to_finished(host, tmp_path):
    due = virtual_environment.look(host, ENGINE, ASKED)
    assert (due["state"], due["due"], due["python"], due["packages"]) == ("missing", True, "python3.12", [])
    virtual_environment.begin(host, ENGINE)
    folder = install(tmp_path, "0.33.0+cu129")
    (folder / ".gpuwright-room" / "cache").mkdir()
    assert virtual_environment.look(host, ENGINE, ASKED)["state"] == "incomplete"
    host.says = "0.33.0+cu129"
    assert virtual_environment.finish(host, ENGINE) == "0.33.0+cu129"
    assert sorted(one.name for one in folder.iterdir()) == [".gpuwright.json", "bin", "lib"]
    assert virtual_environment.look(host, ENGINE, ASKED)["due"] is False


def test_a_stopped_installation_loses_all_but_its_downloads(host, tmp_path):
    virtual_environment.begin(host, ENGINE)
    folder = install(tmp_path)
    (folder / ".gpuwright-room/wheel").write_text("x")
    (folder / "lib64").symlink_to("lib")
    virtual_environment.begin(host, ENGINE)
    assert sorted(one.name for one in folder.iterdir()) == [".gpuwright-begun.json", ".gpuwright-room"]
    assert (folder / ".gpuwright-room/wheel").exists()


def test_an_installation_that_goes_on_is_left_alone(host, tmp_path):
    (tmp_path / "proc/4711").mkdir(parents=True)
    (tmp_path / "proc/4711/cmdline").write_bytes(b"/opt/vllm-0.33.0/bin/python\0-m\0pip\0install\0vllm\0")
    with pytest.raises(NoEngine, match="process 4711 works in it"):
        virtual_environment.begin(host, ENGINE)


def test_a_folder_that_is_not_ours_is_left_alone(host, tmp_path):
    folder = install(tmp_path)
    with pytest.raises(NoEngine, match="not from us; .* engine kind existing"):
        virtual_environment.look(host, ENGINE, ASKED)
    (folder / ".gpuwright.json").write_text("{broken")
    with pytest.raises(NoEngine, match="not from us"):
        virtual_environment.look(host, ENGINE, ASKED)


@pytest.mark.parametrize("says,version,words", [
    ("0.32.0", "0.33.0", "--version says 0.32.0"), ("0.33.0", "0.34.0", "the metadata 0.34.0")])
def test_what_was_installed_must_be_what_was_asked_for(host, tmp_path, says, version, words):
    virtual_environment.begin(host, ENGINE)
    folder = install(tmp_path, version)
    host.says = says
    with pytest.raises(NoEngine, match=words):
        virtual_environment.finish(host, ENGINE)
    assert not (folder / ".gpuwright.json").exists()


def test_what_a_narrow_umask_left_is_opened_to_the_engine_s_user(host, tmp_path):
    for name in ("/opt", "/usr/bin"):
        host.make_folder(name)
    old = os.umask(0o077)
    try:
        folder = install(tmp_path)
        (folder / "bin/vllm").chmod(0o700)
        (folder / "lib/python3.12/site-packages/mine").symlink_to("/etc")
    finally:
        os.umask(old)
    assert virtual_environment.finish(host, ENGINE) == "0.33.0"
    assert [oct((folder / name).stat().st_mode & 0o777) for name in (
        "", "bin", "bin/vllm", "lib/python3.12/site-packages/vllm-0.33.0.dist-info/METADATA")] == [
            "0o755", "0o755", "0o755", "0o644"]


@pytest.mark.parametrize(("closed", "words"), [
    ("usr/bin", r"/bin/python is /usr/bin/python3\.12: .*, for /usr/bin has mode 0700"),
    ("usr/bin/python3.12", "for /usr/bin/python3.12 has mode 0700"),
    ("opt", "/bin/vllm: the engine's user cannot start it, for /opt has mode 0700")])
def test_an_engine_that_its_user_cannot_start(host, tmp_path, closed, words):
    """As with a Python in root's home."""
    install(tmp_path)
    (tmp_path / closed).chmod(0o700)
    assert virtual_environment.finish(host, dict(ENGINE, users=["root", "root"])) == "0.33.0"
    with pytest.raises(NoEngine, match=words):
        virtual_environment.finish(host, dict(ENGINE, users=["root", "vllm"]))


def test_nothing_was_installed(host):
    virtual_environment.begin(host, ENGINE)
    with pytest.raises(NoEngine, match="bin/vllm is not there"):
        virtual_environment.finish(host, ENGINE)


@pytest.mark.parametrize("pythons,given,uv,found,packages", [
    ({"python3.12": ((3, 12), True)}, None, None, "python3.12", []),
    ({"python3.11": ((3, 11), False), "python3": ((3, 11), False)}, None, None, "python3.11", ["python3.11-venv"]),
    ({"python3": ((3, 10), False)}, None, None, "python3", ["python3-venv"]),
    ({"python3": ((3, 10), False)}, None, "/bin/uv", "python3", []),
    ({"/usr/bin/python3.13": ((3, 13), True)}, "/usr/bin/python3.13", None, "/usr/bin/python3.13", [])])
def test_the_interpreter(host, pythons, given, uv, found, packages):
    host.pythons = pythons
    said = virtual_environment.look(host, ENGINE, dict(ASKED, python=given, uv=uv))
    assert (said["python"], said["packages"]) == (found, packages)


@pytest.mark.parametrize("pythons,given,words", [
    ({"python3": ((3, 9), True)}, None, "python3 is 3.9"), ({}, None, "there is no python3"),
    ({"python3.12": ((3, 12), True)}, "python3.8", "there is no python3.8")])
def test_no_interpreter(host, pythons, given, words):
    host.pythons = pythons
    with pytest.raises(NoEngine, match="needs a Python of 3.10 or later: %s" % words):
        virtual_environment.look(host, ENGINE, dict(ASKED, python=given))


def test_no_room(host):
    with pytest.raises(NoEngine, match="volume .* needed .*vLLM 0.33.0 in /opt/vllm-0.33.0.* too few"):
        virtual_environment.look(host, ENGINE, dict(ASKED, space=10 ** 18))
