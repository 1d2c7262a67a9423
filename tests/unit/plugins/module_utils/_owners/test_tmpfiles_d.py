# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tmpfiles.d line reaches a file last, beside what systemd-tmpfiles really writes where it is installed."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._owners import tmpfiles_d

THP = "/sys/kernel/mm/transparent_hugepage/enabled"
OURS = "/etc/tmpfiles.d/90-gpuwright-thp.conf"


def put(root, path, text):
    place = root / path.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)


def read(root):
    return tmpfiles_d.writes(Host(str(root)))


def winner(root, path, ignore=()):
    one = tmpfiles_d.winner(read(root), path, ignore)
    return one and (one["value"], one["file"], one["line"])


def test_the_first_file_wins_for_the_same_path(tmp_path):
    put(tmp_path, OURS, "# ours\nw %s - - - - madvise\n" % THP)
    put(tmp_path, "/usr/lib/tmpfiles.d/99-vendor.conf", "w %s - - - - always\n" % THP)
    assert winner(tmp_path, THP) == ("madvise", OURS, 2)
    assert tmpfiles_d.beats(read(tmp_path), THP, OURS) is None
    put(tmp_path, "/run/tmpfiles.d/10-site.conf", "w! %s - - - - never\n" % THP)
    assert winner(tmp_path, THP) == ("never", "/run/tmpfiles.d/10-site.conf", 1)
    assert tmpfiles_d.beats(read(tmp_path), THP, OURS)["file"] == "/run/tmpfiles.d/10-site.conf"
    assert winner(tmp_path, THP, ignore=("/run/tmpfiles.d/10-site.conf", OURS))[0] == "always"


def test_another_text_for_the_same_file_wins_if_it_comes_later(tmp_path):
    put(tmp_path, OURS, "w %s - - - - madvise\n" % THP)
    put(tmp_path, "/etc/tmpfiles.d/10-early.conf", "w /sys/kernel/mm/transparent_hugepage/enable? - - - - never\n")
    assert tmpfiles_d.beats(read(tmp_path), THP, OURS) is None
    put(tmp_path, "/etc/tmpfiles.d/99-late.conf",
        "w /sys/kernel/mm/transparent_hugepage/{enabled,defrag} - - - - always\n")
    assert tmpfiles_d.beats(read(tmp_path), THP, OURS)["value"] == "always"
    assert winner(tmp_path, THP.replace("enabled", "shmem_enabled")) is None


def test_w_plus_adds_to_ours(tmp_path):
    put(tmp_path, OURS, "w %s - - - - madvise\n" % THP)
    put(tmp_path, "/etc/tmpfiles.d/99-late.conf", "w+ %s - - - - always\n" % THP)
    assert tmpfiles_d.beats(read(tmp_path), THP, OURS)["type"] == "w+"


def test_our_line_counts_before_it_is_written(tmp_path):
    put(tmp_path, "/etc/tmpfiles.d/50-site.conf", "w %s - - - - always\n" % THP)
    put(tmp_path, "/etc/tmpfiles.d/95-site.conf", "w %s - - - - never\n" % THP)
    assert tmpfiles_d.beats(read(tmp_path), THP, OURS)["value"] == "always"
    (tmp_path / "etc/tmpfiles.d/50-site.conf").unlink()
    assert tmpfiles_d.beats(read(tmp_path), THP, OURS) is None


def test_a_masked_file_writes_nothing(tmp_path):
    put(tmp_path, "/usr/lib/tmpfiles.d/10-thp.conf", "w %s - - - - always\n" % THP)
    assert winner(tmp_path, THP)[0] == "always"
    put(tmp_path, "/etc/tmpfiles.d/x", "")
    (tmp_path / "etc/tmpfiles.d/10-thp.conf").symlink_to("/dev/null")
    assert read(tmp_path) == []


