# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One look at each instance that was switched: does it serve what it was started with; what is said keeps no secret.

PRIVATE to the collection.
"""

from __future__ import annotations

import re

from ..._kinds import vllm_instance
from ..change import places, state
from ..rendered import secret_files
from . import http, verify


def look(host, names, secrets, look_at=verify.look):
    """{name: {"ok": True, False, or None while it still starts, "differs": [words], "facts": {}}}."""
    return {name: _look(host, name, secrets.get(name) or {}, look_at) for name in names}


def _look(host, name, secrets, look_at):
    kept = state.read(host, name)
    if kept["error"]:
        return _said(False, "it was not switched: %s" % kept["error"])
    if kept["phase"] is None:
        return _gone(host, name)
    if kept["phase"] in (state.SWITCHING, state.PUTTING_BACK):
        return _said(False, "the run that was to switch it did not come to its end")
    if not kept["deployment"]:
        return _said(False, "what it was started with is not known")
    texts = secret_texts(host, name, secrets)
    ask = http.asker(http.where(kept["deployment"]["instance"]), texts.get(secret_files.VARIABLES["api_key"]))
    deployment = dict(kept["deployment"], invocations=kept["invocations"])
    return look_at(host, deployment, ask, tuple(texts.values()))


def _gone(host, name):
    """Of an instance that is to be absent: it has no process."""
    unit = "vllm@%s.service" % name
    shown = vllm_instance.show(host, unit)
    if vllm_instance.runs(shown):
        return _said(False, "%s runs, and is not ours" % unit)
    return dict(_said(True), facts={"unit": unit, "state": shown["ActiveState"]})


def _said(well, *words):
    return {"ok": well, "differs": list(words), "facts": {}}


def secret_texts(host, name, given):
    """{variable: text}: those that were given now, else those in the file that the engine was started with."""
    found = {secret_files.VARIABLES[key]: str(text) for key, text in given.items()
             if text and key in secret_files.VARIABLES}
    if found:
        return found
    file = places.found(host, secret_files.secret_path({"name": name}))
    for line in (file["text"] or "").splitlines() if file else ():
        key, sign, value = line.partition("=")
        if sign and not line.startswith("#"):
            quoted = len(value) > 1 and value[0] == value[-1] == '"'
            found[key] = re.sub(r'\\(["\\`$])', r"\1", value[1:-1]) if quoted else value
    return found
