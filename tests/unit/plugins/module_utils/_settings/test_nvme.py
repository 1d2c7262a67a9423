# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role nvme through the whole engine on a stand-in host: round trips, clamps, order, renumbered and later drives."""

from __future__ import annotations

import json

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _result
from ansible_collections.gpuwright.node.plugins.module_utils._input import BadInput
from ansible_collections.gpuwright.node.plugins.module_utils._settings.catalogue import ROLES

from tests.sysroots import block_node, engine, plain_node
from tests.sysroots.block_node import OldQueues, Queues, mounted
from tests.sysroots.engine import statuses, steps

VALUES = {"queue/scheduler": "mq-deadline", "queue/max_sectors_kb": 4096, "queue/nr_requests": 512,
          "queue/wbt_lat_usec": 0, "queue/rq_affinity": 2, "queue/nomerges": 1, "queue/read_ahead_kb": 4096}
RULES = "etc/udev/rules.d/90-gpuwright-nvme.rules"
KERNELS = [Queues, OldQueues]


def plan(root, values=VALUES, kernel=Queues, devices=None, volumes=None, **request):
    return engine.plan(root, "nvme", values, kernel=kernel, **request,
                       options={"nvme_devices": devices, "nvme_volumes": volumes})


def apply(root, values=VALUES, kernel=Queues, devices=None, volumes=None, **request):
    return engine.apply(root, "nvme", values, kernel=kernel, **request,
                        options={"nvme_devices": devices, "nvme_volumes": volumes})


def queue(root, device, name):
    return (root / "sys/class/block" / device / "queue" / name).read_text().strip()


@pytest.fixture(name="root")
def fixture_root(tmp_path):
    return block_node.build(tmp_path, mounted("259:0", "/models"))


def test_the_values_are_those_of_every_row():
    assert [row.name for row in ROLES["nvme"].ROWS] == list(VALUES)


@pytest.mark.parametrize("kernel", KERNELS)
def test_every_row_goes_round(root, kernel):
    before = plain_node.snapshot(root)
    checked = _result.result(plan(root, kernel=kernel))
    assert plain_node.snapshot(root) == before
    made = apply(root, kernel=kernel)
    assert _result.failures(made) == [] and _result.result(made)["diff"] == checked["diff"]
    assert set(statuses(made).values()) == {"drift"} and len(made.steps) == 13
    again = apply(root, kernel=kernel)
    assert not again.due and set(statuses(again).values()) == {"ok"}
    assert engine.roll_back(root, kernel=kernel).errors == []
    assert plain_node.snapshot(root) == before


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("asked, held, becomes", [(4096, "128", "512"), ("max", "128", "512"), (256, "128", "256"),
                                                   (64, "128", "128")])
def test_a_size_is_limited_by_the_hardware_and_never_lowered(root, kernel, asked, held, becomes):
    values = {"queue/max_sectors_kb": asked}
    made = apply(root, values, kernel=kernel)
    assert _result.failures(made) == [] and queue(root, "nvme0n1", "max_sectors_kb") == becomes
    again = apply(root, values, kernel=kernel)
    assert not again.due
    assert steps(again)["nvme0n1/queue/max_sectors_kb"]["running"] == "%s of at most 512" % becomes
    assert engine.roll_back(root, kernel=kernel).errors == []
    assert queue(root, "nvme0n1", "max_sectors_kb") == held


def test_a_clamp_is_named_in_a_finding_not_in_an_error(root):
    made = apply(root, {"queue/max_sectors_kb": 4096})
    words = [one["message"] for one in made.findings if one["rule"] == "clamp"]
    assert len(words) == 2 and "4096 is asked for, and its hardware's limit is 512" in words[0]


def test_read_ahead_is_rounded_down_to_pages_and_stays_with_its_volume(root):
    made = apply(root, {"queue/read_ahead_kb": 4099})
    assert statuses(made) == {"nvme0n1/queue/read_ahead_kb": "drift"}
    assert queue(root, "nvme0n1", "read_ahead_kb") == "4096" and queue(root, "nvme1n1", "read_ahead_kb") == "128"
    assert not apply(root, {"queue/read_ahead_kb": 4099}).due


def test_pages_of_64_kb_are_known(root):
    plain_node.put(root, "/proc/self/smaps", "0-1 r--p 0 0:0 0\nSize:  64 kB\nKernelPageSize:       64 kB")

    class Large(Queues):
        page_kb = 64
    values = {"queue/read_ahead_kb": 4100}
    assert _result.failures(apply(root, values, kernel=Large)) == []
    assert not apply(root, values, kernel=Large).due and queue(root, "nvme0n1", "read_ahead_kb") == "4096"


