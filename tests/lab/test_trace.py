# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reader of traces sees every way to change a file, and nothing in what only reads."""

from __future__ import annotations

import pytest
import trace_writes

CWD = "AT_FDCWD</root>"


@pytest.mark.parametrize("call", [
    'openat(%s, "/etc/sysctl.d/90-x.conf", O_WRONLY|O_CREAT|O_CLOEXEC, 0666) = 3</etc/sysctl.d/90-x.conf>' % CWD,
    'openat(%s, "/proc/sys/vm/swappiness", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3</proc/sys/vm/swappiness>' % CWD,
    'openat(%s, "/sys/kernel/mm/transparent_hugepage/enabled", O_RDWR) = -1 EACCES (Permission denied)' % CWD,
    'openat(%s, "notes", O_WRONLY|O_APPEND) = 3</root/notes>' % CWD,
    'openat2(%s, "/etc/x", {flags=O_WRONLY|O_CREAT, mode=0666, resolve=0}, 24) = 3</etc/x>' % CWD,
    'open("/etc/x", O_RDWR) = 3</etc/x>',
    'creat("/etc/x", 0644) = 3</etc/x>',
    'rename("/root/.ansible/tmp/a", "/etc/a") = 0',
    'renameat(%s, "/etc/a", %s, "/root/.ansible/tmp/a") = 0' % (CWD, CWD),
    'unlink("/etc/x") = 0',
    'unlinkat(3</etc>, "x", 0) = 0',
    'unlinkat(3</root/.ansible/tmp/y>, "../../../../etc/x", 0) = 0',
    'linkat(%s, "/etc/a", %s, "/etc/b", 0) = 0' % (CWD, CWD),
    'symlink("/etc/a", "/etc/b") = 0',
    'mkdir("/var/lib/gpuwright", 0755) = -1 EEXIST (File exists)',
    'fchmod(4</etc/shadow>, 0644) = 0',
    'truncate("/etc/x", 0) = 0',
    'mount("none", "/mnt", "tmpfs", 0, NULL) = 0',
    'openat(%s, "/tmp/elsewhere", O_WRONLY|O_CREAT, 0666) = 3</tmp/elsewhere>' % CWD,
])
def test_a_change_is_seen(call):
    assert trace_writes.writes("1234  " + call) == [call]


@pytest.mark.parametrize("call", [
    'openat(%s, "/proc/sys/vm/swappiness", O_RDONLY|O_CLOEXEC) = 3</proc/sys/vm/swappiness>' % CWD,
    'openat(%s, "/etc/O_WRONLY", O_RDONLY) = -1 ENOENT (No such file or directory)' % CWD,
    'openat(%s, "/dev/null", O_RDWR|O_CLOEXEC) = 3</dev/null>' % CWD,
    'mkdir("/root/.ansible/tmp/ansible-moduletmp-1", 0700) = 0',
    'openat(%s, "/tmp/ansible_settings_payload_x/a.zip", O_WRONLY|O_CREAT, 0666) = 3</tmp/ansible_x/a.zip>' % CWD,
    'unlinkat(3</tmp/ansible_settings_payload_x>, "a.zip", 0) = 0',
    'openat(%s, "/tmp/m7x1kla_", O_RDWR|O_CREAT|O_EXCL|O_NOFOLLOW, 0600) = 3</tmp/m7x1kla_>' % CWD,
    '+++ exited with 0 +++',
    '--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=7} ---',
])
def test_reading_and_own_folders_are_no_change(call):
    assert trace_writes.writes("1234  " + call) == []


def test_a_call_that_strace_cut_in_two_is_seen():
    text = '1  unlink("/etc/x" <unfinished ...>\n2  open("/etc/y", O_RDONLY) = 3\n1  <... unlink resumed>) = 0\n'
    assert trace_writes.writes(text) == ['unlink("/etc/x" ) = 0']


def test_a_call_that_never_came_back_is_seen():
    assert trace_writes.writes('1  unlink("/etc/x" <unfinished ...>\n') == ['unlink("/etc/x" ']
