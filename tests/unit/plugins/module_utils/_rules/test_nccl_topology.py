# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rules on the file that tells NCCL the topology ("nccl-topology")."""

from __future__ import annotations

import pathlib
import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive import nccl_topology
from ansible_collections.gpuwright.node.plugins.module_utils._guard import View
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._rules import nccl_topology as rules

from tests.sysroots import eight_gpu, flat_vm
from tests.sysroots.plain_node import put
from tests.sysroots.roce_node import conf, job, messages

P4D = (pathlib.Path(__file__).resolve().parents[4] / "captures/nccl-topo-xml/aws-p4d-24xl-topo/topo.xml").read_text()
FILE = "/opt/topo.xml"
LOST = "virtual machine (amazon): no PCI switch is there to see above its 8 GPUs and 4 RDMA devices"


@pytest.fixture(name="virtual")
def fixture_virtual(tmp_path):
    return flat_vm.build(tmp_path, P4D)


@pytest.fixture(name="metal")
def fixture_metal(tmp_path):
    root = eight_gpu.build(tmp_path)
    put(root, "/sys/class/dmi/id/sys_vendor", "Dell Inc.")
    put(root, "/sys/class/dmi/id/product_name", "PowerEdge XE9680")
    return root


def view(root, text=None, steps=(), **options):
    """What the rules look at; with a text, the file is asked for."""
    steps = list(steps) + ([] if text is None else [{"name": rules.ROW, "_force": text, "status": "drift"}])
    return View(types.SimpleNamespace(steps=steps, host=Host(str(root)), journal={"entries": {}}), options)


def told(rule, root, text=None, **options):
    found = rule(view(root, text, **options))
    assert {one["setting"] for one in found} <= ({rules.ROW} if rule is rules.declared else {None, rules.VARIABLE})
    return messages(found, "nccl-topology")


def ours(root):
    return nccl_topology.xml(flat_vm.fact(root), flat_vm.switches(P4D))


# -- what is declared --------------------------------------------------------------------------------------------------


def test_switches_of_a_virtual_machine_may_be_declared(virtual):
    options = {rules.OPTION: flat_vm.switches(P4D)}
    assert told(rules.declared, virtual) == []
    assert told(rules.declared, virtual, ours(virtual), **options) == []


@pytest.mark.parametrize("text, options, what", [
    (None, {rules.OPTION: [{"gpus": [0]}]}, "nccl_env_pcie_switches says"), (P4D, {}, "nccl-topo.xml says")])
def test_on_bare_metal_neither_switches_nor_a_file_may(metal, text, options, what):
    (severity, message), = told(rules.declared, metal, text, **options)
    assert severity == "E" and message.startswith(what)
    assert "this is no virtual machine: NCCL finds them itself, and a file could only be wrong. Unset it" in message
    assert told(rules.declared, metal) == []


def test_a_virtual_machine_that_shows_its_switches_is_no_better(metal):
    for name in ("sys_vendor", "product_name"):
        put(metal, "/sys/class/dmi/id/" + name, "QEMU")
    text = (metal / "proc/cpuinfo").read_text()
    put(metal, "/proc/cpuinfo", text.replace("model name", "flags\t\t: fpu hypervisor\nmodel name"))
    (severity, message), = told(rules.declared, metal, **{rules.OPTION: [{"gpus": [0]}]})
    assert severity == "E" and "the switch above GPU 0 and mlx5_0 is there to see" in message
    assert told(rules.hidden, metal) == []


def test_the_platforms_own_file_is_enough(virtual):
    put(virtual, rules.DEFAULT, P4D)
    (severity, message), = told(rules.declared, virtual, ours(virtual), **{rules.OPTION: [{"gpus": [0]}]})
    assert severity == "E" and "so does /var/run/nvidia-topologyd/virtualTopology.xml" in message
    assert told(rules.hidden, virtual) == []


def test_a_file_of_the_operators_is_one_that_nccl_reads(virtual):
    (severity, message), = told(rules.declared, virtual, '<?xml version="1.0"?>\n' + P4D)
    assert (severity, message) == ("E", "NCCL could not read it: line 1: a declaration, <?xml: NCCL takes none")


# -- what nobody tells NCCL --------------------------------------------------------------------------------------------


