# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd's unit files and drop-ins: who sets which property of a unit, in the order in which systemd reads them.

PRIVATE to the collection. Source: systemd.unit(5). Reads files only, so an image or a capture answers too.
"""

from __future__ import annotations

# Highest first: of drop-ins with one name only that of the highest folder is read.
FOLDERS = ("/etc/systemd/system.control", "/run/systemd/system.control", "/run/systemd/transient",
           "/run/systemd/generator.early", "/etc/systemd/system", "/run/systemd/system", "/run/systemd/generator",
           "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system",
           "/run/systemd/generator.late")


def files(host, unit):
    """The paths that systemd reads for a unit, in its order: the unit file, then the drop-ins by their names.

    An instance (a@b.service) has its template's drop-ins (a@.service) too and, without a file of its own, its file.
    """
    stem, _dot, suffix = unit.rpartition(".")
    names = [unit]
    if "@" in stem.rstrip("@"):
        names.append("%s@.%s" % (stem.partition("@")[0], suffix))
    folders = [name + ".d" for name in names]
    parts = names[-1].rpartition(".")[0].split("-")
    folders += ["-".join(parts[:count]) + "-.%s.d" % suffix for count in range(len(parts) - 1, 0, -1)]
    folders.append(suffix + ".d")
    unit_file = [folder + "/" + name for name in names for folder in FOLDERS if host.exists(folder + "/" + name)][:1]
    drop_ins = {}
    for sub in folders:
        for folder in FOLDERS:
            for name in host.names("%s/%s" % (folder, sub)):
                if name.endswith(".conf"):
                    drop_ins.setdefault(name, "%s/%s/%s" % (folder, sub, name))
    return unit_file + [drop_ins[name] for name in sorted(drop_ins)]


def assignments(host, unit, keys):
    """[{unit, key, value, file, name, line}] of every line that sets one of `keys` for a unit, in order."""
    found = []
    for path in files(host, unit):
        for number, key, value in lines(host.text(path) or ""):
            if key in keys:
                found.append({"unit": unit, "key": key, "value": value, "file": path,
                              "name": path.rpartition("/")[2], "line": number})
    return found


def lines(text):
    """(line number, key, value) of every assignment, with continued lines joined and comments left out."""
    joined, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith(("#", ";")):
            continue
        start = start if joined else number
        joined += line
        if joined.endswith("\\"):
            joined = joined[:-1] + " "
            continue
        key, sign, value = joined.partition("=")
        joined = ""
        if sign and not key.lstrip().startswith("["):
            yield start, key.strip(), value.strip()


def services(host):
    """The names of all service units that a file makes here, templates too, one that is masked not."""
    names = {name: "%s/%s" % (folder, name) for folder in reversed(FOLDERS) for name in host.names(folder)
             if name.endswith(".service")}
    return sorted(name for name, path in names.items() if host.real(path) != "/dev/null")


def that_set(host, keys):
    """The services for which some file sets one of `keys`: whoever else's drop-in applies to many counts for all."""
    found, shared = set(), set()
    for folder in FOLDERS:
        for name in host.names(folder):
            path = "%s/%s" % (folder, name)
            if name.endswith(".service") and _sets(host, path, keys):
                found.add(name)
            elif name == "service.d" or name.endswith(".service.d"):
                if any(_sets(host, "%s/%s" % (path, conf), keys) for conf in host.names(path)):
                    (shared if name == "service.d" or name.endswith("-.service.d") else found).add(name[:-len(".d")])
    prefixes = tuple(name[:-len(".service")] for name in shared if name != "service")
    if shared:
        found.update(name for name in services(host) if "service" in shared or name.startswith(prefixes))
    return sorted(found)


def _sets(host, path, keys):
    text = host.text(path) or ""
    return any(key in text for key in keys)
