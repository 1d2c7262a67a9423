# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's GRUB: who sets what in the end, beside what a real shell makes of the same files."""

from __future__ import annotations

import pathlib
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.gpuwright.node.plugins.module_utils import _cmdline
from ansible_collections.gpuwright.node.plugins.module_utils._boot import grub_d, grub_script
from ansible_collections.gpuwright.node.plugins.module_utils._host import CommandNotRun, Host

from tests.sysroots import boot_tree

OURS = "/etc/default/grub.d/90-gpuwright-cpu_isolation.cfg"
DEFAULT, ALWAYS = "GRUB_CMDLINE_LINUX_DEFAULT", "GRUB_CMDLINE_LINUX"
HEAD = "# ours\n"

# What administrators, cloud images and packages have in these files; D and A stand for the two variables.
STATEMENTS = st.sampled_from([text.replace("D=", DEFAULT + "=").replace("A=", ALWAYS + "=").replace("$D", "$" + DEFAULT)
                              .replace("$A", "${%s}" % ALWAYS) for text in (
    'D="quiet splash"', "D='isolcpus=1 quiet'", 'D="$D isolcpus=2 iommu=pt"', 'A="console=ttyS0 console=tty0"',
    'A="$A crashkernel=512M" # why', "# D=x", 'D="$D dyndbg=\\"file a.c +p\\" loglevel=3"', "E='a=1 b'", 'D="$E $D"',
    "unset " + DEFAULT, 'export D="$D nohz_full=4"', "D=$A", "GRUB_TIMEOUT=5; true", 'D="$D \\\n  skew_tick=1"',
    "GRUB_DISTRIBUTOR=`echo Debian || echo x`", "D=quiet\\ ro", "D=$D' pci=a;b'", "D=\"$D 'pci=a;b'\"",
    'A="a=1 -- single"', "GRUB_CMDLINE_XEN_DEFAULT=isolcpus=9", 'D="$UNSET_ANYWHERE_ELSE $D"', "", "\t")])
FILES = st.lists(STATEMENTS, max_size=5).map("\n".join)
KEYS = ("quiet", "isolcpus", "nohz_full", "console", "crashkernel", "dyndbg", "loglevel", "a", "b", "pci", "skew_tick",
        "ro", "iommu", "splash", "single")


def settled(root):
    return grub_d.others(Host(str(root)))


def truth(root):
    """[(key, value)] of the command line as a shell and GRUB's quoting make it."""
    text = " ".join(boot_tree.read_by_a_shell(root))
    line = grub_script.kernel_line(word for _start, word in grub_script.words(text))
    return [(token.key, token.value) for token in _cmdline.tokens(line)]


@settings(max_examples=60, deadline=None)
@given(FILES, FILES, FILES)
def test_the_final_line_is_told_as_a_shell_makes_it(main, early, late):
    with tempfile.TemporaryDirectory() as folder:
        root = boot_tree.shell_files(pathlib.Path(folder), {
            "grub": main, "grub.d/10-early.cfg": early, "grub.d/95-late.cfg": late})
        real, found = truth(root), settled(root)
        for key in KEYS:
            assert [value for value, _file, _line in grub_d.given(found, key, OURS) if "\0" not in value] == [
                value for name, value in real if name == key]


@settings(max_examples=40, deadline=None)
@given(FILES, FILES, FILES)
def test_ours_is_the_last_word_unless_a_rival_is_named(main, early, late):
    """The drop-in is written where nothing else wins, and then a shell finds our value once, and theirs as before."""
    with tempfile.TemporaryDirectory() as folder:
        root = boot_tree.shell_files(pathlib.Path(folder), {
            "grub": main, "grub.d/10-early.cfg": early, "grub.d/95-late.cfg": late})
        before = truth(root)
        found = grub_d.rival(settled(root), "isolcpus", OURS, "2-5")
        boot_tree.put(root, OURS, grub_d.compose(HEAD, [("isolcpus", "2-5")]))
        after = truth(root)
        if found is None:
            assert after.count(("isolcpus", "2-5")) == 1
            assert [pair for pair in after if pair[0] != "isolcpus"] == before
        else:
            assert [value for key, value in after if key == "isolcpus"] != ["2-5"]
            assert found["file"] != OURS