def test_hidden_switches_that_nobody_declares_are_a_warning(virtual):
    (severity, message), = told(rules.hidden, virtual)
    assert severity == "W" and message.startswith(LOST + ". NCCL takes every GPU to be as far from every NIC")
    assert message.endswith("the platform's maker can say: declare it in nccl_env_pcie_switches")
    assert told(rules.hidden, virtual, **{rules.OPTION: flat_vm.switches(P4D)}) == []
    assert told(rules.hidden, virtual, ours(virtual)) == []


def test_bare_metal_hides_nothing(metal):
    assert told(rules.hidden, metal) == []


@pytest.mark.parametrize("path, severity, words", [
    ("/opt/microsoft/ndv4-topo.xml", "W", "NCCL_TOPO_FILE=/opt/microsoft/ndv4-topo.xml tells it: that file came with"),
    ("/opt/microsoft/ndv5/topo.xml", "W", "NCCL_TOPO_FILE=/opt/microsoft/ndv5/topo.xml tells it"),
    ("/opt/amazon/ofi-nccl/share/aws-ofi-nccl/xml/p4d-24xl-topo.xml", "I", "aws-ofi-nccl sets NCCL_TOPO_FILE to it")])
def test_the_images_own_file_is_named_if_it_is_of_this_machine(virtual, path, severity, words):
    put(virtual, path, P4D.replace("0000:10:1c.0", "0000:11:1c.0"))
    assert "declare it in" in told(rules.hidden, virtual)[0][1], "that is another machine"
    put(virtual, path, P4D)
    (found, message), = told(rules.hidden, virtual)
    assert found == severity and words in message and path in message


def test_a_file_that_somebody_sets_is_enough_if_it_fits(virtual):
    conf(virtual, "NCCL_TOPO_FILE=" + FILE)
    assert len(told(rules.hidden, virtual)) == 1, "it is not there"
    put(virtual, FILE, P4D)
    assert told(rules.hidden, virtual) == told(rules.file_here, virtual) == []
    put(virtual, FILE, "<system")
    assert len(told(rules.hidden, virtual)) == 1


# -- what a file says --------------------------------------------------------------------------------------------------


def said(root, text, path=FILE, **options):
    """What is said of a file that /etc/nccl.conf names."""
    conf(root, "NCCL_TOPO_FILE=" + path)
    if text is not None:
        put(root, path, text)
    found = told(rules.file_here, root, **options)
    assert all(message.startswith("/etc/nccl.conf:1: NCCL_TOPO_FILE=%s: " % path) for _severity, message in found)
    return found


def test_no_file_is_nothing_to_say(virtual):
    assert told(rules.file_here, virtual) == []
    conf(virtual, "NCCL_DEBUG=WARN")
    assert told(rules.file_here, virtual) == []


def test_on_bare_metal_a_file_comes_before_what_is_there(metal):
    (severity, message), = said(metal, P4D)
    assert severity == "W" and message.endswith("this is no virtual machine, so that NCCL finds PCI switches and NUMA "
                                                "nodes itself: with a file it does not. Unset it")


def test_in_a_container_nobody_knows_what_is_below(metal):
    put(metal, "/.dockerenv", "")
    assert "so that NCCL finds" not in said(metal, P4D)[0][1]


def test_a_file_that_is_not_there_is_passed_over_in_silence(virtual):
    (severity, message), = said(virtual, None)
    assert severity == "W" and "it is not there: NCCL says so in a line of its log at most" in message
    assert "without /var/run/nvidia-topologyd/virtualTopology.xml too" in message
    (virtual / FILE[1:]).mkdir(parents=True)
    assert "it is not readable" in said(virtual, None)[0][1]


@pytest.mark.parametrize("path", ["opt/topo.xml", ""])
def test_a_relative_path_is_another_file_for_each_process(virtual, path):
    (severity, message), = said(virtual, None, path)
    assert severity == "W" and "a relative path" in message


@pytest.mark.parametrize("text, words", [
    ('<?xml version="1.0"?>\n' + P4D, "line 1: a declaration"), (P4D.replace("    <pci", "\t<pci"), "a tab where"),
    (P4D[:900], "it ends too early"), (P4D.replace('version="1"', 'version="7"'), "has the version 7"),
])
def test_a_file_that_nccl_cannot_read_ends_every_communicator(virtual, text, words):
    (severity, message), = said(virtual, text)
    assert severity == "E" and "NCCL cannot read it, and every communicator fails: " in message and words in message


