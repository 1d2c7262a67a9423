# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind nccl_conf: a variable of NCCL, in /etc/nccl.conf for every job, and in a file for services and containers.

PRIVATE to the collection. See _kinds/sysctl.py for what every kind has. NCCL has one such file and no folder of
drop-ins: where somebody else wrote it, it stays as it is until it is handed to us as a whole, and rollback brings it
back. NCCL takes each line to the letter: no quotes, no spaces, no comment behind a value. Source: src/misc/param.cc.
"""

from __future__ import annotations

from .._owners import nccl_env

CONF = nccl_env.CONF
ENVIRONMENT = "/etc/gpuwright/nccl.env"  # For EnvironmentFile= of systemd and --env-file of container engines.
ROLE = "nccl_env"
KEYED_BY = "target"
VOLATILE = False
OWNER = "nccl.conf"


def files(role):
    """The two files, of the one role that has such rows."""
    return [CONF, ENVIRONMENT] if role == ROLE else []


def file(role, target, taken=False):
    """NCCL reads one file, taken over or not."""
    return CONF


def is_foreign(text):
    """Whether somebody else wrote the file."""
    return text is not None and not nccl_env.is_ours(text)


def companions(role, texts):
    """The same lines for who cannot see /etc/nccl.conf: a container, or a service with another root."""
    text = texts.get(CONF)
    return {ENVIRONMENT: None if is_foreign(text) else text} if role == ROLE else {}


def places(host, row, options):
    """Any machine can have it; the row of further variables is in as many places as it has variables."""
    if not row.devices:
        return [(row.name, CONF, {})]
    return [(name, CONF, {"variable": name}) for name in options.get(row.devices) or ()]


def read(host, target, path):
    """What a job gets that brings no environment of its own; "" for nothing."""
    text = nccl_env.conf_text(host, path)
    if text is None and host.exists(path) and not host.is_folder(path):
        host.read_bytes(path)  # What may not be read is not empty: raises.
    return _values(text).get(target, "")


def _values(text):
    """{name: value} as NCCL has it: of several lines the first counts."""
    found = {}
    for _number, name, value in nccl_env.lines(text or ""):
        found.setdefault(name, value)
    return found


def write(host, target, path, text):
    """The files were written with all the others."""


def compose(head, entries, remarks):
    """The text of both files: above each line, why it is there. NCCL before 2.26 takes a comment with a = for a line
    to obey, and so does nothing with it: there is none in ours.
    """
    blocks = ["# %s\n%s=%s\n" % ((remarks[name] or "set by the operator").replace("=", " is "), name, value)
              for name, _path, value in sorted(entries)]
    return head.replace("=", " is ") + "\n" + "\n".join(blocks)


def remark(options, target, value):
    """Why a variable has its value: the fact that it follows from; None where the operator says so."""
    derived = (options.get("nccl_env_derived") or {}).get(target) or {}
    if derived.get("value") is not None and str(derived["value"]) == value:
        return " ".join(str(derived["why"]).split())
    return None


def parse(text):
    """The values in a file of ours, by target; somebody else's holds none of ours."""
    return {} if is_foreign(text) else _values(text)


def identity(row, target, path):
    """What names the original in the journal."""
    return "nccl_conf:" + target


def in_force(host, row, target, path):
    """(path, text) to get today's state back: a file that was there comes back whole, and before ours was nothing."""
    return path, read(host, target, path) if is_foreign(nccl_env.conf_text(host, path)) else ""


def refusal(host):
    """Why nothing can be written here. An engine of containers makes a folder where a file that it mounts is not."""
    folder = next((path for path in (CONF, ENVIRONMENT) if host.is_folder(path) and host.link(path) is None), None)
    return folder and ("%s is a folder, as a container engine makes one where it is to mount a file that is not there: "
                       "remove it, once no container has it" % folder)


def others(host):
    """Who else says what: a nccl.conf that is not ours, and narrower scopes, which win over any."""
    text, link = nccl_env.conf_text(host, CONF), host.link(CONF)
    found = []
    if text is None and link is not None:
        found = [{"file": CONF, "line": 0, "name": OWNER, "key": None, "value": None, "link": link}]
    elif is_foreign(text):
        found = [{"file": CONF, "line": number, "name": OWNER, "key": name, "value": value}
                 for number, name, value in nccl_env.lines(text)]
        found.append({"file": CONF, "line": 0, "name": OWNER, "key": None, "value": None})
    return found + nccl_env.narrower(host, (CONF, ENVIRONMENT))


def rival(settled, row, target, path, ours, value):
    """What a nccl.conf that is not ours has for the variable, or that it has nothing: ours goes there neither way."""
    theirs = [item for item in settled if item["name"] == OWNER]
    if not theirs:
        return None
    found = next((item for item in theirs if item["key"] == target), theirs[-1])
    if found["key"]:
        words = "%s:%s, which is not ours, has %s=%s: change it there" % (
            CONF, found["line"], target, _visible(found["value"]))
    elif found.get("link"):
        words = "%s is a link to %s, which is no file that can be read: mend it" % (CONF, found["link"])
    else:
        words = "%s is not ours and does not set it: add %s=%s there" % (CONF, target, value)
    return dict(found, words="%s, or gpuwright_take_over: [%s] puts ours in its place (rollback brings it back)"
                % (words, OWNER))


def given(settled, row, target, ours, value):
    """The line of somebody else's nccl.conf that says the same."""
    found = next((item for item in settled if item["name"] == OWNER and item["key"] == target), None)
    return found if found and row.value.read(found["value"]) == value else None


def given_by_others(host, target, ours):
    """Of a variable that is let go of alone, while the file that was there before us is still away, or None."""
    return "the line that was there before us comes back with its whole file" if host.exists(CONF) else None


def overridden(settled, target, value):
    """Who gets something else although our line is right, in words, or None."""
    found = [_who_has(item, target) for item in settled
             if item["name"] != OWNER and item["key"] == target and item["value"] != value]
    if not found:
        return None
    more = ["and %d more" % (len(found) - 3)] if len(found) > 3 else []
    return "%s, and that wins over %s: take it out there, or leave it to them" % ("; ".join(found[:3] + more), CONF)


def _who_has(item, target):
    if item["line"] is None:
        return "%s has %s=%s in its environment" % (item["who"], target, _visible(item["value"]))
    return "%s get %s=%s (%s:%s)" % (item["who"], target, _visible(item["value"]), item["file"], item["line"])


def _visible(value):
    """A value on one line, and what cannot be seen as what it is: a carriage return, say."""
    return value if value.isprintable() else ascii(value)


def before_us(settled, target, ours):
    """No raise-only setting lives here."""
    return None
