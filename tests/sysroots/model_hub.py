# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in of a model hub and of its CDN: real HTTP on loopback, the documented interface, and faults on demand.

It answers /api/models/NAME/revision/REV?blobs=true and /NAME/resolve/REV/PATH as huggingface.co documents them: small
files at once, large ones (LFS) by a redirect to another host, with ranges, ETag and X-Error-Code.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import re
import struct
import threading
from urllib.parse import parse_qs, unquote, urlsplit

REVISION = "0e9e39f249a16976918f6564b8830bc894c89659"
MODEL = "tiny/llama"


def safetensors(count, name="weight"):
    """The bytes of a file of safetensors with one tensor of `count` bytes."""
    header = json.dumps({name: {"dtype": "U8", "shape": [count], "data_offsets": [0, count]}}).encode()
    pattern = hashlib.sha256(name.encode()).digest()
    return struct.pack("<Q", len(header)) + header + (pattern * (count // 32 + 1))[:count]


def model(shards=2, count=100_000):
    """The files of a small model as a hub has them, with what need not be fetched beside them."""
    names = ["model-%05d-of-%05d.safetensors" % (number + 1, shards) for number in range(shards)]
    files = {name: safetensors(count, name) for name in names}
    files["model.safetensors.index.json"] = json.dumps(
        {"metadata": {"total_size": shards * count}, "weight_map": {name: name for name in names}}).encode()
    files["config.json"] = json.dumps({"architectures": ["LlamaForCausalLM"], "hidden_size": 16}).encode()
    files["tokenizer.json"] = b'{"version": "1.0"}'
    files["pytorch_model.bin"] = b"the same again, older" * 10
    files["consolidated.safetensors"] = safetensors(50, "again")
    files["modeling_tiny.py"] = b"print('never fetched unasked')"
    files["README.md"] = b"# tiny"
    return files


def git_sum(data):
    """The name that git gives to a blob."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class Hub:
    """The state of the stand-in: `files` by path, and what goes wrong.

    gated: a token is wanted; cut: {path: bytes after which a connection ends, once each}; wrong: paths whose bytes are
    others; status: {path: [status, ...] answered before all goes well}; ranges: whether ranges are known; no_head: what
    is answered to HEAD, as by a signed address that is for GET only.
    """

    def __init__(self, files):
        self.files = files
        self.gated = None
        self.missing_sums = False
        self.cut = {}
        self.wrong = set()
        self.status = {}
        self.ranges = True
        self.no_head = None
        self.asked = []
        self.before = None
        self.redirect_to = None
        self.url = self.cdn = None

    def large(self, path):
        """Whether a file is kept by LFS."""
        return path.endswith((".safetensors", ".bin"))

    def siblings(self):
        """The list of files."""
        found = []
        for path, data in self.files.items():
            one = {"rfilename": path, "size": len(data), "blobId": git_sum(data)}
            if self.large(path):
                one["blobId"] = git_sum(b"pointer of " + path.encode())
                one["lfs"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
            if self.missing_sums:
                one = {"rfilename": path}
            found.append(one)
        return found

    def fetched(self, path=""):
        """The requests for files whose path ends so: [(host part, path, Range)]."""
        return [one for one in self.asked if one["path"].endswith(path) and "/api/" not in one["path"]]


class _Handler(http.server.BaseHTTPRequestHandler):
    """One of the two servers."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        """Say nothing."""

    def answer(self, status, body=b"", **headers):
        """A whole answer."""
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_HEAD(self):
        """As GET, without the body."""
        self.do_GET()

    def do_GET(self):
        """Note the request and answer it."""
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        self.server.hub.asked.append({"server": self.server.part, "path": path, "range": self.headers.get("Range"),
                          "token": self.headers.get("Authorization"), "method": self.command})
        if self.server.hub.before:
            self.server.hub.before(path)
        if self.server.part == "cdn" or "/resolve/" not in path and "/api/" not in path:
            self.give(path.partition("/cdn/")[2] or path.lstrip("/"))
        elif "/api/" in path:
            self.api(path, parse_qs(parts.query))
        else:
            self.resolve(path)

    def allowed(self):
        """Whether the token will do."""
        if self.server.hub.gated and self.headers.get("Authorization") != "Bearer " + self.server.hub.gated:
            status = 403 if self.headers.get("Authorization") else 401
            self.answer(status, X_Error_Code="GatedRepo", X_Error_Message="Access to model is restricted.")
            return False
        return True

    def api(self, path, query):
        """What is known of a revision."""
        found = re.match(r"/api/models/(.+)/revision/(.+)", path)
        if not found or found.group(1) != MODEL:
            self.answer(401, X_Error_Code="RepoNotFound", X_Error_Message="Invalid username or password.")
        elif found.group(2) not in (REVISION, "main"):
            self.answer(404, X_Error_Code="RevisionNotFound")
        elif self.allowed():
            said = {"id": MODEL, "sha": REVISION, "siblings": self.server.hub.siblings() if "blobs" in query else [
                {"rfilename": name} for name in self.server.hub.files]}
            self.answer(200, json.dumps(said).encode(), Content_Type="application/json")

    def resolve(self, path):
        """A file, or where it is."""
        where = path.partition("/resolve/%s/" % REVISION)[2]
        if not path.startswith("/" + MODEL) or where not in self.server.hub.files:
            self.answer(404, X_Error_Code="EntryNotFound")
        elif self.allowed():
            if self.server.hub.large(where):
                place = self.server.hub.redirect_to or self.server.hub.cdn
                self.answer(302, Location="%s/cdn/%s?X-Signature=secret" % (place, where))
            else:
                self.give(where)

    def give(self, path):
        """The bytes of a file, with what goes wrong."""
        data = self.server.hub.files.get(path)
        waiting = self.server.hub.status.get(path)
        if waiting:
            self.answer(waiting.pop(0), Retry_After="1")
            return
        if self.command == "HEAD" and self.server.hub.no_head:
            self.answer(self.server.hub.no_head)
            return
        if data is None:
            self.answer(404)
            return
        if path in self.server.hub.wrong:
            data = bytes(255 - byte for byte in data)
        start, status = 0, 200
        asked = re.match(r"bytes=(\d+)-", self.headers.get("Range") or "")
        if asked and self.server.hub.ranges:
            start, status = int(asked.group(1)), 206
            if start >= len(data):
                self.answer(416)
                return
        self.body(path, data, start, status)

    def body(self, path, data, start, status):
        """From a byte on; cut short where that was asked for."""
        self.send_response(status)
        self.send_header("ETag", '"%s"' % hashlib.sha256(data).hexdigest())
        if status == 206:
            self.send_header("Content-Range", "bytes %d-%d/%d" % (start, len(data) - 1, len(data)))
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        if self.command == "HEAD":
            return
        end = len(data)
        if self.server.hub.cut.get(path):
            end = min(end, start + self.server.hub.cut[path].pop(0))
            self.close_connection = True
        self.wfile.write(data[start:end])


@contextlib.contextmanager
def serve(files=None):
    """The hub, running: its `url`, and its CDN's, which is another host."""
    hub = Hub(model() if files is None else files)
    servers = []
    for name in ("hub", "cdn"):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        server.hub, server.part, server.daemon_threads = hub, name, True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
    hub.url = "http://127.0.0.1:%d" % servers[0].server_port
    hub.cdn = "http://127.0.0.1:%d" % servers[1].server_port
    try:
        yield hub
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