@pytest.mark.parametrize("values", [VALUES, {"queue/max_sectors_kb": 8192}])
def test_other_writes_leave_read_ahead_as_it_shall_be(root, values):
    """The kernel raises it with every limit on a disk that says it rotates, as virtual ones do."""
    made = apply(root, values, devices=["vda"], volumes=["/"])
    assert _result.failures(made) == [] and queue(root, "vda", "max_sectors_kb") >= "4096"
    assert queue(root, "vda", "read_ahead_kb") == str(values.get("queue/read_ahead_kb", 128))
    assert engine.roll_back(root, kernel=Queues).errors == []
    assert [queue(root, "vda", name) for name in ("scheduler", "max_sectors_kb", "nr_requests", "read_ahead_kb")] == [
        "none [mq-deadline] kyber", "128", "256", "128"]


def test_originals_come_back_scheduler_first(root):
    """A scheduler brings a number of requests of its own, which would undo the original one."""
    plain_node.put(root, "/sys/class/block/nvme0n1/queue/nr_requests", "900")
    apply(root, {"queue/scheduler": "mq-deadline", "queue/nr_requests": 100})
    assert engine.roll_back(root, kernel=Queues).errors == []
    assert (queue(root, "nvme0n1", "scheduler"), queue(root, "nvme0n1", "nr_requests")) == (
        "[none] mq-deadline kyber", "900")


def test_another_scheduler_leaves_the_requests_that_were_asked_for(root):
    apply(root, {"queue/scheduler": "mq-deadline", "queue/nr_requests": 100})
    for scheduler in ("none", None):
        assert _result.failures(apply(root, {"queue/scheduler": scheduler, "queue/nr_requests": 100})) == []
        assert queue(root, "nvme0n1", "nr_requests") == "100"
        assert not apply(root, {"queue/scheduler": scheduler, "queue/nr_requests": 100}).due
    apply(root, {"queue/scheduler": "kyber"})
    assert queue(root, "nvme0n1", "nr_requests") == "1023"


def test_a_drive_that_is_plugged_in_later_is_ok_by_the_rule(root):
    values = {"queue/scheduler": "mq-deadline"}
    apply(root, values)
    text = (root / RULES).read_text()
    assert 'KERNEL=="nvme[0-9]*n[0-9]*", ENV{DEVTYPE}=="disk", ATTR{queue/scheduler}="mq-deadline"\n' in text
    block_node.drive(root, 2, scheduler="none [mq-deadline] kyber", nr_requests="256")
    made = apply(root, values)
    assert not made.due and statuses(made)["nvme2n1/queue/scheduler"] == "ok"


def test_named_drives_are_named_in_the_rule_by_what_they_are(root):
    apply(root, {"queue/scheduler": "mq-deadline"}, devices=["nvme1n1"])
    text = (root / RULES).read_text()
    assert 'ATTR{wwid}=="eui.0000000000000001", ATTR{queue/scheduler}="mq-deadline"\n' in text
    assert "KERNEL" not in text and queue(root, "nvme0n1", "scheduler").startswith("[none]")


def test_values_that_differ_are_given_to_each_drive(root):
    values = {"queue/scheduler": {"nvme0n1": "kyber", "nvme1n1": None}, "queue/nomerges": {"nvme0n1": 1, "nvme1n1": 2}}
    assert _result.failures(apply(root, values)) == []
    made = apply(root, values)
    assert not made.due and set(statuses(made)) == {
        "nvme0n1/queue/scheduler", "nvme0n1/queue/nomerges", "nvme1n1/queue/nomerges"}
    text = (root / RULES).read_text()
    assert "KERNEL" not in text and text.count("ACTION") == 3


def test_after_a_boot_that_renamed_the_drives_each_gets_its_own_back(root):
    """The journal knows them by what they are."""
    plain_node.put(root, "/sys/class/block/nvme0n1/queue/nr_requests", "700")
    apply(root, {"queue/nr_requests": 100})
    for one, other in (("nvme0n1", "nvme1n1"),):
        links = [root / "sys/class/block" / name for name in (one, other)]
        targets = [place.readlink() for place in links]
        for place, target in zip(links, reversed(targets)):
            place.unlink()
            place.symlink_to(target)
    assert engine.roll_back(root, kernel=Queues).errors == []
    assert (queue(root, "nvme0n1", "nr_requests"), queue(root, "nvme1n1", "nr_requests")) == ("1023", "700")


def test_a_drive_that_is_gone_does_not_keep_a_rollback_from_its_end(root):
    apply(root, {"queue/nr_requests": 100})
    (root / "sys/class/block/nvme1n1").unlink()
    made = engine.roll_back(root, kernel=Queues)
    assert made.errors == [] and statuses(made)["nvme1n1/queue/nr_requests"] == "not_applicable"
    assert not (root / RULES).exists() and not engine.roll_back(root, kernel=Queues).due


def test_throttling_that_is_no_longer_in_use_is_nothing_to_give_back(root):
    apply(root, {"queue/wbt_lat_usec": 0})
    for name in ("nvme0n1", "nvme1n1"):
        plain_node.put(root, "/sys/class/block/%s/queue/wbt_lat_usec" % name, block_node.UNREADABLE)
    made = engine.roll_back(root, kernel=Queues)
    assert made.errors == [] and set(statuses(made).values()) == {"not_applicable"}


