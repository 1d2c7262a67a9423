# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Docker's daemon as far as its real client asks it when a container is created: what the client asks for is kept.

A stand-in for the daemon alone; the options are parsed, and the files of variables read, by the real client.
"""

from __future__ import annotations

import http.server
import json
import os
import socketserver
import subprocess
import tempfile
import threading


class _Daemon(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


class _Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self):
        return "client"

    def log_message(self, format, *arguments):
        pass

    def _say(self, status, body):
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Api-Version", "1.41")
        self.send_header("Ostype", "linux")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def do_HEAD(self):
        self._say(200, {})

    do_GET = do_HEAD

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "/containers/create" in self.path:
            self.server.asked.append(json.loads(body))
        self._say(201, {"Id": "0" * 64, "Warnings": []})


def created(words):
    """What Docker's client asks its daemon for, given the words of `docker run`."""
    assert words[:2] == ["docker", "run"]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "docker.sock")
        with _Daemon(path, _Answer) as daemon:
            daemon.asked = []
            thread = threading.Thread(target=daemon.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
            thread.start()
            done = subprocess.run(["docker", "create"] + words[2:], env=dict(
                os.environ, DOCKER_HOST="unix://" + path, DOCKER_CONFIG=folder), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, check=False)
            daemon.shutdown()
            thread.join()
        assert done.returncode == 0 and len(daemon.asked) == 1, done.stdout
        return daemon.asked[0]