@pytest.mark.parametrize(("name", "text"), [
    ("no newline at the end", 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"'),
    ("duplicates", 'GRUB_CMDLINE_LINUX_DEFAULT="old"\nGRUB_CMDLINE_LINUX_DEFAULT="quiet quiet debug=3 debug=4"\n'),
    ("quotes and spaces", "GRUB_CMDLINE_LINUX_DEFAULT=\"a='b c' dyndbg=\\\"file x.c +p\\\"\" # trailing\n"),
    ("carriage returns", 'GRUB_TIMEOUT=5\r\nGRUB_CMDLINE_LINUX_DEFAULT="quiet"\r\n'),
    ("no file", None),
    ("nothing", ""),
    ("a command decides", 'GRUB_CMDLINE_LINUX_DEFAULT="$(echo quiet)"\n'),
])
def test_a_file_survives(name, text, tmp_path):
    root = boot_tree.debian(tmp_path, grub=text, **{"grub.d/50-cloudimg.cfg": 'GRUB_TERMINAL="console serial"\n'})
    before, bytes_before = truth(root), text and (root / "etc/default/grub").read_bytes()
    assert grub_d.rival(settled(root), "isolcpus", OURS, "2-5") is None
    boot_tree.put(root, OURS, grub_d.compose(HEAD, [("isolcpus", "2-5"), ("nohz_full", "2-5")]))
    assert truth(root) == before + [("isolcpus", "2-5"), ("nohz_full", "2-5")]
    assert (text and (root / "etc/default/grub").read_bytes()) == bytes_before


def test_a_later_drop_in_that_replaces_everything_is_named(tmp_path):
    root = boot_tree.debian(tmp_path, **{"grub.d/99-vendor.cfg": '# why\nGRUB_CMDLINE_LINUX_DEFAULT=" iommu=pt"\n'})
    assert grub_d.rival(settled(root), "isolcpus", OURS, "2-5") == {
        "file": "/etc/default/grub.d/99-vendor.cfg", "line": 2, "key": DEFAULT, "value": None,
        "words": "/etc/default/grub.d/99-vendor.cfg:2 replaces GRUB_CMDLINE_LINUX_DEFAULT, so that what files before "
                 "it append is lost"}


@pytest.mark.parametrize(("value", "sign"), [("a=1 -- single", "--"), ("pci=a;b", ";")])
def test_what_ends_the_arguments_before_ours_is_named(value, sign, tmp_path):
    root = boot_tree.debian(tmp_path, grub="GRUB_TIMEOUT=1\nGRUB_CMDLINE_LINUX='%s'\n" % value)
    found = grub_d.rival(settled(root), "isolcpus", OURS, "2-5")
    assert (found["file"], found["line"], found["key"]) == ("/etc/default/grub", 2, sign)


@pytest.mark.parametrize("name", ["10-site.cfg", "99-site.cfg"])
def test_another_value_for_the_same_key_is_named_wherever_it_stands(name, tmp_path):
    text = '\nGRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT isolcpus=1,3"\n'
    root = boot_tree.debian(tmp_path, **{"grub.d/" + name: text})
    found = grub_d.rival(settled(root), "isolcpus", OURS, "2-5")
    assert (found["file"], found["line"]) == ("/etc/default/grub.d/" + name, 2)
    assert (found["key"], found["value"]) == ("isolcpus", "1,3")
    assert found["words"].endswith("gives isolcpus=1,3, and the kernel would get both")


def test_what_only_a_shell_can_tell_is_no_rival_of_a_known_value(tmp_path):
    text = 'if [ -x /bin/true ]; then GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT a=1"; fi\n' \
           'GRUB_CMDLINE_LINUX="isolcpus=$(cat /x)"\n'
    root = boot_tree.debian(tmp_path, **{"grub.d/99-odd.cfg": text.splitlines()[0] + "\n"})
    assert grub_d.rival(settled(root), "isolcpus", OURS, "2-5") is None
    boot_tree.put(root, "/etc/default/grub.d/99-odd.cfg", text)
    assert grub_d.rival(settled(root), "isolcpus", OURS, "2-5")["value"] is None


def test_a_file_that_no_shell_would_take_is_noted(tmp_path):
    root = boot_tree.debian(tmp_path)
    boot_tree.put(root, "/etc/default/grub.d/50-broken.cfg", 'GRUB_CMDLINE_LINUX_DEFAULT="quiet\n')
    host = Host(str(root))
    assert grub_d.rival(grub_d.others(host), "isolcpus", OURS, "2-5") is None
    assert host.notes == ["/etc/default/grub.d/50-broken.cfg: a quote that does not end: what it sets cannot be told"]


def test_a_repeatable_key_has_no_rivals(tmp_path):
    root = boot_tree.debian(tmp_path, grub='GRUB_CMDLINE_LINUX="console=ttyS0"\n')
    assert grub_d.rival(settled(root), "console", OURS, "tty0") is None


def test_what_the_kernel_would_cut_off_is_refused(tmp_path):
    root = boot_tree.debian(tmp_path)
    long = ",".join(str(cpu) for cpu in range(0, 1200, 2))
    found = grub_d.rival(settled(root), "isolcpus", OURS, long)
    assert "and the kernel keeps 2047" in found["words"]
    assert found["file"] == "/boot/grub/grub.cfg"


@pytest.mark.parametrize(("key", "value"), [
    ("isolcpus", "domain,managed_irq,2-3"), ("quiet", _cmdline.GIVEN), ("dyndbg", "file a.c +p"),
    ("pci", "config_acs=1x0@pci:0;2x0@pci:1"), ("memmap", "4G$8G"), ("a", "b`c\\d"),
])
def test_what_is_composed_is_parsed_and_a_shell_agrees(key, value, tmp_path):
    text = grub_d.compose(HEAD, [("isolated", "1"), (key, value)])
    assert grub_d.parse(text) == {"isolated": "1", key: value}
    root = boot_tree.debian(tmp_path, **{"grub.d/90-gpuwright-x.cfg": text})
    assert truth(root)[-1] == (key, value)


def test_a_drop_in_that_somebody_broke_holds_nothing():
    assert grub_d.parse('GRUB_CMDLINE_LINUX_DEFAULT="') == {}


def test_entries_for_recovery_do_not_count(tmp_path):
    root = boot_tree.debian(tmp_path, grub='GRUB_CMDLINE_LINUX_DEFAULT="isolcpus=2-5"\n')
    assert grub_d.generated(Host(str(root)), "isolcpus") == [(version, "2-5") for version in boot_tree.VERSIONS]
    boot_tree.put(root, "/boot/grub/grub.cfg", boot_tree.OTHERS)
    with pytest.raises(ValueError, match="no entry"):
        grub_d.generated(Host(str(root)), "isolcpus")


def test_a_generator_that_fails_is_named_in_its_own_words(tmp_path):
    host = boot_tree.Machine(str(boot_tree.debian(tmp_path)), read_only=False)
    host.fails = "update-grub"
    with pytest.raises(CommandNotRun, match="it does not work today"):
        grub_d.commit(host, [])


def test_what_others_have_changed_since_the_last_update_grub_is_said(tmp_path):
    root = boot_tree.debian(tmp_path, grub='GRUB_CMDLINE_LINUX_DEFAULT="quiet dyndbg=\\"file a.c +p\\""\n')
    host = Host(str(root))
    grub_d.others(host)
    assert host.notes == []
    boot_tree.put(root, "/etc/default/grub.d/70-site.cfg",
                  'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT iommu=pt"\n')
    boot_tree.put(root, OURS, grub_d.compose(HEAD, [("isolcpus", "2-5")]))
    grub_d.others(host)
    assert host.notes == ["/etc/default/grub.d/70-site.cfg:1 gives iommu, which /boot/grub/grub.cfg does not have yet: "
                          "the next update-grub brings it"]
