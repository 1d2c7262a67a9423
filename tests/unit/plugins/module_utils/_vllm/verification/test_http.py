# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests over real sockets of this machine: addresses, the key, redirects, proxies, and those who do not answer."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import threading

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.verification import http as asking

from tests.sysroots.held_port import held_port


class Engine(http.server.BaseHTTPRequestHandler):
    """Says what it was asked."""

    def log_message(self, *_words):
        """Nothing."""

    def do_GET(self):
        """The request as JSON, or somewhere else."""
        length = int(self.headers.get("Content-Length") or 0)
        data = json.dumps({"path": self.path, "method": self.command, "key": self.headers.get("Authorization"),
                           "body": self.rfile.read(length).decode()}).encode()
        self.send_response(302 if self.path == "/away" else 200)
        self.send_header("Location", "http://192.0.2.1/")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_POST = do_GET


@pytest.fixture(name="port", scope="module")
def fixture_port():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Engine)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture(name="silent")
def fixture_silent():
    """A port whose connections nobody takes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def place(port, listen="127.0.0.1", **arguments):
    return asking.where({"listen": listen, "port": port, "arguments": arguments})


@pytest.mark.parametrize("listen, host, named", [
    ("0.0.0.0", "127.0.0.1", "http://127.0.0.1:8000"), ("::", "::1", "http://[::1]:8000"),
    ("[::]", "::1", "http://[::1]:8000"), ("10.0.0.7", "10.0.0.7", "http://10.0.0.7:8000")])
def test_where_an_instance_is_asked(listen, host, named):
    found = place(8000, listen)
    assert found["host"] == host and asking.named(found) == named


def test_the_key_goes_where_it_is_asked_for_and_nowhere_else(port):
    ask = asking.asker(place(port), "MINE")
    assert json.loads(ask("/v1/models")["text"])["key"] == "Bearer MINE"
    assert json.loads(ask("/health")["text"])["key"] is None
    assert json.loads(asking.asker(place(port))("/v1/models")["text"])["key"] is None


def test_a_body_is_posted(port):
    found = json.loads(asking.asker(place(port))("/v1/completions", {"prompt": "é"})["text"])
    assert found["method"] == "POST" and json.loads(found["body"]) == {"prompt": "é"}


def test_no_redirect_is_followed_and_no_proxy_used(port, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://192.0.2.1:3128")
    found = asking.asker(place(port))("/away", seconds=60)
    assert found["status"] == 302 and json.loads(found["text"])["path"] == "/away"


def test_who_does_not_listen_or_answer_is_said(silent):
    closed = held_port()
    assert asking.asker(place(closed))("/health") == {
        "status": None, "text": "", "why": "nobody listens on http://127.0.0.1:%d" % closed}
    found = asking.asker(place(silent))("/health", seconds=0.05)
    assert found["status"] is None and "/health: no answer within" in found["why"]


def test_an_answer_that_comes_in_drops_ends_at_the_limit():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ended = threading.Event()

        def drip():
            link = listener.accept()[0]
            link.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while not ended.wait(0.02):
                link.sendall(b"x")
            link.close()
        thread = threading.Thread(target=drip)
        thread.start()
        found = asking.asker(place(listener.getsockname()[1]))("/health", seconds=0.3)
        ended.set()
        thread.join()
    assert found["status"] is None and "no answer within" in found["why"]


@contextlib.contextmanager
def answers_once(listener, said):
    """Whoever asks first is answered, with these bytes."""
    def answer():
        link = listener.accept()[0]
        link.recv(65536)
        link.sendall(said)
        link.close()
    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    yield
    thread.join()


def test_what_is_no_http_is_said():
    with socket.create_server(("127.0.0.1", 0)) as listener, answers_once(listener, b"SSH-2.0-OpenSSH_9.2\r\n"):
        found = asking.asker(place(listener.getsockname()[1]))("/health")
    assert found["status"] is None and "SSH-2.0" in found["why"]


def test_tls_is_spoken_where_the_engine_has_a_certificate(port):
    found = asking.asker(place(port, **{"ssl-certfile": "/x.pem"}))("/health")
    assert found["status"] is None and "no TLS is spoken there" in found["why"]


def test_a_socket_in_a_file_is_asked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # A socket's whole path has 107 letters at most, and folders of tests are long.
    path = "engine.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        with answers_once(listener, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"):
            assert asking.asker(place(8000, uds=path))("/health") == {"status": 200, "text": "ok", "why": None}
    missing = asking.asker(place(8000, uds=path + ".gone"))("/health")
    assert missing["why"] == "nobody listens on the socket %s.gone" % path


def test_a_key_that_no_header_can_carry_is_not_shown(port):
    found = asking.asker(place(port), "MI\nNE")("/v1/models")
    assert found == {"status": None, "text": "", "why": "the API key holds what no HTTP header can carry"}
