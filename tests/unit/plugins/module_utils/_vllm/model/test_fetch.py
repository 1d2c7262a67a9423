# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Model files on a bad way: broken connections, wrong bytes, kills; what is shown is whole, and a run goes on."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Locked

from tests.sysroots import model_hub
from tests.sysroots.model_node import SHARD, Node, folder, instance, killed_at, refused, run, whole
from tests.sysroots.plain_node import snapshot


def test_a_connection_that_breaks_goes_on_where_it_broke(root, hub):
    hub.cut = {SHARD: [1000, 70_000]}
    run(root, instance({"hub": hub.url}))
    assert whole(root)
    assert [one["range"] for one in hub.fetched(SHARD) if one["server"] == "cdn"] == [
        None, "bytes=1000-", "bytes=71000-"]


def test_a_server_without_ranges_sends_all_again(root, hub):
    hub.cut, hub.ranges = {SHARD: [1000, 0, 5]}, False
    run(root, instance({"hub": hub.url}))
    assert whole(root)
    assert len([one for one in hub.fetched(SHARD) if one["server"] == "cdn"]) == 4, "not once more for a wrong checksum"


def test_a_server_that_gives_nothing_is_given_up_and_gone_on_with_later(root, hub):
    hub.cut = {SHARD: [30_000] + [0] * 20}
    said = refused(root, instance({"hub": hub.url}))
    assert "the connection ended" in said and "goes on there" in said
    assert not folder(root).exists()
    hub.cut.clear()
    hub.asked.clear()
    run(root, instance({"hub": hub.url}))
    assert whole(root)
    assert [one["range"] for one in hub.fetched(SHARD) if one["server"] == "cdn"] == ["bytes=30000-"]
    assert len(hub.fetched(".safetensors")) == 2, "only what was missing, once by way of the hub"


def test_a_busy_server_is_asked_again_after_the_time_that_it_says(root, hub):
    hub.status = {SHARD: [429, 503]}
    node = Node(str(root), read_only=False)
    run(root, instance({"hub": hub.url}), node=node)
    assert whole(root) and node.waited == (1, 1)


def test_wrong_bytes_are_never_shown(root, hub):
    hub.wrong = {SHARD}
    said = refused(root, instance({"hub": hub.url}))
    assert SHARD in said and "twice" in said
    assert not folder(root).exists()
    assert len([one for one in hub.fetched(SHARD) if one["server"] == "cdn"]) == 2
    hub.wrong = set()
    run(root, instance({"hub": hub.url}))
    assert whole(root)


def test_wrong_bytes_of_a_small_file_are_found_by_the_sum_of_git(root, hub):
    hub.wrong = {"config.json"}
    assert "config.json" in refused(root, instance({"hub": hub.url}))


def test_no_room_is_said_with_the_numbers_before_anything_is_fetched(root, hub):
    before = snapshot(root)
    said = refused(root, instance({"hub": hub.url}), reserve=10 ** 18)
    assert "200.5 kB" in said and "1000000.0 TB to stay free" in said and "too few" in said
    assert snapshot(root) == before and hub.fetched() == []


def test_the_time_limit_keeps_what_came(root, hub):
    class Hurried(Node):
        """A node on which a second passes whenever it is asked for the time."""

        at = 0

        def now(self):
            """The next second."""
            self.at += 1
            return self.at
    said = refused(root, instance({"hub": hub.url}), seconds=4, node=Hurried(str(root), read_only=False))
    assert "time limit" in said
    assert not folder(root).exists()
    run(root, instance({"hub": hub.url}))
    assert whole(root)


def test_a_second_run_waits_for_the_first_until_its_own_time_is_over(root, hub):
    class Patient(Node):
        """A node on which time passes while it waits."""

        def now(self):
            """Seconds waited."""
            return sum(self.waited)
    seen = []

    def second(path):
        if path.endswith(SHARD) and not seen:
            seen.append(Patient(str(root), read_only=False))
            with pytest.raises(Locked, match="staging of llama"):
                run(root, instance({"hub": hub.url}), node=seen[0], seconds=60)
            seen.append("locked")
    hub.before = second
    run(root, instance({"hub": hub.url}))
    assert seen[1] == "locked" and sum(seen[0].waited) == 60 and whole(root)


def test_two_nodes_that_share_a_volume_bring_a_model_once(root, hub):
    """The second looks while nothing is there, waits while the first one brings it, and finds it there."""
    class Second(Node):
        """It has its turn when the first one is done."""

        def wait(self, seconds):
            """The first one goes on."""
            super().wait(seconds)
            first.join(60)
    reached, go_on = threading.Event(), threading.Event()

    def before(path):
        if path.endswith(SHARD):
            reached.set()
            go_on.wait(60)
    hub.before = before
    first = threading.Thread(target=run, args=(root, instance({"hub": hub.url})))
    first.start()
    assert reached.wait(60)
    node = Second(str(root), read_only=False)
    node.only_one = lambda path, owner: go_on.set() or Node.only_one(node, path, owner)
    done = run(root, instance({"hub": hub.url}), node=node)
    assert node.waited and whole(root) and done["models"][0]["state"] == "there"
    assert len(hub.fetched("config.json")) == 1


@pytest.mark.parametrize("kind", ["hub", "repair", "url"])
def test_a_kill_before_any_change_leaves_nothing_that_looks_whole(root, hub, kind, tmp_path):
    """Each try begins with what the one before left: so the run also goes on from there, whatever it is."""
    asked = instance({"hub": hub.url})
    if kind == "url":
        hub.files["x.gguf"] = b"GGUF" + bytes(3000)
        asked = instance({"url": hub.url + "/x.gguf", "sha256": hashlib.sha256(hub.files["x.gguf"]).hexdigest()},
                         revision=None)
    if kind == "repair":
        run(root, asked)
        (folder(root) / "config.json").unlink()
        shutil.copytree(root, tmp_path / "damaged")
    tries = 0
    for count in range(500):
        shutil.rmtree(root)
        shutil.copytree(tmp_path / "damaged", root) if kind == "repair" else (root / "data").mkdir(parents=True)
        killed = killed_at(count, root, asked)
        if kind != "repair":
            whole(root)
        run(root, asked)
        assert whole(root)
        left = set(os.listdir(root / "data/tiny--llama")) - {model_hub.REVISION + ".lock"}  # Held by nobody.
        assert left == {model_hub.REVISION}
        assert run(root, asked)["changed"] is False
        tries += 1
        if not killed:
            break
    assert tries > 20 and not killed
