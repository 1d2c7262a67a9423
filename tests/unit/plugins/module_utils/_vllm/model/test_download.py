# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests over real HTTP and TLS on loopback: redirects, tokens, proxies, certificates, ranges, broken connections."""

from __future__ import annotations

import http.server
import ssl
import subprocess
import threading

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.model import download
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.model.download import DownloadFailed

from tests.sysroots import model_hub

FILE = "model-00001-of-00002.safetensors"


@pytest.fixture(name="hub")
def fixture_hub(monkeypatch):
    """A running hub, and no proxy."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with model_hub.serve() as running:
        yield running


def url_of(hub, path=FILE):
    """The address of a file."""
    return "%s/%s/resolve/%s/%s" % (hub.url, model_hub.MODEL, model_hub.REVISION, path)


def test_the_bytes_from_any_start(hub):
    data = hub.files[FILE]
    for start in (0, 1, len(data) - 1):
        coming = download.pieces(url_of(hub), start=start, count=1000)
        assert next(coming) == start
        assert b"".join(coming) == data[start:]


def test_a_server_without_ranges_begins_at_the_first_byte(hub):
    hub.ranges = False
    coming = download.pieces(url_of(hub), start=10)
    assert next(coming) == 0 and b"".join(coming) == hub.files[FILE]


def test_a_connection_that_ends_early_is_a_failure(hub):
    hub.cut = {FILE: [100]}
    with pytest.raises(DownloadFailed, match="ended after 100 of") as error:
        list(download.pieces(url_of(hub)))
    assert error.value.passing


def test_a_length(hub):
    assert download.length(url_of(hub)) == len(hub.files[FILE])
    assert {one["method"] for one in hub.asked} == {"HEAD"}


@pytest.mark.parametrize(("status", "ranges"), [(403, True), (405, True), (403, False)])
def test_the_length_behind_an_address_that_is_for_get_only(hub, status, ranges):
    hub.no_head, hub.ranges = status, ranges
    assert download.length(url_of(hub)) == len(hub.files[FILE])
    assert [one["range"] for one in hub.asked if one["method"] == "GET"][-1] == "bytes=0-0"


@pytest.mark.parametrize("place", ["me:hidden-one@127.0.0.1", "me:hidden-one@127.0.0.1:1", "[me:hidden-one@x"])
def test_a_redirect_with_a_password_in_it_is_not_repeated(hub, place):
    hub.redirect_to = "http://" + place
    with pytest.raises(DownloadFailed) as error:
        list(download.pieces(url_of(hub)))
    assert "hidden-one" not in str(error.value)


def test_no_word_shows_a_signature_or_a_password(hub):
    hub.status = {FILE: [404]}
    with pytest.raises(DownloadFailed) as error:
        list(download.pieces(url_of(hub)))
    assert "404" in str(error.value) and "secret" not in str(error.value)
    assert download.shown("https://me:pw@host/a?X-Sig=1#f") == "https://host/a"


def test_a_token_stays_with_its_host_on_the_way(hub):
    hub.redirect_to = hub.url
    list(download.pieces(url_of(hub), token="t"))
    assert [one["token"] for one in hub.asked] == ["Bearer t", "Bearer t"]
    hub.redirect_to, hub.asked[:] = None, []
    list(download.pieces(url_of(hub), token="t"))
    assert [one["token"] for one in hub.asked] == ["Bearer t", None]


@pytest.mark.parametrize("token", ["hf_secret\n", "hf secret", "hf_sécret"])
def test_a_token_that_cannot_be_one_is_not_shown(hub, token):
    with pytest.raises(DownloadFailed, match="that none has") as error:
        list(download.pieces(url_of(hub), token=token))
    assert "cret" not in str(error.value) and hub.asked == []


@pytest.mark.parametrize("target", ["http://host/x", "file:///etc/passwd", "ftp://host/x"])
def test_https_is_never_left(target):
    asked = download.urllib.request.Request("https://hub/x")
    with pytest.raises(DownloadFailed, match="only https follows https"):
        download._Redirects().redirect_request(asked, None, 302, "Found", {}, target)


def test_a_file_of_this_machine_is_no_redirect(hub):
    hub.redirect_to = "file:///etc"
    with pytest.raises(DownloadFailed):
        list(download.pieces(url_of(hub)))


@pytest.mark.parametrize("url", ["file:///etc/passwd", "/etc/passwd", "http://127.0.0.1:1/x", "http://[bad/x"])
def test_what_cannot_be_fetched(hub, url):
    with pytest.raises(DownloadFailed):
        list(download.pieces(url))


def test_the_proxy_of_the_environment_is_used_and_its_exceptions_too(hub, monkeypatch):
    monkeypatch.setenv("http_proxy", hub.url)
    assert next(download.pieces("http://models.example/config.json")) == 0
    assert hub.asked[-1]["path"] == "/config.json"
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    hub.asked.clear()
    list(download.pieces("%s/config.json" % hub.cdn))
    assert [one["server"] for one in hub.asked] == ["cdn"]


def test_no_json(hub):
    with pytest.raises(DownloadFailed, match="no JSON"):
        download.document("%s/README.md" % hub.cdn)


def test_a_certificate_that_nobody_vouches_for_is_refused_for_good(hub, tmp_path, monkeypatch):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost", "-keyout", tmp_path / "key", "-out", tmp_path / "cert"],
                   check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    server = http.server.HTTPServer(("127.0.0.1", 0), model_hub._Handler)
    server.hub, server.part = hub, "cdn"
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    url = "https://localhost:%d/config.json" % server.server_port
    try:
        with pytest.raises(DownloadFailed, match="(?i)certificate") as error:
            list(download.pieces(url))
        assert not error.value.passing
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert"))
        assert b"".join(list(download.pieces(url))[1:]) == hub.files["config.json"]
    finally:
        server.shutdown()
        server.server_close()
