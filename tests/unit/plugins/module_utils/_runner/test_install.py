# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the runner's files: systemd's own judgement of them, the interpreter, putting them in force."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import CommandNotRun, Host
from ansible_collections.gpuwright.node.plugins.module_utils._runner import bundle, desired, install, switch

from tests.sysroots.plain_node import put
from tests.sysroots.systemd_node import Systemd

UNITS = (install.SERVICE, install.ADDED, install.TIMER)


@pytest.fixture(name="root")
def fixture_root(tmp_path):
    """A host with the runner's files and a Python."""
    python(tmp_path, "python3.11", "python3")
    lay_out(tmp_path)
    return tmp_path


def python(root, name, *links):
    put(root, "/usr/bin/" + name, "")
    for link in links:
        os.symlink(name, root / "usr/bin" / link)


def lay_out(root):
    for path, (content, mode) in install.files(Host(str(root))).items():
        place = root / path[1:]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        place.chmod(mode)


def unit(root, path):
    """{section: {key: [value]}} of a unit."""
    found = {}
    for line in (root / path[1:]).read_text().splitlines():
        if line.startswith("["):
            section = found.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            key, _equals, value = line.partition("=")
            section.setdefault(key, []).append(value)
    return found


def test_every_file_says_whose_it_is(root):
    texts = {path: content for path, (content, _mode) in install.files(Host(str(root))).items()}
    assert texts.pop(install.ZIPAPP) == bundle.build()
    assert [path for path, content in texts.items() if not content.startswith(b"# Written by gpuwright.node, ")] == []
    assert {path for path in texts if not path.startswith(("/etc/systemd/system/", "/etc/udev/rules.d/"))} == set()


if shutil.which("systemd-analyze"):
    def test_systemd_has_nothing_to_say_about_the_units(tmp_path):
        lay_out(tmp_path)
        units = [tmp_path / path[1:] for path in UNITS]
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", "--recursive-errors=yes", *units],
            env=dict(os.environ, SYSTEMD_UNIT_PATH="%s/etc/systemd/system:" % tmp_path), check=False,
            stdin=subprocess.DEVNULL, capture_output=True, text=True)
        said = [line for line in (done.stdout + done.stderr).splitlines() if "gpuwright" in line]
        assert said == [] and done.returncode == 0


