# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a traced program changed or tried to change, from the words of `strace -f -y`."""

from __future__ import annotations

import posixpath
import re

# In place of python3 on the host: each module that Ansible starts leaves a trace of itself and of its children.
WRAPPER = "/usr/local/bin/traced-python3"
TRACES = "/var/tmp/traces"
CALLS = (
    "open,openat,openat2,creat,rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,link,linkat,symlink,"
    "symlinkat,mknod,mknodat,truncate,chmod,fchmod,fchmodat,chown,fchown,lchown,fchownat,utimensat,setxattr,"
    "fsetxattr,lsetxattr,mount,umount2,init_module,finit_module,delete_module,sethostname,reboot,swapon,swapoff"
)
SCRIPT = f"""#!/bin/sh
mkdir -p {TRACES}
exec strace --seccomp-bpf -f -y -qq -s 4096 -e trace={CALLS} -o {TRACES}/$$ /usr/bin/python3 "$@"
"""

# What a module may write: Ansible's own temporary folders, with the nameless file by which Python's tempfile finds out
# that /tmp can be written; and what holds nothing.
OWN = re.compile(r"(/root/\.ansible/tmp/|/tmp/ansible_[^/]*|/tmp/[a-z0-9_]{8}$|/dev/null$)")

OPENING = re.compile(r"^(open|openat|openat2|creat)\(")
WRITING = re.compile(r"\b(O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND)\b")
FOLDER_AND_NAME = re.compile(r'(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"')
OPEN_FILE = re.compile(r"\((\d+)<([^>]*)>")


def calls(text: str) -> list[str]:
    """The calls of all processes, each whole: what strace cut in two because another process came between is joined."""
    begun, found = {}, []
    for line in text.splitlines():
        process, _space, call = line.partition(" ")
        call = call.strip()
        if call.endswith("<unfinished ...>"):
            begun[process] = call.removesuffix("<unfinished ...>")
        elif call.startswith("<... "):
            found.append(begun.pop(process, "") + call.partition("resumed>")[2])
        elif "(" in call.split(" ")[0]:
            found.append(call)
    return [*found, *begun.values()]


def paths(call: str) -> list[str]:
    """The files that a call names."""
    named = [posixpath.normpath(posixpath.join(folder, name)) for folder, name in FOLDER_AND_NAME.findall(call)]
    return named or [path for _number, path in OPEN_FILE.findall(call)] or ["?"]


def writes(text: str) -> list[str]:
    """The calls that changed, or tried to change, anything outside Ansible's own temporary folders."""
    suspects = [call for call in calls(text)
                if not OPENING.match(call) or call.startswith("creat(") or WRITING.search(call.partition('", ')[2])]
    return [call for call in suspects if not all(OWN.match(path) for path in paths(call))]
