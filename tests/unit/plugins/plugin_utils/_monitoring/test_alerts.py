# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The alert rules: only metrics that there are, and none whose threshold is null. When each fires, promtool tells."""

from __future__ import annotations

import re

from ansible_collections.gpuwright.node.plugins.module_utils._runner import metrics
from ansible_collections.gpuwright.node.plugins.plugin_utils._monitoring import alerts, dashboards, thresholds

# What vLLM 0.33 has; in expositions counters end in _total, and histograms have buckets.
OF_VLLM = {"admission_rejections_total", "e2e_request_latency_seconds_bucket", "generation_tokens_total",
           "inter_token_latency_seconds_bucket", "kv_cache_usage_perc", "num_preemptions_total", "num_requests_running",
           "num_requests_waiting", "prefix_cache_hits_total", "prefix_cache_queries_total", "prompt_tokens_total",
           "request_queue_time_seconds_bucket", "request_success_total", "time_to_first_token_seconds_bucket"}


def rules(**said):
    return {rule["alert"]: rule for group in alerts.groups(thresholds.read(said))["groups"] for rule in group["rules"]}


def test_only_metrics_that_there_are():
    texts = [rule["expr"] for rule in rules(dcgm_port=9400, waiting_requests=1).values()] + dashboards.expressions()
    asked = {name for text in texts for name in re.findall(r"vllm:(\w+)", text)}
    assert asked <= OF_VLLM and len(asked) > 10
    ours = {name for text in texts for name in re.findall(r"\bgpuwright_(\w+)", text)}
    written = metrics.text({"seconds": 1, "problems": {}, "roles": {"vm": {
        "files": [], "rules": [{"rule": "R1", "severity": "E"}],
        "settings": [{"name": "x", "target": "x", "status": "drift"}]}}}, 0)
    assert ours and all("# TYPE gpuwright_%s gauge" % name in written for name in ours)


def test_null_leaves_an_alert_out_and_dcgm_brings_its_own():
    assert "VllmWaiting" not in rules() and "GpuXid" not in rules()
    assert {"VllmWaiting", "GpuXid"} <= set(rules(waiting_requests=100, dcgm_port=9400))
    gone = {"kv_cache_usage": "VllmKvPressure", "queue_seconds": "VllmQueue", "error_share": "VllmErrors",
            "baseline_factor": "VllmSlowerThanBefore", "audit_age_seconds": "NodeAuditOld"}
    assert set(gone.values()) <= set(rules()) and not set(gone.values()) & set(rules(**dict.fromkeys(gone)))


def test_every_alert_says_what_and_what_to_do():
    for rule in rules(dcgm_port=9400).values():
        assert rule["labels"]["severity"] in ("critical", "warning", "info") and rule["for"]
        assert all(rule["annotations"].values())
