# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd's own configuration files, such as system.conf and logind.conf with their drop-ins, in its order of reading.

PRIVATE to the collection. Source: systemd-system.conf(5), "Configuration Directories and Precedence".
"""

from __future__ import annotations

from . import sysctl_d, unit_files

FOLDERS = ("/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd", "/lib/systemd")


def assignments(host, name, keys):
    """[{key, value, file, name, line}] of what sets one of `keys` in a file such as "logind.conf": the later wins.

    The main file comes first, that of the highest folder only; then the drop-ins of all folders by their names.
    """
    main = [folder + "/" + name for folder in FOLDERS if host.exists(folder + "/" + name)][:1]
    found = []
    for path in main + sysctl_d.files(host, ["%s/%s.d" % (folder, name) for folder in FOLDERS]):
        for line, key, value in unit_files.lines(host.text(path) or ""):
            if key in keys:
                found.append({"key": key, "value": value, "file": path, "line": line,
                              "name": "" if path in main else path.rpartition("/")[2]})
    return found
