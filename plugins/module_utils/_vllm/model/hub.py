# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a hub says of a model: which files one revision has, which of them vLLM needs, how each is checked.

PRIVATE to the collection. The hub is Hugging Face, or a mirror that speaks its documented HTTP interface.
Source: https://huggingface.co/docs/hub/api
"""

from __future__ import annotations

import fnmatch
import re
from urllib.parse import quote

from . import download
from .inside import outside

# What a model is served from. Programs (*.py) are fetched only by who names them: trust-remote-code starts them.
FILES = ("*.safetensors", "*.json", "tokenizer*", "*.txt", "*.model", "*.tiktoken", "*.jinja")
_OTHER_FORMATS = ("*.bin", "*.pth", "*.pt", "*.h5", "*.msgpack", "*.onnx", "*.gguf")


class NotOnHub(Exception):
    """What was asked for is not to be had from the hub; the text says why and what would help."""


def listing(endpoint, model, revision, token, patterns=FILES):
    """The files to fetch: [{path, size, sha256 or git, url}], sorted. Raises NotOnHub and download.DownloadFailed."""
    if not re.match(r"[\da-f]{40}\Z", revision or ""):
        raise NotOnHub(_no_commit(endpoint, model, revision, token))
    url = "%s/api/models/%s/revision/%s?blobs=true" % (endpoint, quote(model), revision)
    try:
        said = download.document(url, token)
    except download.DownloadFailed as error:
        raise in_words(error, endpoint, model, revision, token)
    siblings = said.get("siblings") if isinstance(said, dict) else None
    if not isinstance(siblings, list):
        raise NotOnHub("%s does not list the files of %s: is it a hub?" % (endpoint, model))
    files = [_file(endpoint, model, revision, one) for one in siblings]
    chosen = choose({one["path"]: one for one in files}, patterns)
    if not chosen:
        raise NotOnHub("%s at %s has no file that is one of %s; it has %s"
                       % (model, revision, ", ".join(patterns), ", ".join(sorted(one["path"] for one in files)[:8])))
    return chosen


def choose(files, patterns):
    """The values of {path: anything} that are wanted, by path: a second form of the same weights is not."""
    wanted = {path for path in files if any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)}
    if tuple(patterns) == FILES:
        weights = {path for path in wanted if path.endswith(".safetensors")}
        plain = {path for path in weights if "/" not in path and not path.startswith("consolidated")}
        if plain:
            wanted -= weights - plain
        elif not weights:  # There is nothing but an older form.
            for pattern in _OTHER_FORMATS:
                older = {path for path in files if fnmatch.fnmatchcase(path, pattern) and "/" not in path}
                if older:
                    wanted |= older
                    break
    return [files[path] for path in sorted(wanted)]


def _file(endpoint, model, revision, one):
    """One file of the hub's list."""
    path = one.get("rfilename") if isinstance(one, dict) else None
    refused = outside(path) if isinstance(path, str) else "a file without a name"
    if refused:
        raise NotOnHub("%s lists a file for %s that is refused: %s" % (endpoint, model, refused))
    large = one.get("lfs") if isinstance(one.get("lfs"), dict) else {}
    size = large.get("size", one.get("size"))
    if not isinstance(size, int) or not (large.get("sha256") or one.get("blobId")):
        raise NotOnHub("%s does not say the size and the checksum of %s of %s, so it cannot be checked: a mirror must "
                       "answer /api/models/NAME/revision/COMMIT?blobs=true as huggingface.co does"
                       % (endpoint, path, model))
    check = {"sha256": large["sha256"]} if large.get("sha256") else {"git": one["blobId"]}
    url = "%s/%s/resolve/%s/%s" % (endpoint, quote(model), revision, quote(path))
    return dict(check, path=path, size=size, url=url)


def _no_commit(endpoint, model, revision, token):
    """The refusal of a branch or a tag, with the commit that it is now where the hub says it."""
    name = revision or "main"
    words = "%s, revision %s: a branch or a tag may be another model tomorrow; legal is the commit, 40 hexadecimal " \
            "digits" % (model, revision)
    try:
        commit = download.document("%s/api/models/%s/revision/%s" % (endpoint, quote(model), quote(name, safe="")),
                                   token).get("sha")
    except (download.DownloadFailed, AttributeError):
        commit = None
    if commit:
        return "%s: %s is %s now" % (words, name, commit)
    return "%s, which %s/%s/commits/%s shows" % (words, endpoint, model, name)


def in_words(error, endpoint, model, revision, token):
    """The error to raise for an answer of the hub: what it means and what would help."""
    code = error.headers.get("X-Error-Code") or error.headers.get("x-error-code") or ""
    if error.status in (401, 403):
        if code == "GatedRepo" or (error.status == 403 and token):
            return NotOnHub("%s/%s is gated (%s): %s" % (endpoint, model, error, (
                "the account of this token was not granted access: ask for it on that page" if token else
                "access is granted on that page to an account, whose token then goes into the instance's hf_token")))
        return NotOnHub("%s says %d for %s: there is no such model, or it is private or gated%s"
                        % (endpoint, error.status, model, " and this token does not open it, or is not valid" if token
                           else "; if there is one, the instance's hf_token must be that of an account with access"))
    if error.status == 404:
        missing = "revision %s of %s" % (revision, model) if code == "RevisionNotFound" else \
            "%s at revision %s" % (model, revision)
        return NotOnHub("%s has no %s" % (endpoint, missing))
    return error
