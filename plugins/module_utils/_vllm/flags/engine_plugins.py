# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an engine may have more parsers, loaders and connectors than its release: what adds to its registries.

PRIVATE to the collection. Packages say in their metadata that vLLM shall load them; vLLM's own are not meant here.
"""

from __future__ import annotations

import re

from ..rendered import command

GROUPS = ("vllm.general_plugins", "vllm.platform_plugins")
_OFFICIAL = re.compile(r"(docker\.io/)?vllm/vllm-openai[:@]")
_OF_VLLM = re.compile(r"vllm\.")


def seen(host, instance):
    """Words on what may add to the engine's registries, or None where nothing does."""
    engine = instance["engine"]
    if "PYTHONPATH" in instance.get("environment", {}):
        return "PYTHONPATH of its environment may bring plugins"
    if engine["kind"] in ("podman", "docker"):
        return None if _OFFICIAL.match(engine["image"]) else "the image %s may bring plugins" % engine["image"]
    program = command.program(engine)
    if not host.exists(program):
        return None  # What the role makes has none; of another one nothing is known then, and that is said.
    folder = host.real(program).rpartition("/")[0].rpartition("/")[0]
    places = list(_places(host, folder))
    if not any(name.startswith("vllm-") for place in places for name in host.names(place)):
        return "the packages beside %s cannot be seen, and one of them may be a plugin" % program
    if "include-system-site-packages = true" in (host.text(folder + "/pyvenv.cfg") or "").lower():
        return "its environment takes packages of the system too, and one of them may be a plugin"
    found = sorted({name for place in places for name in _plugins(host, place)})
    return "its environment has the plugin %s" % ", ".join(found) if found else None


def _places(host, folder):
    """Where the packages of an environment lie."""
    for library in ("lib", "lib64"):
        for name in host.names("%s/%s" % (folder, library)):
            if name.startswith("python"):
                yield "%s/%s/%s/site-packages" % (folder, library, name)


def _plugins(host, place):
    """The plugins that packages in a folder announce."""
    for package in host.names(place):
        if package.endswith((".dist-info", ".egg-info")):
            group = None
            for line in (host.text("%s/%s/entry_points.txt" % (place, package)) or "").splitlines():
                name, sign, what = (part.strip() for part in line.partition("="))
                if line.startswith("["):
                    group = line.strip("[] \t")
                elif group in GROUPS and sign and not _OF_VLLM.match(what):
                    yield name
