# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks an engine on this node over HTTP: the only file that opens sockets.

PRIVATE to the collection. No proxy is used and no redirect followed: an engine that runs here is asked, or nobody. Its
certificate is not checked, since it is asked by its address and never leaves the node.
"""

from __future__ import annotations

import errno
import http.client
import json
import socket
import ssl
import time

SECONDS = 10
_MOST = 8 << 20  # Bytes of an answer: /metrics of a busy engine is some hundred kilobytes.
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}


def where(instance):
    """How an engine is asked: {"host", "port", "tls", "socket"}; an address of all is asked on the loopback one."""
    arguments = instance["arguments"]
    listen = str(instance["listen"]).strip("[]")
    return {"host": _ANYWHERE.get(listen, listen), "port": instance["port"], "tls": bool(arguments.get("ssl-certfile")),
            "socket": arguments.get("uds") or None}


def named(place):
    """A place in words, as a person would ask it."""
    if place["socket"]:
        return "the socket %s" % place["socket"]
    host = "[%s]" % place["host"] if ":" in place["host"] else place["host"]
    return "%s://%s:%d" % ("https" if place["tls"] else "http", host, place["port"])


def asker(place, api_key=None):
    """A function that asks there: ask(path, body=None, seconds=SECONDS) -> {"status", "text", "why"}.

    `status` is None where nobody answered, and `why` says it in words. The key goes to /v1 only, which asks for it.
    """
    def ask(path, body=None, seconds=SECONDS):
        headers = {"Connection": "close", "User-Agent": "gpuwright"}
        if api_key and path.startswith("/v1/"):
            headers["Authorization"] = "Bearer " + api_key
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        try:
            return _answer(place, ("GET" if body is None else "POST", path, data, headers), seconds)
        except (OSError, http.client.HTTPException) as error:
            return {"status": None, "text": "", "why": _why(place, path, seconds, error)}
        except ValueError:  # Its words would hold the key.
            return {"status": None, "text": "", "why": "the API key holds what no HTTP header can carry"}
    return ask


def _answer(place, request, seconds):
    end = time.monotonic() + seconds
    connection = http.client.HTTPConnection(place["host"], place["port"])
    link = connection.sock = _link(place, seconds)
    try:
        connection.request(*request)
        response = connection.getresponse()
        data = b""
        while len(data) < _MOST:
            left = end - time.monotonic()
            if left <= 0:
                raise socket.timeout()
            link.settimeout(left)
            more = response.read1(65536)
            if not more:
                break
            data += more
        return {"status": response.status, "text": data.decode("utf-8", "replace"), "why": None}
    finally:
        connection.close()
        link.close()


def _link(place, seconds):
    """A connected socket."""
    if place["socket"]:
        link = socket.socket(socket.AF_UNIX)
        link.settimeout(seconds)
        try:
            link.connect(place["socket"])
        except OSError:
            link.close()
            raise
        return link
    link = socket.create_connection((place["host"], place["port"]), seconds)
    if not place["tls"]:
        return link
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        return context.wrap_socket(link)
    except OSError:
        link.close()
        raise


def _why(place, path, seconds, error):
    there = named(place)
    if isinstance(error, socket.timeout):
        return "%s%s: no answer within %d s" % (there, path, seconds)
    if isinstance(error, OSError) and error.errno in (errno.ECONNREFUSED, errno.ENOENT):
        return "nobody listens on %s" % there
    if isinstance(error, ssl.SSLError):
        return "%s%s: no TLS is spoken there: %s" % (there, path, error.reason or error)
    return "%s%s: %s" % (there, path, getattr(error, "strerror", None) or str(error) or repr(error))
