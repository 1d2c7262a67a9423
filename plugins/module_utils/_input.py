# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checking what a role asks for, before anything is written: unknown names, bad values, places that are not there.

PRIVATE to the collection. Pure but for asking the host which places exist.
"""

from __future__ import annotations

from ._kinds import (
    cpuset,
    dcb,
    device_attribute,
    document,
    irq,
    kernel_argument,
    kernel_module,
    logind,
    module_option,
    nccl_conf,
    netdev,
    pam_limit,
    pci_config,
    rail_route,
    rdma_cm,
    resource_control,
    sysctl,
    sysfs,
    udev_attribute,
    unit_environment,
    unit_limit,
    unit_state,
    vllm_instance,
)
from ._values import name_list, nearest

# In the order in which an apply has each kind follow up on its files, and in which originals come back.
KINDS = {"kernel_module": kernel_module, "sysctl": sysctl, "sysfs": sysfs, "udev_attribute": udev_attribute,
         "netdev": netdev, "rail_route": rail_route, "cpuset": cpuset, "resource_control": resource_control,
         "unit_environment": unit_environment, "unit_limit": unit_limit, "pam_limit": pam_limit, "logind": logind,
         "unit_state": unit_state, "irq": irq, "dcb": dcb, "device_attribute": device_attribute, "rdma_cm": rdma_cm,
         "pci_config": pci_config, "nccl_conf": nccl_conf, "document": document, "module_option": module_option,
         "kernel_argument": kernel_argument, "vllm_instance": vllm_instance}
_NICS = ("/sys/class/infiniband", "/sys/class/net", "/sys/bus/pci/devices")
_BOOLS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


class BadInput(Exception):
    """What was asked for cannot be; `problems` has a sentence for each."""

    def __init__(self, problems):
        super().__init__("; ".join(problems))
        self.problems = problems


def check(host, rows, values, request, options):
    """[(row, target, path, fields, desired)] for what is not null; path is None where there is no such place.

    `values` maps row names to raw values, `request` has `origins` (row names to where they were set) and perhaps
    `absent_ok` (a device that is named may be missing, as at boot). Raises BadInput with every problem there is, not
    only the first.
    """
    known = {row.name: row for row in rows}
    origins, absent_ok = request["origins"], request.get("absent_ok", False)
    problems = ["%s is no setting of this role; %s" % (name, nearest(name, known))
                for name in values if name not in known]
    if not absent_ok:
        problems += _absent(host, [row for row in rows if values.get(row.name) is not None], options)
    wanted = []
    for row in rows:
        if values.get(row.name) is None:
            continue
        try:
            wanted.extend(_expand(host, row, row.value.parse(values[row.name]), options, absent_ok))
        except ValueError as error:
            origin = origins.get(row.name, "set by the task")
            where = origin if origin.startswith(row.variable) else "%s (%s)" % (row.variable, origin)
            problems.append("%s: %s" % (where, error))
    asked = {row.name for row, *_place in wanted}
    for row in rows:
        if row.twin in asked and row.name in asked and row.name < row.twin:
            problems.append("%s and %s are both set, but the kernel zeroes one when the other is written: set one to "
                            "null" % (known[row.name].variable, known[row.twin].variable))
    if problems:
        raise BadInput(problems)
    return wanted


def check_options(known, given):
    """The options of a role with bools as bools and lists as lists, however they were written. Raises BadInput."""
    types = {option["name"]: option["type"] for option in known}
    choices = {option["name"]: option["choices"] for option in known
               if "choices" in option and not (option.get("nullable") and given.get(option["name"]) is None)}
    problems = ["%s is no option of this role; %s" % (name, nearest(name, types))
                for name in given if name not in types]
    checked = {}
    for name, value in given.items():
        if name in choices and value not in choices[name]:
            problems.append("%s: %r is not one of %s; %s" % (name, value, ", ".join(choices[name]),
                                                             nearest(value, choices[name])))
            continue
        try:
            checked[name] = _coerced(types.get(name), value)
        except ValueError as error:
            problems.append("%s: %s" % (name, error))
    if problems:
        raise BadInput(problems)
    return checked


def _coerced(kind, value):
    """An option's value in the type that its role says. Raises ValueError."""
    if kind == "list" and value is not None:
        return name_list(value)
    if kind != "bool":
        return value
    word = str(value).strip().lower()
    if word not in _BOOLS:
        raise ValueError("%r is neither true nor false" % (value,))
    return _BOOLS[word]


def without_lost_nics(host, options):
    """The options without the NICs that are named there and were here once, such as one that a boot has not found."""
    return {name: [one for one in value if any(host.exists("%s/%s" % (folder, one)) for folder in _NICS)]
            if name.endswith(("_compute_nics", "_storage_nics")) and value else value
            for name, value in options.items()}


def _absent(host, rows, options):
    """A sentence for each device that an option names and that is not here, where its kind says what is."""
    found = []
    for name, kind in sorted({(row.devices, row.kind) for row in rows if row.devices}):
        if not hasattr(KINDS[kind], "devices"):
            continue
        here = KINDS[kind].devices(host)
        found += ["%s: there is no %s here; %s" % (name, one, nearest(one, _alike(one, here)))
                  for one in options.get(name) or () if one not in here]
    return sorted(set(found))


def _alike(name, here):
    """The names of the same sort, mount points or devices; the kernel's own filesystems are not what anybody meant."""
    is_path = str(name).startswith("/")
    return [one for one in here if one.startswith("/") == is_path
            and one.partition("/")[2].partition("/")[0] not in ("proc", "sys", "dev", "run")]


def _expand(host, row, value, options, absent_ok):
    """One (row, target, path, fields, desired) for every place where the row lives here and a value is given."""
    found = KINDS[row.kind].places(host, row, options)
    if hasattr(row.value, "pick"):
        if not absent_ok:
            row.value.check(value, [fields for _target, _path, fields in found])
        found = [(target, path, fields, row.value.pick(value, fields)) for target, path, fields in found]
    else:
        found = [(target, path, fields, value) for target, path, fields in found]
    if not found:
        return [(row, row.name, None, {}, value if isinstance(value, str) else row.value.nothing)]
    return [(row,) + place for place in found if place[-1] is not None]
