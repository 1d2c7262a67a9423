# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Engines of every kind: what is there, what is due, how it is pulled; tools are stand-ins that answer as the real."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import CommandNotRun
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.engine import engines
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.engine.virtual_environment import NoEngine
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.model.volume import Volume

IMAGE = "docker.io/vllm/vllm-openai:v0.33.0"
ID = "sha256:" + "ab" * 32
ASKED = {"python": None, "uv": None, "space": 1, "auth_file": None}
# What the real tools answer for an image that is not there.
NONE = {"podman": (125, "", "Error: docker.io/vllm/vllm-openai:v0.33.0: image not known\n"),
        "docker": (1, "[]\n", "Error response from daemon: No such image: vllm/vllm-openai:v0.33.0\n")}


class Node(Volume):
    """A node whose commands answer what `answers` says: {first words: (status, output, errors)}."""

    answers = {}

    def run(self, argv, seconds=10, changes=True):
        """Answer, or be no command."""
        for words, said in self.answers.items():
            if " ".join(argv).startswith(words):
                return said
        raise CommandNotRun("%s: No such file or directory" % argv[0])


def node(tmp_path, answers):
    """The stand-in."""
    host = Node(str(tmp_path))
    host.answers = answers
    return host


def instance(name="a", **engine):
    """An instance with an engine."""
    return {"name": name, "state": "started", "engine": dict(
        {"kind": "podman", "version": "0.33.0", "path": None, "image": None}, **engine)}


@pytest.mark.parametrize("tool", ["podman", "docker"])
def test_an_image_that_is_there(tmp_path, tool):
    host = node(tmp_path, {tool + " image inspect": (0, ID + "\n", "")})
    found = engines.look(host, [instance(kind=tool, image=IMAGE), instance("b", kind=tool, image=IMAGE)], ASKED)
    assert [(one["names"], one["state"], one["due"], one["image_id"]) for one in found] == [
        (["a", "b"], "ready", False, ID)]
    assert engines.check(host, found) is False


@pytest.mark.parametrize("tool,auth,pull", [
    ("podman", None, ["podman", "pull", IMAGE]), ("docker", None, ["docker", "pull", IMAGE]),
    ("podman", "/etc/auth.json", ["podman", "pull", "--authfile", "/etc/auth.json", IMAGE]),
    ("docker", "/etc/d/config.json", ["docker", "--config", "/etc/d", "pull", IMAGE])])
def test_an_image_that_is_missing_is_pulled(tmp_path, tool, auth, pull):
    host = node(tmp_path, {tool + " image inspect": NONE[tool], tool + " info": (0, "/var/lib/images\n", "")})
    found = engines.look(host, [instance(kind=tool, image=IMAGE)], dict(ASKED, auth_file=auth))
    assert (found[0]["state"], found[0]["due"], found[0]["pull"]) == ("missing", True, pull)
    assert "is to be pulled by " + tool in found[0]["words"]
    with pytest.raises(NoEngine, match="still not there"):
        engines.check(host, found)


@pytest.mark.parametrize("answers,asked,words", [
    ({}, {}, "podman: No such file or directory; engine kind podman needs it"),
    ({"podman image": (125, "", "Error: cannot connect to the storage\n")}, {}, "cannot connect"),
    ({"podman image": NONE["podman"], "podman info": (125, "", "no storage")}, {}, "podman info: no storage"),
    ({"podman image": NONE["podman"], "podman info": (0, "/var\n", "")}, {"space": 10 ** 18}, "too few")])
def test_what_hinders_is_said(tmp_path, answers, asked, words):
    with pytest.raises(NoEngine, match=words):
        engines.look(node(tmp_path, answers), [instance(image=IMAGE)], dict(ASKED, **asked))


def test_logins_of_docker_have_one_name(tmp_path):
    host = node(tmp_path, {"docker image": NONE["docker"], "docker info": (0, "/var\n", "")})
    with pytest.raises(NoEngine, match="called config.json"):
        engines.look(host, [instance(kind="docker", image=IMAGE)], dict(ASKED, auth_file="/etc/auth.json"))


def existing(tmp_path, version):
    """A folder of an environment that is there."""
    place = tmp_path / "opt/mine/bin/vllm"
    place.parent.mkdir(parents=True)
    place.write_text("")
    place.chmod(0o755)
    if version:
        info = tmp_path / ("opt/mine/lib/python3.12/site-packages/vllm-%s.dist-info" % version)
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: vllm\nVersion: %s\n\nText\n" % version)
    return place


@pytest.mark.parametrize("path", ["/opt/mine", "/opt/mine/bin/vllm"])
@pytest.mark.parametrize("wanted", ["0.33.0", "0.33.0+cu129", None])
def test_an_engine_of_somebody_else(tmp_path, path, wanted):
    existing(tmp_path, "0.33.0+cu129")
    found = engines.look(node(tmp_path, {}), [instance(kind="existing", path=path, version=wanted)], ASKED)
    assert (found[0]["state"], found[0]["due"], found[0]["found"]) == ("ready", False, "0.33.0+cu129")


def test_an_engine_that_only_its_program_knows(tmp_path):
    existing(tmp_path, None)
    host = node(tmp_path, {"/opt/mine/bin/vllm --version": (0, "INFO 1\n0.32.0\n", "")})
    asked = [instance(kind="existing", path="/opt/mine", version=None)]
    assert engines.look(host, asked, ASKED)[0]["found"] == "0.32.0"
    host.answers = {"/opt/mine/bin/vllm --version": (1, "", "Traceback\nImportError: libcudart.so.12\n")}
    with pytest.raises(NoEngine, match="status 1: ImportError: libcudart"):
        engines.look(host, asked, ASKED)


def test_an_engine_that_is_not_what_was_said(tmp_path):
    place = existing(tmp_path, "0.32.0")
    host = node(tmp_path, {})
    with pytest.raises(NoEngine, match="is vLLM 0.32.0, and .* says 0.33.0: say 0.32.0, or null"):
        engines.look(host, [instance(kind="existing", path="/opt/mine")], ASKED)
    with pytest.raises(NoEngine, match="/opt/none is no program"):
        engines.look(host, [instance(kind="existing", path="/opt/none")], ASKED)
    place.chmod(0o644)
    with pytest.raises(NoEngine, match="mode 0644"):
        engines.look(host, [instance(kind="existing", path="/opt/mine")], ASKED)


def test_all_that_is_wrong_is_said_at_once_and_absent_instances_need_nothing(tmp_path):
    host = node(tmp_path, {})
    asked = [instance("a", kind="existing", path="/x"), instance("b", image=IMAGE),
             dict(instance("c", kind="existing", path="/y"), state="absent")]
    with pytest.raises(NoEngine) as error:
        engines.look(host, asked, ASKED)
    assert "a: /x" in str(error.value) and "b: podman" in str(error.value) and "/y" not in str(error.value)


def test_one_folder_is_one_version(tmp_path):
    existing(tmp_path, "0.33.0")
    with pytest.raises(NoEngine, match="0.33.0 for instance a and 0.32.0 for b"):
        engines.look(node(tmp_path, {}), [instance("a", kind="existing", path="/opt/mine"), instance(
            "b", kind="existing", path="/opt/mine", version="0.32.0")], ASKED)
