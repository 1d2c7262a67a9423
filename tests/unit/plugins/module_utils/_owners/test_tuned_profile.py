# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Merged tuned profiles, beside what tuned's own loader made of the same files."""

from __future__ import annotations

import json
import pathlib
import shutil

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._owners import tuned_profile

CAPTURES = pathlib.Path(__file__).parents[4] / "captures" / "tuning"
EXPECTED = json.loads((CAPTURES / "expected.json").read_text())
LOOKED_AT = ("sysctl", "vm", "sysfs")


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """A root with every captured profile."""
    root = tmp_path_factory.mktemp("machine")
    for family in ("tuned", "nvidia-tuned"):
        shutil.copytree(CAPTURES / family, root / "usr/lib/tuned/profiles", dirs_exist_ok=True)
    (root / "etc/tuned").mkdir(parents=True)
    for variables in CAPTURES.glob("tuned/*/*-variables.conf"):
        shutil.copy(variables, root / "etc/tuned")
    return Host(str(root))


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_same_as_tuned_itself(machine, name):
    units, variables = tuned_profile.load(machine, [name])

    def expanded(text):
        return text and tuned_profile.expand(text, variables)
    mine = {unit["name"]: {
        "type": unit["type"], "enabled": unit["enabled"], "uname": expanded(unit["uname_regex"]),
        "cpu": expanded(unit["cpuinfo_regex"]),
        "options": {option: expanded(text) for option, (text, _path) in unit["options"].items()},
    } for unit in units if unit["type"] in LOOKED_AT}
    assert mine == EXPECTED[name]
    assert {unit: list(mine[unit]["options"]) for unit in mine} == {
        unit: list(said["options"]) for unit, said in EXPECTED[name].items()}


def test_every_capture_is_expected():
    names = {path.parent.name for path in CAPTURES.glob("*/*/tuned.conf")}
    assert names == set(EXPECTED) and len(names) == 24


def put(root, path, text):
    place = root / path.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)


def profile(root, name, text, folder="/usr/lib/tuned"):
    put(root, "%s/%s/tuned.conf" % (folder, name), text)


def options(root, *names):
    units, variables = tuned_profile.load(Host(str(root)), list(names))
    return {unit["name"]: {option: tuned_profile.expand(text, variables)
                           for option, (text, _path) in unit["options"].items()} for unit in units}


def test_a_nearer_folder_hides_a_profile_and_can_include_the_hidden_one(tmp_path):
    profile(tmp_path, "base", "[sysctl]\na=1\nb=1\n")
    profile(tmp_path, "base", "[main]\ninclude=base\n[sysctl]\nb=2\n", "/etc/tuned")
    assert options(tmp_path, "base") == {"sysctl": {"a": "1", "b": "2"}}


def test_replace_drop_and_type(tmp_path):
    profile(tmp_path, "base", "[sysctl]\na=1\nb=1\n[x]\ntype=sysfs\n/sys/a=1\n[vm]\ntransparent_hugepages=always\n")
    profile(tmp_path, "top", "[main]\ninclude = base , -absent\n[sysctl]\ndrop=a, c\nd=1\n[x]\nreplace=1\n"
                             "type=sysfs\n/sys/b=2\n[vm]\nenabled=0\n")
    assert options(tmp_path, "top") == {"sysctl": {"b": "1", "d": "1"}, "x": {"/sys/b": "2"},
                                        "vm": {"transparent_hugepages": "always"}}
    units, variables = tuned_profile.load(Host(str(tmp_path)), ["top"])
    assert {unit["name"]: tuned_profile.applies(Host(str(tmp_path)), unit, variables) for unit in units} == {
        "sysctl": True, "x": True, "vm": False}


def test_priority_orders_the_units(tmp_path):
    profile(tmp_path, "p", "[late]\npriority=5\n[early]\npriority=-5\n[usual]\n")
    assert list(options(tmp_path, "p")) == ["early", "usual", "late"]


