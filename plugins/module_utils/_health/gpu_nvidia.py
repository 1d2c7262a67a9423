# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what NVIDIA's driver says of each GPU now, from `nvidia-smi -q -x` and `nvlink -s` of any generation.

PRIVATE to the collection. Elements were renamed over the years (`clocks_throttle_reasons`, `power_readings`, ECC in
four layouts); each question here names all the answers that there are.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree

from .._topology import nvidia_smi, pci
from . import gpu_process
from .nvidia_memory import ecc, remapped_rows, retired_pages

_YES_NO = {"Yes": True, "No": False, "Enabled": True, "Disabled": False, "Active": True, "Not Active": False,
           "True": True, "False": False, "1": True, "0": False}
_SMI = ("nvidia-smi", "-q", "-x")
_CLOCKS = ("graphics", "sm", "mem")
_POWER = (
    ("draw", ("instant_power_draw", "power_draw", "average_power_draw")),
    ("limit", ("current_power_limit", "enforced_power_limit", "power_limit")),
    ("requested_limit", ("requested_power_limit", "power_limit")),
    ("default_limit", ("default_power_limit",)),
    ("min_limit", ("min_power_limit",)),
    ("max_limit", ("max_power_limit",)),
)
# Newer drivers say how far a GPU is from a threshold (tlimit, falling to the threshold) instead of the temperature.
_TEMPERATURES = (
    ("gpu", "gpu_temp"), ("memory", "memory_temp"), ("slowdown", "gpu_temp_slow_threshold"),
    ("shutdown", "gpu_temp_max_threshold"), ("max_gpu", "gpu_temp_max_gpu_threshold"),
    ("max_memory", "gpu_temp_max_mem_threshold"), ("margin", "gpu_temp_tlimit"),
    ("slowdown_margin", "gpu_temp_slow_tlimit_threshold"), ("shutdown_margin", "gpu_temp_max_tlimit_threshold"),
)
_LINK = re.compile(r"\s+Link (\d+): (?:([\d.]+) GB/s|<?inactive>?)", re.IGNORECASE)
_OF_GPU = re.compile(r"GPU \d+: .*\(UUID: ([^)]+)\)")


def read(host, _found, on_pci):
    """[(address, record)] of all GPUs that nvidia-smi lists; GPUs `on_pci` that it cannot tell of become a note."""
    if not on_pci and host.live:
        return []
    driven = [address for address, record in on_pci.items() if record["driver"] in ("nvidia", None)]
    if on_pci and not driven:
        host.note("NVIDIA GPUs are held by the driver %s, which tells nothing of their health" % ", ".join(
            sorted({record["driver"] for record in on_pci.values()})))
        return []
    before = len(host.notes)
    text = nvidia_smi.output(host, *_SMI)
    if not text:
        if driven and len(host.notes) == before:
            host.note(_silence(host))
        return []
    try:
        gpus = parse(text)
    except (xml.etree.ElementTree.ParseError, ValueError) as error:
        host.note("nvidia-smi -q -x: not the XML that was expected: %s" % error)
        return []
    links = parse_nvlink(_nvlink(host) or "") if gpus else {}
    for _address, record in gpus:
        record["nvlink"] = links.get(record["uuid"])
    return gpus


def _nvlink(host):
    """What `nvidia-smi nvlink -s` says. Where no GPU has NVLinks it fails: then nothing is unreadable."""
    before = len(host.notes)
    text = nvidia_smi.output(host, "nvidia-smi", "nvlink", "-s")
    host.notes[before:] = [note for note in host.notes[before:] if "exit status" not in note]
    return text


def _silence(host):
    if not host.live:
        return "NVIDIA GPUs are here, but no answer of nvidia-smi was recorded"
    return "NVIDIA GPUs are here, but the kernel module of NVIDIA is not loaded"


def parse(text):
    """[(address, record)] of the XML. Raises ValueError or ParseError where it is none."""
    processes = gpu_process.parse(text)
    found = []
    for gpu in nvidia_smi.log(text).iter("gpu"):
        address = pci.normal(nvidia_smi.word(gpu, "pci/pci_bus_id")) or pci.normal(gpu.get("id"))
        if address:
            found.append((address, dict(_gpu(gpu), processes=processes.get(address))))
    return found


def _gpu(gpu):
    word = nvidia_smi.word
    return {
        "name": word(gpu, "product_name"), "uuid": word(gpu, "uuid"), "driver": "nvidia", "in_driver": True,
        "performance_state": word(gpu, "performance_state"),
        "persistence": yes(gpu, "persistence_mode"),
        "mig": _mode(gpu, "mig_mode/current_mig", "mig_mode/pending_mig"),
        "recovery_action": word(gpu, "gpu_recovery_action") or _old_recovery(gpu),
        "ecc": ecc(gpu), "remapped_rows": remapped_rows(gpu), "retired_pages": retired_pages(gpu),
        "throttle_reasons": _throttle(gpu), "throttle_microseconds": _throttled(gpu),
        "clocks": _clocks(gpu), "temperature": _whole(gpu.find("temperature"), _TEMPERATURES),
        "power": _power(gpu), "utilization": nvidia_smi.number(gpu, "utilization/gpu_util"),
        "link": nvidia_smi.link(gpu), "fabric": _fabric(gpu),
        "replays": nvidia_smi.number(gpu, "pci/replay_counter"),
    }


