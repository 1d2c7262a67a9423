# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two dashboards for Grafana: what vLLM serves, and how nodes are tuned.

PRIVATE to the collection. Pure. A panel is (title, kind, unit, [(expression, legend)]); the rest is Grafana's form.
"""

from __future__ import annotations

_OF = '{job="vllm",instance=~"$instance"}'
_QUANTILE = "histogram_quantile(%s, sum by (le) (rate(vllm:%s_bucket" + _OF + "[$__rate_interval])))"
_WIDTH, _HEIGHT = 12, 8


def _rate(name, by="instance"):
    return "sum by (%s) (rate(%s%s[$__rate_interval]))" % (by, name, _OF)


def _quantiles(metric):
    return [(_QUANTILE % (share, metric), words) for share, words in (("0.5", "p50"), ("0.95", "p95"), ("0.99", "p99"))]


VLLM = (
    ("Answers", "stat", "bool_yes_no", [('up{job="vllm",instance=~"$instance"}', "{{instance}}")]),
    ("Requests that finish, by reason", "timeseries", "reqps",
     [(_rate("vllm:request_success_total", "finished_reason"), "{{finished_reason}}")]),
    ("Time to the first token", "timeseries", "s", _quantiles("time_to_first_token_seconds")),
    ("Time between tokens (buckets from 10 ms on)", "timeseries", "s", _quantiles("inter_token_latency_seconds")),
    ("Time in the queue", "timeseries", "s", _quantiles("request_queue_time_seconds")),
    ("Time of a whole request", "timeseries", "s", _quantiles("e2e_request_latency_seconds")),
    ("Tokens a second", "timeseries", "short", [(_rate("vllm:prompt_tokens_total"), "{{instance}} prompt"),
                                                (_rate("vllm:generation_tokens_total"), "{{instance}} generated")]),
    ("Requests that run and wait", "timeseries", "none",
     [("sum by (instance) (vllm:num_requests_running%s)" % _OF, "{{instance}} run"),
      ("sum by (instance) (vllm:num_requests_waiting%s)" % _OF, "{{instance}} wait")]),
    ("KV cache in use", "timeseries", "percentunit",
     [("max by (instance) (vllm:kv_cache_usage_perc%s)" % _OF, "{{instance}}")]),
    ("Preemptions: requests that are computed again", "timeseries", "reqps",
     [(_rate("vllm:num_preemptions_total"), "{{instance}}")]),
    ("Prefix cache hits", "timeseries", "percentunit",
     [("%s / %s" % (_rate("vllm:prefix_cache_hits_total"), _rate("vllm:prefix_cache_queries_total")), "{{instance}}")]),
    ("Errors", "timeseries", "reqps",
     [(_rate('vllm:request_success_total{finished_reason="error"}').replace('"}{', '",'), "{{instance}} engine"),
      (_rate("vllm:admission_rejections_total"), "{{instance}} turned away")]),
)
NODE = (
    ("Nodes that are not as asked for", "stat", "none",
     [('count(count by (instance) (gpuwright_setting_off{instance=~"$instance"} == 1)) or vector(0)', "nodes")]),
    ("Rules that fail, findings of each", "stat", "none",
     [('sum by (rule) (gpuwright_rule_findings{severity="E",instance=~"$instance"})', "{{rule}}")]),
    ("Settings that are off", "table", "none", [('gpuwright_setting_off{instance=~"$instance"} == 1', "")]),
    ("Findings of the rules", "table", "none", [('gpuwright_rule_findings{instance=~"$instance"}', "")]),
    ("Settings by status", "timeseries", "none",
     [('sum by (status) (gpuwright_settings{instance=~"$instance"})', "{{status}}")]),
    ("Time since the last audit", "timeseries", "s",
     [('time() - gpuwright_audit_timestamp_seconds{instance=~"$instance"}', "{{instance}}")]),
    ("Nodes that wait for a reboot", "table", "none",
     [('gpuwright_reboot_required{instance=~"$instance"} == 1', "")]),
    ("RDMA: bytes sent a second", "timeseries", "Bps",
     [('sum by (instance, device) (rate(node_infiniband_port_data_transmitted_bytes_total{instance=~"$instance"}'
       '[$__rate_interval]))', "{{instance}} {{device}}")]),
    ("RDMA: ports that are not active", "table", "none",
     [('node_infiniband_state_id{instance=~"$instance"} != 4', "")]),
    ("RDMA: errors a second", "timeseries", "short",
     [('sum by (instance, device) (rate(node_infiniband_port_errors_received_total{instance=~"$instance"}'
       '[$__rate_interval]))', "{{instance}} {{device}}")]),
    ("Packets dropped before TCP, a second", "timeseries", "pps",
     [('sum by (instance) (rate(node_softnet_dropped_total{instance=~"$instance"}[$__rate_interval]))',
       "{{instance}}")]),
    ("NVMe: bytes read a second", "timeseries", "Bps",
     [('sum by (instance) (rate(node_disk_read_bytes_total{instance=~"$instance",device=~"nvme.*"}'
       '[$__rate_interval]))', "{{instance}}")]),
)


def dashboards():
    """{file name: a dashboard as Grafana imports it}."""
    return {"gpuwright-vllm.json": _dashboard("gpuwright-vllm", "vLLM", VLLM, 'up{job="vllm"}'),
            "gpuwright-node.json": _dashboard("gpuwright-node", "Node tuning", NODE, "gpuwright_info")}


def expressions():
    """Every expression of both, as a person would enter it."""
    return [expression.replace("$__rate_interval", "5m").replace("$instance", ".*")
            for panel in VLLM + NODE for expression, _legend in panel[3]]


def _dashboard(uid, title, panels, known_by):
    source = {"type": "prometheus", "uid": "${datasource}"}
    return {
        "uid": uid, "title": "gpuwright: %s" % title, "tags": ["gpuwright"], "schemaVersion": 39, "version": 1,
        "editable": True, "refresh": "30s", "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [
            {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Data source"},
            {"name": "instance", "type": "query", "datasource": source, "label": "Instance", "refresh": 2,
             "multi": True, "includeAll": True, "allValue": ".*", "current": {"text": "All", "value": "$__all"},
             "query": {"query": "label_values(%s, instance)" % known_by, "refId": "instance"}}]},
        "panels": [_panel(number, panel, source) for number, panel in enumerate(panels)]}


def _panel(number, panel, source):
    title, kind, unit, queries = panel
    instant = {"format": "table", "instant": True} if kind == "table" else {}
    return {"id": number + 1, "title": title, "type": kind, "datasource": source,
            "gridPos": {"x": number % 2 * _WIDTH, "y": number // 2 * _HEIGHT, "w": _WIDTH, "h": _HEIGHT},
            "fieldConfig": {"defaults": dict({"unit": unit}, **_range(unit)), "overrides": []},
            "targets": [dict({"refId": chr(ord("A") + count), "expr": expression, "legendFormat": legend,
                              "datasource": source}, **instant)
                        for count, (expression, legend) in enumerate(queries)]}


def _range(unit):
    """A share is of a whole: 3 % in use must not fill the panel."""
    return {"min": 0, "max": 1} if unit == "percentunit" else {}
