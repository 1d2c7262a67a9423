# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who else has files where those of an instance go: they are named, and taken over only on the operator's word.

PRIVATE to the collection.
"""

from __future__ import annotations

from ... import _journal
from ..._owners import unit_files
from . import places

_WAY = "; gpuwright_take_over: [%s] hands it to us, and a rollback gives it back"


def is_foreign(made, path, found):
    """Whether somebody else wrote what is in the place of a file of ours."""
    if found is None or path in made.journal["files"]:
        return False
    return found["link"] is not None or not found["text"].startswith(_journal.HEAD)


def in_the_way(made, step):
    """Unit files of this very instance in /etc that win over a template or a Quadlet; ours has none there."""
    if step["desired"] == "absent" or step["target"] not in made.take_over:
        return []
    return [path for path in _of_the_unit(made, step) if path.startswith(places.UNITS + "/")]


def _of_the_unit(made, step):
    """Unit files with the instance's own name that systemd reads before what we write."""
    before = unit_files.FOLDERS
    if step["_files"].get("%s/%s" % (places.UNITS, step["target"])):
        before = before[:before.index(places.UNITS)]
    elif any(path.endswith(".container") and file for path, file in step["_files"].items()):
        before = before[:before.index("/run/systemd/generator")]
    paths = ["%s/%s" % (folder, step["target"]) for folder in before]
    return [path for path in paths if path not in step["_files"] and path not in made.journal["files"]
            and not path.startswith("/run/systemd/generator")
            and (made.host.exists(path) or made.host.link(path) is not None)]


def of_instance(made, step):
    """[who has a place of this instance, in words]; nothing where the operator hands it to us."""
    if step["desired"] == "absent":
        return []
    said = []
    for path in _of_the_unit(made, step):
        masked = made.host.link(path) == "/dev/null"
        said.append("%s %s and wins over what we write%s" % (
            path, "masks the unit" if masked else "is somebody else's unit file",
            _WAY % step["target"] if path.startswith(places.UNITS + "/") else ": remove it or choose another name"))
    if step["target"] not in made.take_over:
        said += ["%s is somebody else's%s" % (path, _WAY % step["target"])
                 for path in sorted(step["_files"]) if not places.is_shared(path)
                 and is_foreign(made, path, step["_found"].get(path))]
    return said


def of_template(made, path, found, names):
    """Who has the template, in words, or None. With an instance its template is handed to us, unless others use it."""
    if not is_foreign(made, path, found):
        return None
    template = path.rpartition("/")[2]
    users = [unit for unit in _instances(made.host, template) if unit not in ["%s%s.service" % (
        template.partition(".")[0], name) for name in names]]
    handed = template in made.take_over or (not users and any(
        "%s%s.service" % (template.partition(".")[0], name) in made.take_over for name in names))
    if handed:
        return None
    said = "%s is somebody else's" % path
    if users:
        said += ", and so are %s, which start from it" % ", ".join(users)
    return said + _WAY % template


def _instances(host, template):
    """The instances of a template that a link starts or a drop-in changes."""
    start = template.partition(".")[0]
    found = set()
    for folder in unit_files.FOLDERS:
        for sub in host.names(folder):
            if sub.endswith((".wants", ".requires")):
                found.update(name for name in host.names("%s/%s" % (folder, sub)) if name.startswith(start))
            elif sub.startswith(start) and sub.endswith(".service.d"):
                found.add(sub[:-len(".d")])
    return sorted(name for name in found if name != template)


def drop_ins(made, step):
    """Drop-ins of others that come on top of ours: {path: [what they set]}. Our other roles tell of theirs."""
    found = {}
    for unit in step["_units"]:
        for path in unit_files.files(made.host, unit):
            text = made.host.text(path) or ""
            if path.endswith(".conf") and path not in step["_files"] and "@" in path and (
                    not text.startswith(_journal.HEAD)):
                found[path] = sorted({key for _line, key, _value in unit_files.lines(text)})
    return found
