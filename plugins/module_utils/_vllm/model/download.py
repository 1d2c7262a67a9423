# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Downloads over HTTP: one request, its redirects, its range; every failure in words.

PRIVATE to the collection. It opens sockets and touches no file. Proxies are those of the environment, certificates are
checked, and a token goes to the host that it is meant for and to no other.
"""

from __future__ import annotations

import http.client
import json
import re
import urllib.error
import urllib.parse
import urllib.request

SECONDS = 60  # Without a byte for so long, a connection is dead.
_NO_HEAD = (400, 403, 405, 501)
_PASSING = (408, 425, 429, 500, 502, 503, 504)


class DownloadFailed(Exception):
    """A request came to nothing; `status` is HTTP's, or None, and `passing` is whether another try may help."""

    def __init__(self, words, status=None, passing=False, headers=None, wait=None):
        super().__init__(words)
        self.status = status
        self.passing = passing
        self.headers = headers or {}
        self.wait = wait


def shown(url):
    """A URL without what may be secret in it: a password, and the signature that a CDN puts into the query."""
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError:
        return re.sub(r"//.*@", "//", url.partition("?")[0])
    return urllib.parse.urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def origin(url):
    """(scheme, host, port) of a URL."""
    parts = urllib.parse.urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, port


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects: never from https to less, and with the token only to where it was meant for."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        """The request to make next."""
        old, new = origin(req.full_url), origin(newurl)
        if new[0] not in ("http", "https") or (old[0] == "https" and new[0] != "https"):
            raise DownloadFailed("%s redirects to %s, which is not followed: only https follows https"
                                 % (shown(req.full_url), shown(newurl)), code)
        following = urllib.request.Request(newurl.replace(" ", "%20"), headers=dict(req.headers), unverifiable=True,
                                           origin_req_host=req.origin_req_host, method=req.get_method())
        token = req.unredirected_hdrs.get("Authorization")
        if token and old == new:
            following.add_unredirected_header("Authorization", token)
        return following

    http_error_308 = urllib.request.HTTPRedirectHandler.http_error_302  # Python knows it from 3.11 on.


def request(url, token=None, part=None, method="GET", seconds=SECONDS):
    """The answer to one request, for a `part` such as 5- or 0-9: an object with status, headers, url and read(count).

    Raises DownloadFailed.
    """
    try:
        if origin(url)[0] not in ("http", "https"):
            raise ValueError("no address of http or https")
        asked = urllib.request.Request(url, method=method, headers={"User-agent": "gpuwright.node",
                                                                    "Accept-encoding": "identity"})
    except ValueError as error:
        raise DownloadFailed("%r: %s" % (shown(url), error))
    if token:
        if not re.match(r"[!-~]+\Z", token):  # http.client would show it with its complaint.
            raise DownloadFailed("the token for %s has a space, a line break or a letter that none has" % shown(url))
        asked.add_unredirected_header("Authorization", "Bearer " + token)
    if part:
        asked.add_header("Range", "bytes=" + part)
    try:
        return urllib.request.build_opener(_Redirects).open(asked, timeout=seconds)
    except urllib.error.HTTPError as error:
        raise DownloadFailed(_said(error), error.code, error.code in _PASSING, dict(error.headers.items()),
                             _seconds(error.headers.get("Retry-After")))
    except urllib.error.URLError as error:
        certificate = "certificate" in str(error.reason).lower()
        raise DownloadFailed("%s: %s" % (shown(url), error.reason), passing=not certificate)
    except (ValueError, http.client.InvalidURL):  # Its words have what may be a password.
        raise DownloadFailed("%s: it, or where it redirects to, is no address that can be asked" % shown(url))
    except (OSError, http.client.HTTPException) as error:
        raise DownloadFailed("%s: %s" % (shown(url), _why(error)), passing=True)


def _said(error):
    """What a server answered that gave no file."""
    words = "%s answers %d %s" % (shown(error.url or ""), error.code, error.reason)
    more = error.headers.get("X-Error-Message")
    return words + (": " + " ".join(more.split())[:300] if more else "")


def _why(error):
    return str(error) or type(error).__name__


def _seconds(text):
    return min(int(text), 300) if text and text.isdigit() else None


def document(url, token=None):
    """What a JSON document says. Raises DownloadFailed."""
    with request(url, token) as answer:
        try:
            return json.loads(answer.read().decode("utf-8"))
        except (ValueError, http.client.HTTPException, OSError) as error:
            raise DownloadFailed("%s: no JSON: %s" % (shown(url), _why(error)), passing=isinstance(error, OSError))


def length(url, token=None):
    """How many bytes a file has, or None where its server does not say. Raises DownloadFailed.

    A signed address is often one for GET only: then the first byte tells.
    """
    try:
        with request(url, token, method="HEAD") as answer:
            said = answer.headers.get("Content-Length")
    except DownloadFailed as error:
        if error.status not in _NO_HEAD:
            raise
        with request(url, token, part="0-0") as answer:
            whole = re.match(r"bytes 0-\d+/(\d+)\Z", answer.headers.get("Content-Range") or "")
            said = whole.group(1) if whole else answer.headers.get("Content-Length") if answer.status == 200 else None
    return int(said) if said and said.isdigit() else None


def pieces(url, token=None, start=0, count=1 << 20):
    """(first byte, bytes, ...) of a file: the first item is where the rest begins, 0 where a server knows no ranges.

    Raises DownloadFailed, also in the middle.
    """
    with request(url, token, "%d-" % start if start else None) as answer:
        begins, ends = _range(answer, url)
        if begins not in (0, start):
            raise DownloadFailed("%s: asked for the bytes from %d on, got those from %d on"
                                 % (shown(url), start, begins))
        yield begins
        yield from _body(answer, url, count, None if ends is None else ends - begins)


def _range(answer, url):
    """Where the bytes of an answer begin and end."""
    if answer.status != 206:
        said = answer.headers.get("Content-Length")
        return 0, int(said) if said and said.isdigit() else None
    found = re.match(r"bytes (\d+)-(\d+)/", answer.headers.get("Content-Range") or "")
    if not found:
        raise DownloadFailed("%s: a part without Content-Range" % shown(url))
    return int(found.group(1)), int(found.group(2)) + 1


def _body(answer, url, count, whole):
    """The bytes of an answer; fewer than were promised are a failure, which Python does not always say."""
    got = 0
    while True:
        try:
            data = answer.read(count)
        except (OSError, http.client.HTTPException) as error:
            raise DownloadFailed("%s: the connection broke: %s" % (shown(url), _why(error)), passing=True)
        if not data:
            break
        got += len(data)
        yield data
    if whole is not None and got < whole:
        raise DownloadFailed("%s: the connection ended after %d of %d bytes" % (shown(url), got, whole), passing=True)
