# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The alert rules: of vLLM, of a node's tuning, and of its hardware where an exporter tells of it.

PRIVATE to the collection. Pure. Names of metrics are those of vLLM 0.33: counters end in _total, and what guides call
gpu_cache_usage_perc is kv_cache_usage_perc.
"""

from __future__ import annotations

_OF_MODEL = "by (instance, model_name)"
_P95 = "histogram_quantile(0.95, sum by (le, instance, model_name) (rate(vllm:%s_bucket[5m]%s)))"


def groups(said):
    """The groups of a rules file of Prometheus, from thresholds.read()."""
    found = [{"name": "gpuwright-vllm", "rules": [rule for rule in _of_vllm(said) if rule]},
             {"name": "gpuwright-node", "rules": [rule for rule in _of_node(said) if rule]}]
    if said["dcgm_port"]:
        found.append({"name": "gpuwright-gpu", "rules": _of_gpu()})
    return {"groups": found}


def _alert(name, expression, duration, severity, summary, description):
    return {"alert": name, "expr": expression, "for": duration, "labels": {"severity": severity},
            "annotations": {"summary": summary, "description": description}}


def _of_vllm(said):
    """What users of a model notice, and what comes before that."""
    traffic = "sum by (instance) (rate(vllm:request_success_total[5m])) > %s" % said["least_requests_per_second"]
    answers = 'sum by (instance) (rate(http_requests_total{job="vllm"}[5m]))'
    yield _alert("VllmDown", 'up{job="vllm"} == 0', "2m", "critical", "{{ $labels.instance }} does not answer",
                 "Prometheus cannot read /metrics. systemctl status 'vllm@*' on the node says why.")
    if said["kv_cache_usage"]:
        yield _alert(
            "VllmKvPressure",
            "max %s (vllm:kv_cache_usage_perc) > %s and on (instance, model_name) (sum %s (rate("
            "vllm:num_preemptions_total[5m])) > 0 or sum %s (vllm:num_requests_waiting) > 0)"
            % (_OF_MODEL, said["kv_cache_usage"], _OF_MODEL, _OF_MODEL), "10m", "warning",
            "{{ $labels.model_name }} on {{ $labels.instance }} has no room for the KV cache",
            "The cache is full and requests wait or are computed again. A full cache alone is healthy batching.")
    yield from _latencies(said, traffic)
    if said["error_share"]:
        yield _alert(
            "VllmErrors",
            'sum by (instance) (rate(vllm:request_success_total{finished_reason="error"}[5m])) / sum by (instance) '
            "(rate(vllm:request_success_total[5m])) > %s and %s" % (said["error_share"], traffic), "5m", "critical",
            "{{ $value | humanizePercentage }} of the requests to {{ $labels.instance }} end in an error",
            "vllm:request_success_total counts what finished, errors too; the journal of the unit has them.")
        yield _alert(
            "VllmHttpErrors",
            'sum by (instance) (rate(http_requests_total{job="vllm",status="5xx"}[5m])) / %s > %s and %s > %s' % (
                answers, said["error_share"], answers, said["least_requests_per_second"]), "5m", "critical",
            "{{ $value | humanizePercentage }} of the answers of {{ $labels.instance }} are 5xx",
            "Requests that never reached the engine, or that it could not take.")
    yield _alert("VllmRejects", "sum %s (rate(vllm:admission_rejections_total[5m])) > 0" % _OF_MODEL, "5m", "warning",
                 "{{ $labels.instance }} turns requests away",
                 "max-num-queued-reqs or max-num-queued-tokens is reached: more replicas, or a longer queue.")
    if said["waiting_requests"]:
        yield _alert("VllmWaiting", "sum %s (vllm:num_requests_waiting) > %s" % (_OF_MODEL, said["waiting_requests"]),
                     "5m", "warning", "{{ $value }} requests wait at {{ $labels.instance }}",
                     "What number is too much depends on the model: VllmQueue says how long they wait.")


def _latencies(said, traffic):
    """Quantiles against what is promised, and against the same service a while ago."""
    first = "time_to_first_token_seconds"
    for name, metric, key, words in (
            ("VllmTimeToFirstToken", first, first, "to the first token"),
            ("VllmInterToken", "inter_token_latency_seconds", "inter_token_seconds", "between tokens"),
            ("VllmQueue", "request_queue_time_seconds", "queue_seconds", "in the queue")):
        if said[key]:
            yield _alert(name, "%s > %s" % (_P95 % (metric, ""), said[key]), "5m", "warning",
                         "One request in 20 at {{ $labels.instance }} takes {{ $value | humanizeDuration }} %s" % words,
                         "The 95th percentile of five minutes is above monitoring_%s = %s." % (key, said[key]))
    if said["baseline_factor"] and said["baseline_offset"]:
        yield _alert(
            "VllmSlowerThanBefore",
            "%s > %s * %s and on (instance) %s" % (
                _P95 % (first, ""), said["baseline_factor"],
                _P95 % (first, " offset " + said["baseline_offset"]), traffic), "15m", "warning",
            "{{ $labels.model_name }} on {{ $labels.instance }} is slower than %s ago" % said["baseline_offset"],
            "The 95th percentile of the time to the first token is more than %s times what it was."
            % said["baseline_factor"])


def _of_node(said):
    """What the node runner's own audit found (node_exporter's textfile collector), and what node_exporter sees."""
    yield _alert("NodeTuningDrift", 'gpuwright_setting_off{status=~"drift|conflict|unreadable"} == 1', "1h", "warning",
                 "{{ $labels.setting }} on {{ $labels.instance }} is not as asked for ({{ $labels.status }})",
                 "gpuwright audit on the node, or gpuwright.node.audit, says what it is and who set it.")
    yield _alert("NodeRuleFailed", 'gpuwright_rule_findings{severity="E",rule!="R6"} > 0', "15m", "warning",
                 "Rule {{ $labels.rule }} fails on {{ $labels.instance }}", "gpuwright audit on the node says why.")
    yield _alert("RoceNotLossless", 'gpuwright_rule_findings{rule="R6"} > 0', "5m", "critical",
                 "RoCE on {{ $labels.instance }} is not in the priority that PFC protects",
                 "Trust, DSCP map, PFC and what NCCL sends do not fit together: gpuwright audit shows the chain.")
    if said["audit_age_seconds"]:
        yield _alert("NodeAuditOld", "time() - gpuwright_audit_timestamp_seconds > %d and on (instance) "
                     "gpuwright_disabled == 0" % said["audit_age_seconds"], "10m", "warning",
                     "{{ $labels.instance }} has not audited itself for {{ $value | humanizeDuration }}",
                     "systemctl status gpuwright-audit.timer: until it runs, drift is not seen.")
    yield _alert("NodeRunnerDisabled", "gpuwright_disabled == 1", "1h", "info",
                 "The node runner is switched off on {{ $labels.instance }}",
                 "/etc/gpuwright/disabled or gpuwright=off: nothing is put back at boot.")
    yield _alert("NodeRebootPending", "gpuwright_reboot_required == 1", "1d", "info",
                 "A setting on {{ $labels.instance }} waits for a reboot", "gpuwright.node.reboot takes it.")
    yield _alert("RdmaPortDown", "node_infiniband_state_id != 4 and max_over_time(node_infiniband_state_id[1d]) == 4",
                 "2m", "critical", "Port {{ $labels.device }}:{{ $labels.port }} of {{ $labels.instance }} went down",
                 "It was active within the last day. Jobs over it hang or go on over fewer rails.")
    yield _alert("RdmaPortErrors", "rate(node_infiniband_port_errors_received_total[15m]) > 0 or "
                 "rate(node_infiniband_link_error_recovery_total[15m]) > 0", "15m", "warning",
                 "Port {{ $labels.device }}:{{ $labels.port }} of {{ $labels.instance }} counts errors",
                 "A cable or a transceiver: the packets are sent again, and the job waits.")
    yield _alert("SoftnetDrops", "sum by (instance) (rate(node_softnet_dropped_total[5m])) > 1", "10m", "warning",
                 "{{ $labels.instance }} drops packets before TCP sees them",
                 "netdev_max_backlog is full, or the CPUs of the interrupts are busy.")


def _of_gpu():
    """From DCGM's exporter."""
    labels = "GPU {{ $labels.gpu }} of {{ $labels.instance }}"
    return [
        _alert("GpuXid", "DCGM_FI_DEV_XID_ERRORS > 0", "0m", "critical", labels + " had Xid {{ $value }}",
               "The last Xid that the driver reported; gpuwright health on the node says what it means."),
        _alert("GpuMemoryErrors", "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL > 0", "0m", "critical",
               labels + " has uncorrectable memory errors", "Since the driver was loaded. Drain the node."),
        _alert("GpuRowRemapFailed", "DCGM_FI_DEV_ROW_REMAP_FAILURE > 0", "0m", "critical",
               labels + " has no spare rows left", "Its memory cannot be repaired any more: replace it."),
        # Fields that the exporter's own list of counters leaves out: where they are not asked for nothing fires.
        _alert("GpuLinkErrors", "rate(DCGM_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL[15m]) > 0", "15m", "warning",
               labels + " counts CRC errors on NVLink", "What was damaged is sent again, and all of its jobs wait."),
        _alert("GpuTooHot", "rate(DCGM_FI_DEV_THERMAL_VIOLATION[5m]) > 0", "10m", "warning",
               labels + " is slowed down by its temperature", "A job is as slow as its slowest GPU: look at its air."),
    ]
