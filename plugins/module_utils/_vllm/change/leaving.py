# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking an instance from the node: its units are stopped, its files go, and what was there before us comes back.

PRIVATE to the collection.
"""

from __future__ import annotations

from ... import _apply, _journal
from ..._kinds import vllm_instance
from . import places, state


def leave(host, journal, name, paths, units):
    """Take one instance away. Raises OSError; done again it goes on where it was."""
    for unit in reversed(units):
        vllm_instance.stop(host, unit)
        vllm_instance.set_at_boot(host, unit, False)
        vllm_instance.clean(host, journal["entries"].get(vllm_instance.identity(None, unit, None)) or {})
    for path in paths:
        if not places.is_shared(path):
            _journal.give_back_file(host, journal, path)
    entries = {unit: journal["entries"].get(vllm_instance.identity(None, unit, None)) for unit in units}
    shared = [path for path in unused(journal, units) if path in journal["files"]]
    for path in shared:
        _journal.give_back_file(host, journal, path)
    vllm_instance.systemctl(host, "daemon-reload")
    for unit, entry in entries.items():
        if entry:
            vllm_instance.write(host, unit, entry["path"], entry["original"])
    for unit in units:
        journal["entries"].pop(vllm_instance.identity(None, unit, None), None)
    state.remove(host, name)


def unused(journal, units):
    """The templates that no instance of ours but those of these units starts from."""
    leaving = {vllm_instance.identity(None, unit, None) for unit in units}
    left = [entry["target"] for key, entry in journal["entries"].items()
            if entry["kind"] == "vllm_instance" and key not in leaving]
    return [path for path, kept in journal["files"].items() if kept["role"] == places.ROLE and places.is_shared(path)
            and not any(unit.startswith(path.rpartition("/")[2].partition(".")[0]) for unit in left)]


def forget_unused(host, journal, errors):
    """Folders of ours that are empty, and when no instance is left all that we kept of them."""
    _apply.forget_unused(host, journal, errors)
    if not any(entry["kind"] == "vllm_instance" for entry in journal["entries"].values()):
        vllm_instance.forget(host)