if shutil.which("udevadm") and subprocess.run(["udevadm", "verify", "--help"], capture_output=True).returncode == 0:
    def test_udev_has_nothing_to_say_about_the_rule(root):
        rule = root / install.RULE[1:]
        done = subprocess.run(["udevadm", "verify", rule], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_the_service_can_hold_nothing_up_for_long_and_fails_for_good_only_when_it_fails_often(root):
    service = unit(root, install.SERVICE)
    assert service["Service"]["Type"] == ["oneshot"]
    assert int(service["Service"]["TimeoutStartSec"][0]) <= 60
    assert "Restart" not in service["Service"]  # systemd 239 refuses it together with oneshot.
    assert int(service["Unit"]["StartLimitBurst"][0]) > len(unit(root, install.TIMER)["Timer"]["OnActiveSec"])
    assert not {"Requires", "BindsTo", "Wants", "Requisite"} & set(service["Unit"])
    assert not [name for name in service["Unit"]["After"][0].split() if "network" in name or "settle" in name]


@pytest.mark.parametrize("path", [install.SERVICE, install.ADDED])
def test_what_switches_the_runner_off_keeps_its_units_from_starting(root, path):
    conditions = unit(root, path)["Unit"]
    assert "!" + switch.DISABLED in conditions["ConditionPathExists"]
    assert conditions["ConditionKernelCommandLine"] == ["!" + switch.ARGUMENT]


def test_the_service_starts_only_what_is_there(root):
    service = unit(root, install.SERVICE)
    assert install.ZIPAPP in service["Unit"]["ConditionPathExists"]
    assert service["Unit"]["ConditionDirectoryNotEmpty"] == [desired.FOLDER]
    assert service["Service"]["ExecStart"] == ["/usr/bin/python3 -I %s boot" % install.ZIPAPP]


def test_the_parts_name_each_other(root):
    enabled = unit(root, install.ENABLED)["Unit"]["Wants"][0].split()
    assert enabled == [os.path.basename(install.SERVICE), os.path.basename(install.TIMER)]
    assert unit(root, install.TIMER)["Timer"]["Unit"] == [os.path.basename(install.SERVICE)]
    assert unit(root, install.ADDED)["Service"]["ExecStart"][0].split()[-2:] == [
        "restart", os.path.basename(install.TIMER)]
    rule = (root / install.RULE[1:]).read_text()
    assert 'ENV{SYSTEMD_WANTS}+="%s"' % os.path.basename(install.ADDED) in rule and 'SUBSYSTEMS=="pci"' in rule


@pytest.mark.parametrize("pythons, chosen", [
    ([("python3.11", "python3")], "/usr/bin/python3"),
    ([("python3.9", "python3"), ("python3.12",)], "/usr/bin/python3"),
    ([("python3.6", "python3"), ("python3.9",), ("python3.11",)], "/usr/bin/python3.11"),
    ([("python3.6", "python3"), ("python3.9",), ("python3.9-config",)], "/usr/bin/python3.9"),
    ([], "/usr/bin/python3"),
])
def test_the_interpreter_is_the_distributions_own_unless_too_old(tmp_path, pythons, chosen):
    for name, *links in pythons:
        python(tmp_path, name, *links)
    assert install.interpreter(Host(str(tmp_path))) == chosen


def test_an_alternative_is_followed_to_what_it_is(tmp_path):
    python(tmp_path, "python3.6")
    python(tmp_path, "python3.11")
    (tmp_path / "etc/alternatives").mkdir(parents=True)
    os.symlink("/usr/bin/python3.6", tmp_path / "etc/alternatives/python3")
    os.symlink("/etc/alternatives/python3", tmp_path / "usr/bin/python3")
    assert install.interpreter(Host(str(tmp_path))) == "/usr/bin/python3.11"


def test_on_this_machine_the_interpreter_is_there_and_new_enough():
    done = subprocess.run([install.interpreter(Host()), "-c", "import sys; print(sys.version_info >= (3, 8))"],
                          capture_output=True, text=True, check=True)
    assert done.stdout == "True\n" and sys.executable


def test_what_is_due_is_what_is_missing_or_not_as_it_shall_be(root):
    host = Host(str(root))
    assert install.due(host) == []
    (root / install.RULE[1:]).unlink()
    (root / install.TIMER[1:]).write_text("[Timer]\n")
    (root / install.ZIPAPP[1:]).chmod(0o644)
    (root / install.SERVICE[1:]).unlink()
    os.symlink("/dev/null", root / install.SERVICE[1:])  # Masked.
    assert install.due(host) == sorted([install.RULE, install.TIMER, install.ZIPAPP, install.SERVICE])


@pytest.fixture(name="running")
def fixture_running(root):
    """The host, its systemd and udev running."""
    for path in ("run/systemd/system", "run/udev/control"):
        (root / path).mkdir(parents=True)
    return root


def test_systemd_and_udev_are_told(running):
    host = Systemd(str(running), read_only=False)
    (running / "sys/fs/cgroup").mkdir(parents=True)
    install.commit(host)
    assert [words for words in host.asked if " -q " not in words] == [
        "systemctl daemon-reload", "udevadm control --reload"]


def test_the_timer_of_a_runner_that_was_removed_is_stopped_and_forgotten(running):
    (running / install.TIMER[1:]).unlink()
    (running / "sys/fs/cgroup").mkdir(parents=True)
    units = "gpuwright-device.timer gpuwright-audit.timer gpuwright-audit.service"
    asked = ["systemctl -q stop " + units, "systemctl daemon-reload", "systemctl -q reset-failed " + units,
             "udevadm control --reload"]
    host = Systemd(str(running), read_only=False, fails=(asked[0], asked[2]))
    install.commit(host)
    assert host.asked == asked


@pytest.mark.parametrize("fails", ["systemctl daemon-reload", "udevadm control --reload"])
def test_what_fails_is_said_in_words(running, fails):
    (running / "sys/fs/cgroup").mkdir(parents=True)
    with pytest.raises(CommandNotRun, match="%s: Failed: as the test wants it" % fails):
        install.commit(Systemd(str(running), read_only=False, fails=(fails,)))


def test_nobody_is_told_where_systemd_does_not_run(root):
    host = Systemd(str(root), read_only=False)
    install.commit(host)
    install.commit(Host(str(root), read_only=False))  # An image: no command is started.
    assert host.asked == []