@pytest.mark.parametrize("text, words", [
    (P4D.replace("0000:10:1c.0", "0000:11:1c.0"), "0000:11:1c.0 is not here, GPU 0 (0000:10:1c.0) is not in it"),
    (P4D.replace("0000:a0:1b.0", "0000:A0:1B.0"), "0000:A0:1B.0 is not here: NCCL compares letter by letter"),
    (P4D.replace("0000:10:1b.0", "0000:20:1b.0"), "0000:20:1b.0 is in it twice"),
    ("<!-- nothing -->", "it has no <system>, and so says nothing"),
])
def test_a_file_of_another_machine_is_a_warning(virtual, text, words):
    (severity, message), = said(virtual, text)
    assert severity == "W" and words in message


def test_a_file_may_leave_the_gpus_to_nccl(virtual):
    """As that of p5.48xlarge, which has no classes."""
    text = '<system version="1">\n  <cpu numaid="0">\n    <pci busid="0000:10:1b.0"/>\n  </cpu>\n</system>\n'
    assert said(virtual, text) == []


def test_our_own_file_is_judged_by_what_it_will_be(virtual):
    put(virtual, rules.OURS, "<old")
    conf(virtual, "NCCL_TOPO_FILE=" + rules.OURS)
    assert told(rules.file_here, virtual, ours(virtual)) == []
    assert told(rules.file_here, virtual)[0][0] == "E"


def test_a_container_has_files_of_its_own(virtual):
    put(virtual, FILE, P4D)
    job(virtual, 70, holds="/dev/nvidia0", NCCL_TOPO_FILE=FILE)
    for pid, namespace in ((1, "mnt:[1]"), (70, "mnt:[2]")):
        place = virtual / ("proc/%d/ns/mnt" % pid)
        place.parent.mkdir(parents=True)
        place.symlink_to(namespace)
    assert told(rules.file_here, virtual) == [], "only root may look"
    (virtual / "proc/70/root").mkdir()
    (severity, message), = told(rules.file_here, virtual)
    assert severity == "W" and message.startswith("process 70 (python3): NCCL_TOPO_FILE=%s: it is not there" % FILE)
    put(virtual, "/proc/70/root" + FILE, P4D)
    assert told(rules.file_here, virtual) == []


def test_each_file_is_judged_once_with_all_who_name_it(virtual):
    conf(virtual, "NCCL_TOPO_FILE=" + FILE)
    put(virtual, "/etc/environment", "NCCL_DEBUG=INFO")
    conf(virtual, "NCCL_TOPO_FILE=" + FILE, path="/root/.nccl.conf")
    (_severity, message), = told(rules.file_here, virtual)
    assert message.startswith("/etc/nccl.conf:1, /root/.nccl.conf:1: NCCL_TOPO_FILE=")


def asked(name, value, status="drift"):
    """A step of the file for every job."""
    return {"name": name, "kind": "nccl_conf", "_force": value, "status": status}


def test_what_the_image_said_goes_with_its_file(virtual):
    """Where /etc/nccl.conf becomes ours, only what the role sets is in it."""
    put(virtual, FILE, P4D)
    conf(virtual, "NCCL_TOPO_FILE=" + FILE)
    assert told(rules.hidden, virtual, steps=[asked("NCCL_DEBUG", "WARN", "conflict")]) == []
    ((severity, _message),) = told(rules.hidden, virtual, steps=[asked("NCCL_DEBUG", "WARN")])
    assert severity == "W"
    assert told(rules.hidden, virtual, steps=[asked("NCCL_DEBUG", "WARN"), asked(rules.VARIABLE, FILE)]) == []
    put(virtual, FILE, "<system")
    assert told(rules.file_here, virtual, steps=[asked("NCCL_DEBUG", "WARN")]) == []


@pytest.mark.parametrize("text, severity, setting", [(None, "W", None), ("<system", "E", rules.VARIABLE)])
def test_a_file_that_the_role_is_to_name_is_read_first(virtual, text, severity, setting):
    if text:
        put(virtual, FILE, text)
    found, = rules.file_here(view(virtual, steps=[asked(rules.VARIABLE, FILE)]))
    assert (found["severity"], found["setting"]) == (severity, setting)
    assert found["message"].startswith("role nccl_env: NCCL_TOPO_FILE=%s: " % FILE)
    assert told(rules.file_here, virtual, steps=[asked(rules.VARIABLE, FILE, "conflict")]) == []
