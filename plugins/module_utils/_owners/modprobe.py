# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel modules: which there are for this kernel, and what files and the kernel command line say of them.

PRIVATE to the collection. Source: modprobe.d(5), modules-load.d(5). A name is compared with _ for every -.
"""

from __future__ import annotations

import re

from .. import _cmdline
from . import sysctl_d

MODPROBE = ("/etc/modprobe.d", "/run/modprobe.d", "/usr/local/lib/modprobe.d", "/usr/lib/modprobe.d", "/lib/modprobe.d")
LOAD = ("/etc/modules-load.d", "/run/modules-load.d", "/usr/local/lib/modules-load.d", "/usr/lib/modules-load.d",
        "/lib/modules-load.d")
_TREES = ("/lib/modules", "/usr/lib/modules")
COMMAND_LINE = "/proc/cmdline"
# A module that is not to be loaded is often "installed" by a command that does nothing.
_NOTHING = re.compile(r"(/usr)?/s?bin/(true|false)\b|:")


def canonical(module):
    """A module's name as it is compared, and as /sys/module has it."""
    return module.replace("-", "_")


def is_loaded(host, module):
    """Whether a module is there: loaded and ready, or a part of the kernel."""
    try:
        return host.read("/sys/module/%s/initstate" % canonical(module)) == "live"
    except OSError:  # What is built in has no such state, and perhaps no folder either.
        return host.is_folder("/sys/module/" + canonical(module)) or any(
            item["module"] == canonical(module) for item in built_in(host))


def is_built(host, module):
    """Whether there is a module of this name for the running kernel."""
    return any(of_file(line.partition(":")[0]) == canonical(module) for line in _list(host, "modules.dep")[1])


def built_in(host):
    """[{directive, module, file, line, name, value}] of the modules that are a part of the kernel."""
    path, lines = _list(host, "modules.builtin")
    return [{"directive": "load", "module": of_file(line), "file": path, "line": number, "name": "", "value": "loaded"}
            for number, line in enumerate(lines, 1)]


def uses(host, module):
    """Who keeps a loaded module from being unloaded, in words, "" for nobody."""
    folder = "/sys/module/" + canonical(module)
    holders = host.names(folder + "/holders")
    try:
        count = host.read(folder + "/refcnt")
    except OSError:
        return ""
    return "" if count in ("0", "") and not holders else "in use %s times%s" % (
        count, "".join(", by " + holder for holder in holders))


def _list(host, name):
    release = host.text("/proc/sys/kernel/osrelease") or ""
    paths = ["%s/%s/%s" % (tree, release, name) for tree in _TREES]
    path = next((path for path in paths if host.exists(path)), paths[0])
    return path, (host.text(path) or "").splitlines()


def of_file(path):
    """The module of a file such as kernel/drivers/nvme/host/nvme-core.ko.zst."""
    return canonical(re.sub(r"\.ko(\.\w+)?$", "", path.strip().rpartition("/")[2]))


def directives(host, words):
    """[{directive, module, value, file, line, name}] of every line of modprobe.d with one of these words, in order.

    "name" is what the file is sorted by, "value" is the rest of the line.
    """
    found = []
    for path in sysctl_d.files(host, MODPROBE):
        for number, line in _lines(host.text(path) or ""):
            parts = line.split(None, 2)
            if len(parts) > 1 and parts[0] in words:
                found.append({"directive": parts[0], "module": canonical(parts[1]), "file": path, "line": number,
                              "name": path.rpartition("/")[2], "value": parts[2] if len(parts) > 2 else ""})
    return found


def _lines(text):
    """(number, line) with continued lines joined and comments left out."""
    joined, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        start = start if joined else number
        joined += line
        if joined.endswith("\\"):
            joined = joined[:-1]
            continue
        if joined.strip() and not joined.lstrip().startswith("#"):
            yield start, joined.strip()
        joined = ""


def barred(host):
    """What keeps modules from being loaded, as `directives`: blacklists, and installs that do nothing."""
    found = [item for item in directives(host, ("blacklist", "install"))
             if item["directive"] == "blacklist" or _NOTHING.match(item["value"])]
    line = host.text(COMMAND_LINE) or ""
    for key in ("module_blacklist", "modprobe.blacklist"):
        for module in _cmdline.value(line, key).replace(",", " ").split():
            found.append({"directive": key, "module": canonical(module), "file": COMMAND_LINE, "line": 1, "name": "",
                          "value": ""})
    return found


def loads(host):
    """[{directive, module, file, line, name, value}] of what modules-load.d loads at boot."""
    found = []
    for path in sysctl_d.files(host, LOAD):
        for number, line in enumerate((host.text(path) or "").splitlines(), 1):
            if line.strip() and line.strip()[0] not in "#;":
                found.append({"directive": "load", "module": canonical(line.strip()), "file": path, "line": number,
                              "name": path.rpartition("/")[2], "value": "loaded"})
    return found


def options(host):
    """[{key, value, file, line, name}] of all parameters, "key" MODULE/PARAMETER, in order: the later one wins.

    modprobe puts what the kernel command line says after what the files say.
    """
    found = []
    for item in directives(host, ("options",)):
        for word in _words(item["value"]):
            name, sign, value = word.partition("=")
            found.append({"key": "%s/%s" % (item["module"], canonical(name)), "value": value if sign else "1",
                          "file": item["file"], "line": item["line"], "name": item["name"]})
    for token in _cmdline.tokens(host.text(COMMAND_LINE) or ""):
        module, dot, name = token.key.partition(".")
        if dot and name:
            found.append({"key": "%s/%s" % (canonical(module), canonical(name)), "line": 1, "name": "",
                          "value": "1" if token.value == _cmdline.GIVEN else token.value, "file": COMMAND_LINE})
    return found


def _words(text):
    """Words as the kernel parts them: a quoted part may hold white space; the quotes are not part of the value."""
    return [word.replace('"', "") for word in re.findall(r'(?:[^\s"]|"[^"]*"?)+', text)]
