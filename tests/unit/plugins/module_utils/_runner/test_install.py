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

from ansible_collections.gpuwright.node.plugins.module_utils import _journal
from ansible_collections.gpuwright.node.plugins.module_utils._host import CommandNotRun, Host
from ansible_collections.gpuwright.node.plugins.module_utils._runner import bundle, desired, install, switch

from tests.sysroots.plain_node import put
from tests.sysroots.systemd_node import Systemd

UNITS = (install.SERVICE, install.ADDED, install.TIMER, install.AUDIT, install.AUDIT_TIMER)
METRICS = "/var/lib/node_exporter/gpuwright.prom"


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
    host = Host(str(root))
    for path, (content, mode) in dict(install.files(host), **install.command_files(host, METRICS, 1800)).items():
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
    for path in install.HOOKS:
        (root / path[1:]).parent.mkdir(parents=True)
    host = Host(str(root))
    texts = {path: content.decode("latin-1") for path, (content, _mode) in dict(
        install.files(host), **install.command_files(host, METRICS, 1800)).items()}
    assert texts.pop(install.ZIPAPP).encode("latin-1") == bundle.build()
    assert {path: text for path, text in texts.items()
            if not text.removeprefix("#!/bin/sh\n").startswith(_journal.HEAD)} == {}
    assert {path for path in texts if not path.startswith(("/etc/systemd/system/", "/etc/udev/rules.d/"))} == {
        install.LAUNCHER, *install.HOOKS}


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
    assert int(unit(root, install.AUDIT)["Service"]["TimeoutStartSec"][0]) <= 300
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


@pytest.mark.parametrize("folder", [path.rpartition("/")[0] for path in install.HOOKS])
def test_whoever_owns_the_network_gets_a_hook_where_it_looks_for_one(root, folder):
    assert not set(install.files(Host(str(root)))) & set(install.HOOKS)
    (root / folder[1:]).mkdir(parents=True)
    assert set(install.files(Host(str(root)))) & set(install.HOOKS) == {folder + "/90-gpuwright"}


@pytest.fixture(name="hook")
def fixture_hook(tmp_path, root):
    """run(path, *words, **environment) -> what the hook asked of systemctl; the interfaces are those of a folder."""
    nets = tmp_path / "net"
    for name, below in (("eth0", "device"), ("vlan7", "lower_eth0"), ("veth1", None)):
        (nets / name).mkdir(parents=True)
        if below:
            (nets / name / below).mkdir()
    systemctl = tmp_path / "bin/systemctl"
    systemctl.parent.mkdir()
    systemctl.write_text('#!/bin/sh\necho "$@"\nexit 1\n')
    systemctl.chmod(0o755)

    def run(path, *words, **environment):
        (root / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        text, mode = install.files(Host(str(root)))[path]
        assert mode == 0o755
        script = tmp_path / "hook"
        script.write_text(text.decode().replace("/sys/class/net", str(nets)).replace(
            "PATH=/usr/sbin", "PATH=%s:/usr/sbin" % systemctl.parent))
        done = subprocess.run(["sh", "-u", script, *words], env=environment, capture_output=True, text=True, check=True)
        assert done.stderr == ""
        return done.stdout
    return run


MANAGER, DISPATCHER, IFUPDOWN = install.HOOKS
ASKED = "--no-block start gpuwright-device.service\n"


@pytest.mark.parametrize("path, words, environment, expected", [
    (MANAGER, ["eth0", "up"], {}, ASKED),
    (MANAGER, ["eth0", "down"], {}, ""),
    (MANAGER, ["none", "hostname"], {}, ""),
    (MANAGER, ["veth1", "up"], {}, ""),
    (DISPATCHER, [], {"IFACE": "eth0", "STATE": "routable"}, ASKED),
    (DISPATCHER, [], {"IFACE": "veth1"}, ""),
    (IFUPDOWN, [], {"IFACE": "vlan7", "MODE": "start"}, ASKED),
    (IFUPDOWN, [], {"IFACE": "--all"}, ""),
    (IFUPDOWN, [], {"IFACE": "lo"}, ""),
])
def test_a_link_of_hardware_that_comes_up_starts_the_timer_anew(hook, path, words, environment, expected):
    assert hook(path, *words, **environment) == expected


def test_the_command_starts_the_zipapp_with_its_words(root):
    (content, mode) = install.command_files(Host(str(root)), None, 60)[install.LAUNCHER]
    assert content.decode().splitlines()[-1] == 'exec /usr/bin/python3 -I %s "$@"' % install.ZIPAPP and mode == 0o755


def test_the_audit_writes_metrics_in_its_own_time(root):
    audit, timer = unit(root, install.AUDIT), unit(root, install.AUDIT_TIMER)["Timer"]
    assert audit["Service"]["ExecStart"][0].endswith("gpuwright.pyz audit --prometheus " + METRICS)
    assert audit["Service"]["SuccessExitStatus"] == ["1"]  # Drift is the node's, not the service's failure.
    assert (timer["OnUnitInactiveSec"], timer["RandomizedDelaySec"]) == (["1800"], ["180"])
    assert unit(root, install.AUDIT_ENABLED)["Unit"]["Wants"] == [os.path.basename(install.AUDIT_TIMER)]
    assert set(install.command_files(Host(str(root)), None, 60)) == {install.LAUNCHER}


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
    assert host.asked == ["systemctl daemon-reload", "systemctl restart gpuwright-audit.timer",
                          "udevadm control --reload"]


def test_the_timer_of_a_runner_that_was_removed_is_stopped_and_forgotten(running):
    for path in (install.TIMER, install.AUDIT_TIMER, install.AUDIT):
        (running / path[1:]).unlink()
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


def test_files_that_systemd_may_not_know_of_are_due_until_it_was_told(running):
    (running / "sys/fs/cgroup").mkdir(parents=True)
    host = Systemd(str(running), read_only=False, fails=("systemctl daemon-reload",))
    one = [(install.RULE, *install.files(host)[install.RULE])]
    with pytest.raises(CommandNotRun):
        install.write(host, one)
    assert install.RULE in install.due(host)
    host.fails = ()
    install.write(host, one)
    assert install.due(host) == [] and not host.exists(install.UNTOLD)