def test_specifiers_that_the_node_answers(tmp_path):
    put(tmp_path, "/proc/sys/kernel/osrelease", "6.8.0\n")
    put(tmp_path, "/etc/tmpfiles.d/a.conf", "w /sys/a - - - - %v-%%\nw /sys/b - - - - %a\nw /sys/%o - - - - x\n")
    assert [(one["path"], one["value"]) for one in read(tmp_path)] == [("/sys/a", "6.8.0-%"), ("/sys/b", None)]


def test_escapes_in_a_path(tmp_path):
    put(tmp_path, "/etc/tmpfiles.d/a.conf", "w /sys/a\\x20b - - - - 1\nw '/sys/c d' - - - - 2\n")
    assert [one["path"] for one in read(tmp_path)] == ["/sys/a b", "/sys/c d"]


def test_a_credential_is_a_note(tmp_path):
    put(tmp_path, "/etc/tmpfiles.d/a.conf", "w^ /sys/a - - - - name\n")
    host = Host(str(tmp_path))
    assert tmpfiles_d.writes(host) == []
    assert "/sys/a" in host.notes[0]


FILES = {
    "/etc/tmpfiles.d/10.conf": r"""# values of equal length, since a w line does not shorten a plain file
w /k/same - - - - AAA
w+ /k/more - - - - AAA
w! /k/boot - - - - AAA
w /k/[g]lob1 - - - - AAA
w /k/glob2 - - - - AAA
w /k/{brace1,brace2} - - - - AAA
w- /k/minus - - - - AAA
w= /k/equals - - - - AAA
w /k/escape - - - - \x41%%\101
"w" "/k/two words" - - - - "A"
w /k//slashes/ - - - - AAA
w~ /k/base64 - - - - QUFB
  w   /k/indented   -   -   -   -   AAA
; w /k/semicolon - - - - AAA
w /k/none - - - - -
w /k/short
w$ /k/unknown - - - - AAA
w /k/../k/dots - - - - AAA
w relative - - - - AAA
w /k/.hidden - - - - AAA
""",
    "/usr/lib/tmpfiles.d/20.conf": """w /k/same - - - - BBB
w+ /k/more - - - - BBB
w /k/more - - - - CCC
w /k/boot - - - - BBB
w /k/glob1 - - - - BBB
w /k/glob2* - - - - BBB
w /k/[^a-z]? - - - - BBB
""",
    "/usr/local/lib/tmpfiles.d/05.conf": "w /k/same - - - - LLL\n",
    "/etc/tmpfiles.d/30.conf": "w /k/s*e - - - - DDD\nw /k/ind*d - - - - EEE\nw /k/[g]lob1 - - - - FFF\n",
    "/run/tmpfiles.d/10.conf": "w /k/same - - - - RRR\n",
}
WRITTEN = {
    "same": "DDD", "more": "BBB", "boot": "AAA", "glob1": "BBB", "glob2": "BBB", "brace1": "AAA", "brace2": "AAA",
    "minus": "AAA", "equals": "AAA", "escape": "A%A", "two words": '"A"', "slashes": "AAA", "base64": "AAA",
    "indented": "EEE", "semicolon": None, "none": None, "short": None, "unknown": None,
    "dots": None, ".hidden": "AAA", "X1": "BBB",
}


@pytest.fixture
def root(tmp_path):
    for path, text in FILES.items():
        put(tmp_path, path, text)
    return tmp_path


def test_every_kind_of_line(root):
    assert {name: (winner(root, "/k/" + name) or [None])[0] for name in WRITTEN} == WRITTEN


if shutil.which("systemd-tmpfiles"):
    def test_same_values_as_systemd_tmpfiles_writes(root):
        for name in WRITTEN:
            put(root, "/k/" + name, "old")
        subprocess.run(["systemd-tmpfiles", "--create", "--boot", "--root=%s" % root, "--prefix=/k"],
                       stderr=subprocess.DEVNULL, check=False)
        written = {name: (root / "k" / name).read_text() for name in WRITTEN}
        # w+ appends: on a plain file both values stay, in a kernel file the last one counts.
        assert written["more"][-6:] == "AAABBB"
        written["more"] = "BBB"
        assert written == {name: value or "old" for name, value in WRITTEN.items()}