def test_more_requests_than_a_drive_has_is_an_error_in_words_and_stays_in_no_file(root):
    made = apply(root, {"queue/nr_requests": 2048, "queue/nomerges": 1})
    errors = [step["error"] for step in made.steps if "error" in step]
    assert len(errors) == 2 and "a drive without a scheduler has no more requests" in errors[0]
    assert "nr_requests" not in (root / RULES).read_text()


def test_what_has_no_scheduler_is_told_so_and_not_written(root):
    block_node.array(root, parts=("nvme0n1",))
    made = apply(root, {"queue/scheduler": "kyber", "queue/wbt_lat_usec": 0}, devices=["md127"])
    assert statuses(made) == {"md127/queue/scheduler": "not_applicable", "md127/queue/wbt_lat_usec": "not_applicable"}
    assert steps(made)["md127/queue/scheduler"]["reason"] == "this kernel offers none"
    assert "not in use there" in steps(made)["md127/queue/wbt_lat_usec"]["reason"]
    assert _result.failures(made) == []


@pytest.mark.parametrize("values, devices, volumes, words", [
    ({"queue/scheduler": "none"}, ["nvme0n2"], None, "there is no nvme0n2 here; did you mean nvme0n1?"),
    ({"queue/read_ahead_kb": 1}, None, ["/model"], "there is no /model here; did you mean /models?"),
    ({"queue/read_ahead_kb": {"/model": 1}}, None, None, "/model is none of its volumes here; did you mean /models?"),
    ({"queue/scheduler": {"nvme7n1": "none"}}, None, None, "nvme7n1 is none of its devices here"),
    ({"queue/scheduler": "none"}, ["/models"], None, "nvme_devices: /models is a mount point, not a block device"),
    ({"queue/read_ahead_kb": 1}, None, ["eth0"], "eth0 is a network interface, not a block device or a mount point"),
    ({"queue/scheduler": "noop"}, None, None, "one of none, mq-deadline, kyber, bfq"),
    ({"queue/scheduler": False}, None, None, "YAML reads an unquoted"),
    ({"queue/max_sectors_kb": "most"}, None, None, "an integer of 4 or more, or max"),
    ({"queue/wbt_lat_usec": -2}, None, None, "-1 or more"),
    ({"queue/rq_affinity": 3}, None, None, "from 0 to 2"),
    ({"queue/read_ahead_kb": "4M"}, None, None, "an integer from 0")])
def test_bad_input_is_refused_before_anything_is_written(root, values, devices, volumes, words):
    plain_node.put(root, "/sys/class/net/eth0/mtu", "1500")
    before = plain_node.snapshot(root)
    with pytest.raises(BadInput) as caught:
        apply(root, values, devices=devices, volumes=volumes)
    assert words in str(caught.value)
    assert plain_node.snapshot(root) == before


def test_a_value_that_goes_takes_its_lines_along(root):
    apply(root, {"queue/nomerges": 1, "queue/rq_affinity": 2})
    made = apply(root, {"queue/nomerges": 1, "queue/rq_affinity": None})
    assert _result.failures(made) == [] and queue(root, "nvme0n1", "rq_affinity") == "1"
    assert "rq_affinity" not in (root / RULES).read_text() and queue(root, "nvme0n1", "nomerges") == "1"


def test_a_kill_at_any_moment_loses_nothing(tmp_path):
    for count in range(0, 1000, 7):
        root = block_node.build(tmp_path / str(count), mounted("259:0", "/models"))
        before = plain_node.snapshot(root)
        if not engine.killed_at(count, apply, root):
            break
        if count % 2:
            assert _result.failures(apply(root)) == [], count
            assert set(statuses(plan(root)).values()) == {"ok"}, count
        assert engine.roll_back(root, kernel=Queues).errors == [], count
        after = {path: what for path, what in plain_node.snapshot(root).items() if "/run/gpuwright" not in path
                 and not path.endswith(".gpuwright-new")}
        assert after == before, count
    assert count > 60


def test_the_journal_names_a_drive_by_what_it_is(root):
    apply(root, {"queue/nomerges": 1})
    entries = json.loads((root / "var/lib/gpuwright/journal.json").read_text())["entries"]
    assert entries["udev_attribute:nvme0n1/queue/nomerges"]["path"] == (
        '/sys/class/block/nvme0n1/queue/nomerges#ATTR{wwid}=="eui.0000000000000000"')


def test_which_drive_is_which_is_found_out_once_a_plan(root):
    """Each identity takes a look at all drives: with 30 of them and every row it would be seconds."""
    for number in range(2, 9):
        block_node.drive(root, number)
    read = []

    class Watched(Queues):
        def read(self, path):
            read.append(path)
            return super().read(path)
    plan(root, kernel=Watched)
    assert read.count("/sys/class/block/nvme5n1/wwid") == 9
