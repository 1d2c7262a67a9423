# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real promtool on what the playbook monitoring writes: rules, dashboards' expressions, and when an alert fires."""

from __future__ import annotations

import json

import pytest
import yaml

from ansible_collections.gpuwright.node.plugins.plugin_utils._monitoring import alerts, dashboards, targets, thresholds

from tests.gates import promtool

SAID = thresholds.read({"dcgm_port": 9400, "waiting_requests": 100})
ON = '{instance="n1:8000",model_name="m",job="vllm",engine="0"}'
BUCKETS = ("0.01", "0.1", "1.0", "10.0", "+Inf")


def latency(metric, slow):
    """A histogram to which a second adds one request of half a second, or of five."""
    found = []
    for le in BUCKETS:
        counts = float(le) >= (10 if slow else 1) if le != "+Inf" else True
        found.append(("%s_bucket%s" % (metric, ON.replace("}", ',le="%s"}' % le)), "0+60x120" if counts else "0x120"))
    return found


DONE = ("vllm:request_success_total%s" % ON.replace("}", ',finished_reason="stop"}'), "0+60x1600")
# An alert, what makes it fire after two hours, and what is nearly the same and leaves it quiet.
CASES = {
    "VllmDown": ([('up{job="vllm",instance="n1:8000"}', "0x120")], [('up{job="vllm",instance="n1:8000"}', "1x120")]),
    "VllmKvPressure": ([("vllm:kv_cache_usage_perc" + ON, "0.95x120"), ("vllm:num_requests_waiting" + ON, "3x120")],
                       [("vllm:kv_cache_usage_perc" + ON, "0.95x120"), ("vllm:num_requests_waiting" + ON, "0x120"),
                        ("vllm:num_preemptions_total" + ON, "7x120")]),
    "VllmTimeToFirstToken": (latency("vllm:time_to_first_token_seconds", True),
                             latency("vllm:time_to_first_token_seconds", False)),
    "VllmInterToken": (latency("vllm:inter_token_latency_seconds", False), []),
    "VllmQueue": (latency("vllm:request_queue_time_seconds", True), [DONE]),
    "VllmErrors": ([("vllm:request_success_total%s" % ON.replace("}", ',finished_reason="error"}'), "0+6x120"), DONE],
                   [("vllm:request_success_total%s" % ON.replace("}", ',finished_reason="error"}'), "3x120"), DONE]),
    "VllmHttpErrors": ([('http_requests_total{job="vllm",instance="n1:8000",status="5xx"}', "0+9x120"),
                        ('http_requests_total{job="vllm",instance="n1:8000",status="2xx"}', "0+60x120")],
                       [('http_requests_total{job="vllm",instance="n1:8000",status="2xx"}', "0+60x120"),
                        ('http_requests_total{job="vllm",instance="n2:8000",status="5xx"}', "0+1x120")]),
    "VllmRejects": ([("vllm:admission_rejections_total" + ON, "0+1x120")],
                    [("vllm:admission_rejections_total" + ON, "5x120")]),
    "VllmWaiting": ([("vllm:num_requests_waiting" + ON, "101x120")], [("vllm:num_requests_waiting" + ON, "99x120")]),
    "NodeTuningDrift": ([('gpuwright_setting_off{instance="n1",setting="vm.swappiness",status="drift"}', "1x120")],
                        [('gpuwright_setting_off{instance="n1",setting="x",status="pending_reboot"}', "1x120")]),
    "NodeRuleFailed": ([('gpuwright_rule_findings{instance="n1",rule="R1",severity="E"}', "1x120")],
                       [('gpuwright_rule_findings{instance="n1",rule="R1",severity="W"}', "1x120")]),
    "RoceNotLossless": ([('gpuwright_rule_findings{instance="n1",rule="R6",severity="E"}', "1x120")],
                        [('gpuwright_rule_findings{instance="n1",rule="R7",severity="W"}', "1x120")]),
    # promtool's clock begins at 1970: the audit lies where the series says.
    "NodeAuditOld": ([('gpuwright_audit_timestamp_seconds{instance="n1"}', "-9000x120"),
                      ('gpuwright_disabled{instance="n1"}', "0x120")],
                     [('gpuwright_audit_timestamp_seconds{instance="n1"}', "-9000x120"),
                      ('gpuwright_disabled{instance="n1"}', "1x120")]),
    "NodeRunnerDisabled": ([('gpuwright_disabled{instance="n1"}', "1x120")],
                           [('gpuwright_disabled{instance="n1"}', "0x120")]),
    "RdmaPortDown": ([('node_infiniband_state_id{instance="n1",device="mlx5_0",port="1"}', "4x60 1x60")],
                     [('node_infiniband_state_id{instance="n1",device="mlx5_0",port="1"}', "1x120")]),
    "RdmaPortErrors": ([('node_infiniband_port_errors_received_total{instance="n1",device="mlx5_0"}', "0+1x120")],
                       [('node_infiniband_port_errors_received_total{instance="n1",device="mlx5_0"}', "9x120")]),
    "SoftnetDrops": ([('node_softnet_dropped_total{instance="n1",cpu="0"}', "0+120x120")],
                     [('node_softnet_dropped_total{instance="n1",cpu="0"}', "0+1x120")]),
    "GpuXid": ([('DCGM_FI_DEV_XID_ERRORS{instance="n1",gpu="0"}', "79x120")],
               [('DCGM_FI_DEV_XID_ERRORS{instance="n1",gpu="0"}', "0x120")]),
    "GpuMemoryErrors": ([('DCGM_FI_DEV_ECC_DBE_VOL_TOTAL{instance="n1",gpu="0"}', "1x120")],
                        [('DCGM_FI_DEV_ECC_DBE_VOL_TOTAL{instance="n1",gpu="0"}', "0x120")]),
    "GpuRowRemapFailed": ([('DCGM_FI_DEV_ROW_REMAP_FAILURE{instance="n1",gpu="0"}', "1x120")],
                          [('DCGM_FI_DEV_ROW_REMAP_FAILURE{instance="n1",gpu="0"}', "0x120")]),
    "GpuLinkErrors": ([('DCGM_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL{instance="n1",gpu="0"}', "0+1x120")],
                      [('DCGM_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL{instance="n1",gpu="0"}', "9x120")]),
    "GpuTooHot": ([('DCGM_FI_DEV_THERMAL_VIOLATION{instance="n1",gpu="0"}', "0+60x120")],
                  [('DCGM_FI_DEV_THERMAL_VIOLATION{instance="n1",gpu="0"}', "60x120")]),
}
# These look further back than two hours; they are tried by themselves below.
LONGER = {"NodeRebootPending", "VllmSlowerThanBefore"}


