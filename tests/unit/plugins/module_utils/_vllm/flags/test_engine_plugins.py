# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may bring an engine more words than its release has: packages that announce plugins, images, PYTHONPATH."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.flags import engine_plugins

VENV = {"kind": "venv", "path": "/opt/v", "version": "0.33.0", "image": None}
OWN = "[console_scripts]\nvllm = vllm.entrypoints.cli.main:main\n\n[vllm.general_plugins]\n" \
      "lora_filesystem_resolver = vllm.plugins.lora_resolvers.filesystem_resolver:register\n"


def engine(root, packages, settings="include-system-site-packages = false\n"):
    """A node with an environment that has some packages, {name: entry points}."""
    for path, content in [("bin/vllm", "#!/bin/sh\n"), ("pyvenv.cfg", settings)] + [
            ("lib/python3.12/site-packages/%s/entry_points.txt" % name, text) for name, text in packages.items()]:
        file = root / "opt/v" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return Host(str(root))


def seen(host, **changes):
    """What is seen of an instance with that engine."""
    return engine_plugins.seen(host, dict({"engine": VENV, "environment": {}}, **changes))


def test_plugins_of_vllm_itself_and_other_packages_are_none(tmp_path):
    other = "[console_scripts]\na = b:c\n\n[vllm.io_processor_plugins]\na = b:c\n"
    assert seen(engine(tmp_path, {"vllm-0.33.0.dist-info": OWN, "other-1.dist-info": other})) is None
    assert seen(Host(str(tmp_path / "empty"))) is None


@pytest.mark.parametrize("group", engine_plugins.GROUPS)
def test_a_plugin_of_another_package_is_named(tmp_path, group):
    host = engine(tmp_path, {"vllm-0.33.0.dist-info": OWN, "bnb-1.dist-info": "[%s]\nbnb = bnb:register\n" % group})
    assert seen(host) == "its environment has the plugin bnb"


def test_where_packages_cannot_be_seen_that_is_said(tmp_path):
    assert "cannot be seen" in seen(engine(tmp_path, {}))
    host = engine(tmp_path, {"vllm-0.33.0.dist-info": OWN}, "include-system-site-packages = true\n")
    assert "packages of the system too" in seen(host)
    assert "PYTHONPATH" in seen(host, environment={"PYTHONPATH": "/x"})


def test_only_the_official_image_is_known_to_have_none(tmp_path):
    host = Host(str(tmp_path))
    for image, known in (("docker.io/vllm/vllm-openai:v0.33.0", True), ("vllm/vllm-openai@sha256:12", True),
                         ("registry.example/vllm/vllm-openai:v0.33.0", False), ("mine/vllm:1", False)):
        words = seen(host, engine={"kind": "podman", "path": None, "version": "0.33.0", "image": image})
        assert words is None if known else words == "the image %s may bring plugins" % image
