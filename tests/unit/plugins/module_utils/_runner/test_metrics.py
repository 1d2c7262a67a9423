# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the metrics: the text format of Prometheus, by its own rules, whatever the labels hold."""

from __future__ import annotations

import re
import shutil
import subprocess

from ansible_collections.gpuwright.node.plugins.module_utils._runner import metrics, version

STEP = {"name": "vm.swappiness", "target": "vm.swappiness", "status": "drift"}
AUDIT = {"seconds": 3, "problems": {"thp": "damaged"}, "roles": {
    "vm": {"files": ["/a", "/b"], "settings": [STEP, dict(STEP, name="x", target="x", status="ok"),
                                               dict(STEP, name="y", target="y", status="pending_reboot")],
           "rules": [{"rule": "R1", "severity": "W"}] * 2 + [{"rule": "R2", "severity": "E"}]},
    "numa": {"files": ["/a"], "settings": [dict(STEP, status="not_applicable")], "rules": []}}}
LINE = re.compile(r'^[a-z_][a-z0-9_]*(\{([a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*\})? -?\d+(\.\d+)?$')


def samples(text):
    """{series: value}, every line held to the format: HELP and TYPE before the samples of one family, none twice."""
    found, family, families = {}, None, []
    for line in text.splitlines():
        if line.startswith("# HELP "):
            family = line.split()[2]
            assert family not in families and len(line.split()) > 3
            families.append(family)
        elif line.startswith("# TYPE "):
            assert line == "# TYPE %s gauge" % family
        elif not line.startswith("#"):
            assert LINE.match(line) and re.match(r"\w+", line).group() == family, line
            series, _space, value = line.rpartition(" ")
            assert series not in found, line
            found[series] = float(value)
    assert text.endswith("\n")
    return found


def test_counts_of_all_and_a_series_for_what_is_off():
    told = samples(metrics.text(AUDIT, 1000))
    assert told['gpuwright_info{version="%s"}' % version.VERSION] == 1
    assert (told["gpuwright_audit_timestamp_seconds"], told["gpuwright_audit_duration_seconds"]) == (1000, 3)
    for status in ("ok", "drift", "pending_reboot"):
        assert told['gpuwright_settings{role="vm",status="%s"}' % status] == 1
    assert told['gpuwright_settings{role="numa",status="drift"}'] == 0
    assert {name for name in told if "setting_off" in name} == {
        'gpuwright_setting_off{role="vm",setting="vm.swappiness",target="vm.swappiness",status="drift"}',
        'gpuwright_setting_off{role="vm",setting="y",target="y",status="pending_reboot"}'}
    assert told['gpuwright_rule_findings{role="vm",rule="R1",severity="W"}'] == 2
    assert {role: told['gpuwright_role_judged{role="%s"}' % role] for role in ("vm", "numa", "thp")} == {
        "vm": 1, "numa": 1, "thp": 0}
    assert (told["gpuwright_runner_files_wrong"], told["gpuwright_reboot_required"]) == (2, 1)
    assert told["gpuwright_disabled"] == 0


def test_every_status_of_a_step_has_its_count():
    told = samples(metrics.text(AUDIT, 1))
    assert len([name for name in told if name.startswith('gpuwright_settings{role="vm"')]) == 7


def test_labels_are_escaped_and_no_series_comes_twice():
    odd = dict(STEP, name='a"b\\c\nd')
    told = samples(metrics.text(dict(AUDIT, roles={"vm": {"files": [], "rules": [], "settings": [odd, odd]}}), 1))
    assert 'gpuwright_setting_off{role="vm",setting="a\\"b\\\\c\\nd",target="vm.swappiness",status="drift"}' in told


def test_off_says_that_it_is_off_and_when():
    assert samples(metrics.off(9)) == {'gpuwright_info{version="%s"}' % version.VERSION: 1, "gpuwright_disabled": 1,
                                       "gpuwright_audit_timestamp_seconds": 9}


def test_before_the_first_audit_nothing_is_said_of_the_node():
    assert list(samples(metrics.none())) == ['gpuwright_info{version="%s"}' % version.VERSION]


def test_a_node_without_roles_has_no_empty_families():
    assert "rule_findings" not in metrics.text({"seconds": 0, "problems": {}, "roles": {}}, 1)


if shutil.which("promtool"):
    def test_prometheus_itself_has_nothing_to_say():
        done = subprocess.run(["promtool", "check", "metrics"], input=metrics.text(AUDIT, 1), text=True, check=False,
                              capture_output=True)
        assert done.returncode == 0, done.stderr