@pytest.fixture(name="rules")
def fixture_rules(tmp_path):
    (tmp_path / "alerts.yml").write_text(yaml.safe_dump(alerts.groups(SAID), sort_keys=False))
    return tmp_path


def fires(folder, tests):
    """Run promtool's own tests of rules: [(alert, series, minutes, fires or not)]."""
    written = [{"interval": "1m", "name": "%s %s" % (name, expected), "input_series": [
        {"series": series, "values": values} for series, values in given], "promql_expr_test": [
        {"expr": 'count(ALERTS{alertname="%s",alertstate="firing"})' % name, "eval_time": "%dm" % minutes,
         "exp_samples": [{"labels": "{}", "value": 1}] if expected else []}]}
        for name, given, minutes, expected in tests]
    (folder / "tests.yml").write_text(yaml.safe_dump({"rule_files": ["alerts.yml"], "evaluation_interval": "1m",
                                                      "tests": written}))
    status, said = promtool.run("test", "rules", "tests.yml", cwd=folder)
    assert status == 0, said


def test_rules_are_rules(rules):
    status, said = promtool.run("check", "rules", "alerts.yml", cwd=rules)
    assert status == 0 and "SUCCESS" in said, said


def test_each_alert_fires_when_it_shall_and_is_quiet_otherwise(rules):
    names = {rule["alert"] for group in alerts.groups(SAID)["groups"] for rule in group["rules"]}
    assert names == set(CASES) | LONGER
    fires(rules, [(name, given, 119, expected) for name, (loud, quiet) in CASES.items()
                  for given, expected in ((loud, True), (quiet, False))])


def test_what_looks_back_a_day(rules):
    """A day of half a second, then hours of five: the buckets above go on counting, those below stand still."""
    usual = [(series, values.replace("x120", "x1400")) for series, values in latency(
        "vllm:time_to_first_token_seconds", False)]
    became = [(series, values + (" %d+60x200" % (60 * 1400) if 'le="10.0"' in series or "Inf" in series else
                                 " %dx200" % (60 * 1400 if "+60" in values else 0))) for series, values in usual]
    waits = [('gpuwright_reboot_required{instance="n1"}', "1x1600")]
    fires(rules, [("VllmSlowerThanBefore", became + [DONE], 1590, True),
                  ("VllmSlowerThanBefore", [(series, values.replace("x1400", "x1600")) for series, values in usual]
                   + [DONE], 1590, False),
                  ("NodeRebootPending", waits, 1500, True), ("NodeRebootPending", waits, 1400, False)])


def test_a_wrong_rule_is_found(tmp_path):
    broken = alerts.groups(SAID)
    broken["groups"][0]["rules"][0]["expr"] += " =="
    (tmp_path / "alerts.yml").write_text(yaml.safe_dump(broken))
    assert promtool.run("check", "rules", "alerts.yml", cwd=tmp_path)[0] != 0


def test_dashboards_ask_what_prometheus_understands(tmp_path):
    asked = [{"record": "asked:%d" % number, "expr": expression}
             for number, expression in enumerate(dashboards.expressions())]
    (tmp_path / "asked.yml").write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": asked}]}))
    status, said = promtool.run("check", "rules", "asked.yml", cwd=tmp_path)
    assert status == 0 and "%d rules found" % len(asked) in said, said


def test_the_jobs_are_jobs(tmp_path):
    (tmp_path / "targets").mkdir()
    said = dict(SAID, targets_directory=str(tmp_path))
    hosts = {"n1": {"address": "10.0.0.1", "rack": "r1", "instances": targets.instances([{"name": "a"}])}}
    for job, listed in targets.targets(hosts, said).items():
        (tmp_path / "targets" / (job + ".json")).write_text(json.dumps(listed))
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(targets.scrape_configs(said)))
    status, answer = promtool.run("check", "config", "prometheus.yml", cwd=tmp_path)
    assert status == 0, answer