def yes(gpu, path):
    """Whether an element says yes, in whatever word; None if it says neither."""
    return _YES_NO.get(nvidia_smi.word(gpu, path))


def _mode(gpu, now, later):
    current, pending = yes(gpu, now), yes(gpu, later)
    return None if current is None else {"enabled": current, "pending": pending}


def _old_recovery(gpu):
    """Drivers before the recovery action had two questions instead."""
    asked = {"Reset": yes(gpu, "gpu_reset_status/reset_required"),
             "Drain and Reset": yes(gpu, "gpu_reset_status/drain_and_reset_recommended")}
    if all(answer is None for answer in asked.values()):
        return None
    return next((name for name, answer in asked.items() if answer), "None")


def _throttle(gpu):
    """The reasons that hold clocks down now, named as today's drivers do; None where the driver does not say."""
    for kind in ("event", "throttle"):
        reasons = gpu.find("clocks_%s_reasons" % kind)
        if reasons is not None and any(_YES_NO.get((reason.text or "").strip()) is not None for reason in reasons):
            prefix = "clocks_%s_reason_" % kind
            return [reason.tag[len(prefix):] for reason in reasons
                    if reason.tag.startswith(prefix) and _YES_NO.get((reason.text or "").strip())]
    return None


def _throttled(gpu):
    """For how long each reason has held clocks down since the driver was loaded."""
    prefix = "clocks_event_reasons_counters_"
    counters = gpu.find("clocks_event_reasons_counters")
    told = {counter.tag[len(prefix):]: nvidia_smi.number(counter, ".")
            for counter in (counters if counters is not None else ()) if counter.tag.startswith(prefix)}
    return {name: value for name, value in told.items() if value is not None} or None


def _clocks(gpu):
    """MHz now, at most, and as applications were given."""
    found = {}
    for name, section in (("now", "clocks"), ("max", "max_clocks"), ("application", "applications_clocks"),
                          ("default_application", "default_applications_clocks")):
        told = {"memory" if clock == "mem" else clock: nvidia_smi.number(gpu, "%s/%s_clock" % (section, clock))
                for clock in _CLOCKS}
        told = {clock: value for clock, value in told.items() if value is not None}
        found[name] = told or None
    return found if any(found.values()) else None


def _whole(section, names):
    """{ours: degrees} of the elements of a section that say a number; None if none does."""
    if section is None:
        return None
    told = {ours: re.match(r"-?\d+", nvidia_smi.word(section, theirs) or "") for ours, theirs in names}
    return {ours: int(match.group()) for ours, match in told.items() if match} or None


def _power(gpu):
    """Watts now and the limits of them."""
    section = gpu.find("gpu_power_readings")
    section = gpu.find("power_readings") if section is None else section
    if section is None:
        return None
    told = {}
    for ours, theirs in _POWER:
        matches = [re.match(r"\d+(\.\d+)?", nvidia_smi.word(section, name) or "") for name in theirs]
        told.update((ours, float(match.group())) for match in reversed(matches) if match)
    return told or None


def _fabric(gpu):
    """State of a GPU in an NVLink fabric, None for one that is in none."""
    word = nvidia_smi.word
    state = word(gpu, "fabric/state")
    if state is None:
        return None
    health = gpu.find("fabric/health")
    told = {answer.tag: word(answer, ".") for answer in (health if health is not None else ())}
    return {"state": state, "status": word(gpu, "fabric/status"), "clique": word(gpu, "fabric/cliqueId"),
            "cluster": word(gpu, "fabric/clusterUuid"),
            "health": {name: value for name, value in told.items() if value is not None} or None}


def parse_nvlink(text):
    """{uuid: {active, inactive, speed}} of `nvidia-smi nvlink -s`; GPUs without links, or in MIG mode, are missing."""
    links, uuid = {}, None
    for line in text.replace("\r", "").split("\n"):
        head, match = _OF_GPU.match(line), _LINK.match(line)
        uuid = head.group(1) if head else uuid
        if match and uuid:
            record = links.setdefault(uuid, {"active": 0, "inactive": 0, "speed": None})
            speed = float(match.group(2)) if match.group(2) else None
            record["active" if speed else "inactive"] += 1
            record["speed"] = min(filter(None, (record["speed"], speed)), default=None)
    return links