def test_variables(tmp_path):
    put(tmp_path, "/etc/tuned/site.conf", "size = 7\nempty\n[more]\nfrom_section=8\n")
    profile(tmp_path, "p", "[variables]\ninclude=/etc/tuned/site.conf\nb=${size}1\nfar=${f:exec:hostname}\n[sysctl]\n"
                           "a=${b}\nc=\\${b}\nd=${far}0\ne=${nowhere}\nf=${from_section} # comment\n"
                           "g=${i:PROFILE_DIR}/x\n")
    assert options(tmp_path, "p") == {"sysctl": {"a": "71", "c": "${b}", "d": None, "e": None, "f": "8",
                                                 "g": "/usr/lib/tuned/p/x"}}


@pytest.mark.parametrize("flags, chosen", [("fpu vme", {"metal": {}}), ("fpu hypervisor lahf_lm", {"guest": {}})])
def test_a_profile_for_guests(tmp_path, flags, chosen):
    put(tmp_path, "/proc/cpuinfo", "processor : 0\nflags\t\t: %s\n" % flags)
    profile(tmp_path, "a", "[guest]\n")
    profile(tmp_path, "b", "[metal]\n")
    profile(tmp_path, "p", "[main]\ninclude=${f:virt_check:a:b}\n")
    assert options(tmp_path, "p") == chosen


def test_later_profiles_prepend_variables(tmp_path):
    profile(tmp_path, "base", "[variables]\nb=${a}\n[sysctl]\nx=${b}\n")
    profile(tmp_path, "top", "[main]\ninclude=base\n[variables]\nprepend=1\na=5\n")
    assert options(tmp_path, "top") == {"sysctl": {"x": "5"}}


def test_regular_expressions_of_a_unit(tmp_path):
    put(tmp_path, "/proc/cpuinfo", "processor : 0\nvendor_id : AuthenticAMD\nmodel name : AMD EPYC\n")
    put(tmp_path, "/proc/sys/kernel/osrelease", "6.8.0-nvidia\n")
    profile(tmp_path, "p", "[a]\ncpuinfo_regex=^model name.*AMD\n[b]\ncpuinfo_regex=Intel\n[c]\nuname_regex=x86_64\n"
                           "[d]\nuname_regex=aarch64\n[e]\nuname_regex=nvidia\ncpuinfo_regex=Intel\n"
                           "[f]\nuname_regex=(\n")
    host = Host(str(tmp_path))
    units, variables = tuned_profile.load(host, ["p"])
    assert [unit["name"] for unit in units if tuned_profile.applies(host, unit, variables)] == ["a", "c"]


@pytest.mark.parametrize("text, words", [
    ("[main]\ninclude=absent\n", "absent"), ("nonsense\n", "tuned.conf"), ("[main]\ninclude=${f:exec:x}\n", "include"),
    ("[sysctl]\nno value\n", "tuned.conf")])
def test_what_tuned_would_refuse(tmp_path, text, words):
    profile(tmp_path, "p", text)
    with pytest.raises(tuned_profile.BrokenProfile, match=words):
        tuned_profile.load(Host(str(tmp_path)), ["p"])


def test_where_profiles_lie(tmp_path):
    host = Host(str(tmp_path))
    assert tuned_profile.user_folder(host) == "/etc/tuned"
    profile(tmp_path, "p", "", "/usr/lib/tuned/profiles")
    assert tuned_profile.user_folder(host) == "/etc/tuned/profiles"
    put(tmp_path, "/etc/tuned/tuned-main.conf", "daemon = 1\nprofile_dirs = /opt/a, /opt/b\n")
    assert tuned_profile.folders(Host(str(tmp_path))) == ("/opt/b", "/opt/a")
    assert tuned_profile.user_folder(Host(str(tmp_path))) == "/opt/b"


@pytest.mark.parametrize("place, version, known", [
    ("python3/dist-packages", "TUNED_VERSION_MAJOR = 2\nTUNED_VERSION_MINOR = 20\n", True),
    ("python3.9/site-packages", "TUNED_VERSION_MAJOR = 2\nTUNED_VERSION_MINOR = 12\n", False),
    ("python3.9/site-packages", "nothing", False)])
def test_drop_needs_2_13(tmp_path, place, version, known):
    put(tmp_path, "/usr/lib/%s/tuned/version.py" % place, version)
    assert tuned_profile.has_drop(Host(str(tmp_path))) is known
