# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules R6 to R9 and R36: what applications send, what NICs trust and what PFC protects are one and the same class.

PRIVATE to the collection. R7 is an error where somebody sets up NCCL's RDMA and leaves out its class; where nobody does
it is a warning, for the settings of this role must come first.
"""

from __future__ import annotations

from .._derive.traffic_class import default_priority
from .._nccl_text import number
from .._owners import dcbx
from .finding import finding
from .isolation import listed
from .rdma_node import (
    CNP_DSCP,
    CNP_PRIORITY,
    NP,
    PFC,
    RP,
    TOS,
    TRUST,
    declared,
    environment,
    priorities,
    roce,
    setting,
    steps,
    to_be,
    values,
    variables,
)

_CLASS = ("NCCL_IB_TC", "NCCL_GIN_IB_TC", "UCX_IB_TRAFFIC_CLASS", "NVSHMEM_IB_TRAFFIC_CLASS")
_APPLY = "rdma_roce_apply: true lets this role set it"


def priority_of(told, dscp):
    """The priority that a DSCP gets under the declared class."""
    return (told.get("dscp_prio") or {}).get(str(dscp), default_priority(dscp))


def r6_sent_and_protected(view):
    """What NCCL sends arrives in the priority that PFC protects."""
    told = declared(view)
    found = []
    for name, text, where in variables(view, "NCCL_IB_TC") if told and roce(view) else ():
        dscp = number(text) >> 2 & 63
        priority = priority_of(told, dscp)
        if priority != told["priority"]:
            found.append(finding("R6", "E", setting(view, where), "%s: %s=%s is DSCP %d, which is priority %d, and PFC "
                                 "is for priority %d: that traffic is dropped when a queue is full. Set %s=%d"
                                 % (where, name, text, dscp, priority, told["priority"], name, told["traffic_class"])))
    return found


def r6_in_force(view):
    """NICs trust DSCP, and PFC is on for the class and for nothing else."""
    told = declared(view)
    if not told:
        return []
    wrong = {}
    for device, step in steps(view, TRUST).items():
        if to_be(step) not in (told["trust"], None):
            wrong.setdefault("trust is %s, not %s: the DSCP of packets picks no priority"
                             % (to_be(step), told["trust"]), []).append(device)
    for device, step in steps(view, PFC).items():
        on = priorities(to_be(step))
        if to_be(step) is not None and on != {told["priority"]}:
            wrong.setdefault("PFC is on for %s, not for priority %d" % (
                "priority " + listed(str(one) for one in sorted(on)) if on else "no priority", told["priority"]),
                []).append(device)
    return [finding("R6", "W", None, "%s: %s. %s" % (listed(sorted(devices)), words, _APPLY))
            for words, devices in sorted(wrong.items())]


def r7_unset(view):
    """With PFC on and NCCL_IB_TC unset NCCL sends best effort, in priority 0, which nothing protects."""
    told = declared(view)
    protected = [device for device, text in values(view, PFC).items() if priorities(text)]
    if not told or not roce(view) or not protected:
        return []
    found = []
    for scope in environment(view):
        configured = [name for name in scope["values"] if name.startswith("NCCL_IB_")]
        if "NCCL_IB_TC" in scope["values"] or (scope["pid"] and not _uses_nccl(scope)):
            continue
        words = "%s: NCCL_IB_TC is not set, so NCCL sends in priority 0, which PFC does not protect. Set NCCL_IB_TC=%d"
        found.append(finding("R7", "E" if configured and not scope["pid"] else "W", None, words % (
            "%s (%s)" % (scope["who"], scope["values"][configured[0]]["where"]) if configured else scope["who"],
            told["traffic_class"])))
    return found


def _uses_nccl(scope):
    """Whether a process was started with variables of NCCL; which of the others do is not known."""
    return any(name.startswith("NCCL_") and told["where"] == scope["who"] for name, told in scope["values"].items())


def r8_agree(view):
    """Whoever names the class names the same one."""
    told = declared(view)
    if not told or not roce(view):
        return []
    named = [("%s=%s in %s" % (name, text, where), number(text)) for name, text, where in variables(view, *_CLASS)]
    named += [("%s=%s on %s" % (TOS, text, device), number(text)) for device, text in values(view, TOS).items()
              if steps(view, TOS)[device]["status"] != "drift"]
    for device in roce(view):
        value = dcbx.forced_traffic_class(view.host, device["name"])
        if value:
            named.append(("tc/1/traffic_class=%d on %s, which overrides what applications ask for"
                          % (value, device["name"]), value))
    other = [words for words, value in named if value >> 2 & 63 != told["dscp"]]
    if not other:
        return []
    return [finding("R8", "W", None, "the class is DSCP %d (traffic class %d), but %s"
                    % (told["dscp"], told["traffic_class"], listed(other)))]


def r9_wrong_layer(view):
    """A traffic class means nothing to InfiniBand or under trust pcp, a service level nothing under trust dscp."""
    has_roce = bool(roce(view))
    has_infiniband = any(port["link_layer"] == "InfiniBand" for device in view.topology("rdma_devices")
                         for port in device["ports"])
    trusts = values(view, TRUST)
    pcp = sorted(device for device, text in trusts.items() if text == "pcp")
    found = []
    for name, text, where in variables(view, "NCCL_IB_TC", "NVSHMEM_IB_TRAFFIC_CLASS"):
        if pcp:
            found.append("%s: %s=%s is not looked at by %s: trust is pcp there. It has to be dscp (rdma_roce_trust)" % (
                where, name, text, listed(pcp)))
        elif has_infiniband and not has_roce:
            more = ", and NVSHMEM fails with it" if name.startswith("NVSHMEM") else ""
            found.append("%s: %s=%s means nothing on InfiniBand%s: unset it, NCCL_IB_SL is what counts there"
                         % (where, name, text, more))
    for name, text, where in variables(view, "NCCL_IB_SL"):
        if has_roce and not has_infiniband and trusts and not pcp:
            found.append("%s: %s=%s is the priority of a VLAN tag, which NICs that trust dscp do not look at: set "
                         "NCCL_IB_TC" % (where, name, text))
    return [finding("R9", "W", None, words) for words in found]


def r36_notifications(view):
    """Congestion notifications overtake the data, and ECN works on the data's priority."""
    told = declared(view)
    if not told:
        return []
    lossless = {device: priorities(text) for device, text in values(view, PFC).items()}
    wrong = {}
    for device, text in values(view, CNP_DSCP).items():
        if text.isdigit():
            _collide(wrong, told, lossless.get(device, set()), device, "DSCP %s" % text, priority_of(told, int(text)))
    for device, text in values(view, CNP_PRIORITY).items():
        if text.isdigit():
            _collide(wrong, told, lossless.get(device, set()), device, "priority %s" % text, int(text))
    for row, side in ((NP, "notifies nobody (roce_np)"), (RP, "slows down for nobody (roce_rp)")):
        for device, text in values(view, row).items():
            if told["priority"] not in priorities(text):
                wrong.setdefault("on priority %d the NIC %s: ECN is off there" % (told["priority"], side), []).append(
                    device)
    return [finding("R36", "W", None, "%s: %s" % (listed(sorted(devices)), words))
            for words, devices in sorted(wrong.items())]


def _collide(wrong, told, lossless, device, sent_as, priority):
    if priority == told["priority"] or priority in lossless:
        why = "the data's own priority" if priority == told["priority"] else "a priority that PFC pauses"
        wrong.setdefault("congestion notifications are sent with %s, in priority %d, %s" % (sent_as, priority, why),
                         []).append(device)
