# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind module_option: a parameter of a kernel module, given in modprobe.d for the next time that it is loaded.

PRIVATE to the collection. See _kinds/sysctl.py for what every kind has. Nothing is written to /sys/module: most drivers
look at a parameter only while they are loaded, and one that was written later would look as if it were in force.
"""

from __future__ import annotations

import re

from .._owners import initramfs, modprobe

FOLDER = "/etc/modprobe.d"
KEYED_BY = "target"
VOLATILE = False
OWNER = None
ABSENT = "there is no such module for this kernel, or it has no such parameter"
NEXT = "the next load brings %s"
_NVIDIA = "/proc/driver/nvidia/params"
_NVIDIA_PREFIX = "NVreg_"


def files(role):
    """Our file for a role."""
    return [file(role, "")]


def file(role, target, taken=False):
    """Our file for a parameter."""
    return "%s/90-gpuwright-%s.conf" % (FOLDER, role)


def places(host, row, options):
    """[(target, path, fields)]; empty without the module, or where its driver lists its parameters without this one."""
    module, _slash, name = row.name.partition("/")
    if not modprobe.is_loaded(host, module) and not modprobe.is_built(host, module):
        return []
    if module == "nvidia" and host.exists(_NVIDIA) and name[len(_NVIDIA_PREFIX):] not in _nvidia(host):
        return []
    return [(row.name, "/sys/module/%s/parameters/%s" % (modprobe.canonical(module), name), {})]


def _nvidia(host):
    """{name: value} of all parameters of NVIDIA's driver; texts are quoted there."""
    pairs = re.findall(r"^(\w+): *(.*?) *$", host.read(_NVIDIA), re.M)
    return {name: value.strip('"') for name, value in pairs}


def read(host, target, path):
    """What the loaded module has; of one that is not loaded, what its next load brings."""
    module, _slash, name = target.partition("/")
    if not modprobe.is_loaded(host, module):
        return generated(host, target, path)
    if host.exists(path):
        return host.read(path)
    if module == "nvidia" and host.exists(_NVIDIA):
        return _nvidia(host).get(name[len(_NVIDIA_PREFIX):], "")
    host.note("%s: the module does not show what it was loaded with" % target)
    return generated(host, target, path)


def generated(host, target, path):
    """What the next load brings, "" for the module's own default."""
    given = [item["value"] for item in modprobe.options(host) if item["key"] == _key(target)]
    return given[-1] if given else ""


def _key(target):
    return modprobe.canonical(target)


def write(host, target, path, text):
    """Nothing changes before the module is loaded anew."""


def compose(head, entries):
    """The text of our file."""
    lines = []
    for target, _path, value in entries:
        module, _slash, name = target.partition("/")
        lines.append("options %s %s=%s\n" % (module, name, '"%s"' % value if re.search(r"\s", value) else value))
    return head + "".join(sorted(lines))


def parse(text):
    """The values in our file, by target."""
    return {"%s/%s" % (module, name): value.strip('"')
            for module, name, value in re.findall(r"^options (\S+) ([^=\s]+)=(.*)$", text, re.M)}


def identity(row, target, path):
    """What names the original in the journal."""
    return "module_option:" + _key(target)


def in_force(host, row, target, path):
    """(path, text) to get today's state back: our file goes, and the others rule at the next load.

    Where none of them says anything, the value that runs is the module's own.
    """
    return path, generated(host, target, path) or read(host, target, path)


def satisfied(value, wanted):
    """Equal, or nothing: what nobody gives is the module's own again. Whether ours is given is seen in our file."""
    return value in (wanted, "")


def others(host):
    """All parameters that files and the kernel command line give, in modprobe's order."""
    return modprobe.options(host)


def rival(settled, row, target, path, ours, value):
    """What comes after our file: a file that sorts later, or the kernel command line; or None."""
    later = [item for item in settled if item["key"] == _key(target) and item["file"] != ours
             and (item["file"] == modprobe.COMMAND_LINE or item["name"] > ours.rpartition("/")[2])]
    return later[-1] if later else None


def given_by_others(host, target, ours):
    """What the other files give by now, in words, or None."""
    found = [item for item in modprobe.options(host) if item["key"] == _key(target) and item["file"] != ours]
    return "%(file)s:%(line)s gives %(key)s=%(value)s" % found[-1] if found else None


def before_us(settled, target, ours):
    """No raise-only setting lives here."""
    return None


def unverified(host):
    """An initramfs that could not be made anew would cost a boot."""
    return initramfs.UNVERIFIED if initramfs.maker(host) == "dracut" else None


def commit(host, steps, changed):
    """Where the initramfs holds one of the modules, it holds their options too: it is made anew."""
    modules = {step["target"].partition("/")[0] for step in steps}
    if changed and modules and initramfs.maker(host):
        held = initramfs.held(host, modules)
        if held:
            host.note("the initramfs holds %s and was made anew" % ", ".join(held))
            initramfs.make(host)
