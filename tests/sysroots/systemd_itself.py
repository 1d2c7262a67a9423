# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd itself as an oracle: how it reads unit files and environment files, without being the machine's init.

`systemd --test` loads units and prints what it understood; the library that systemd is built of reads environment files
and puts variables in place of $NAME, as it does just before it starts a program.
"""

from __future__ import annotations

import ctypes
import glob
import os
import re
import shutil
import subprocess
import tempfile

SYSTEMD = next((path for path in ("/usr/lib/systemd/systemd", "/lib/systemd/systemd") if os.path.exists(path)), None)
_NOBODY = 65534
# Its private functions have had these signatures in the versions that are named.
LIBRARY = next((path for path in sorted(glob.glob("/usr/lib/*/systemd/libsystemd-shared-*.so")
                                        + glob.glob("/usr/lib*/systemd/libsystemd-shared-*.so"))
                if re.search(r"-(24[3-9]|25[0-2])\D", path)), None)
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|([^ ]+)', re.DOTALL)
_ESCAPE = re.compile(r"\\([0-7]{3}|.)", re.DOTALL)


def command_lines(units, unit):
    """[[words]] of every command of a unit among {name: text}, specifiers replaced, variables not yet."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        for name, text in units.items():
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        # It refuses to test as root.
        change = ["setpriv", "--reuid=%d" % _NOBODY, "--regid=%d" % _NOBODY, "--clear-groups"]
        said = subprocess.run(
            (change if os.geteuid() == 0 else []) + [SYSTEMD, "--test", "--system", "--unit=" + unit],
            env={"SYSTEMD_UNIT_PATH": folder + ":", "PATH": os.environ["PATH"], "HOME": "/nonexistent"},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    block = said.stdout.decode("utf-8").partition("-> Unit %s:\n" % unit)[2].partition("\t-> Unit ")[0]
    return [[plain or _ESCAPE.sub(_meant, quoted) for quoted, plain in _WORD.findall(line)]
            for line in re.findall(r"^\t*Command Line: (.*)$", block, re.MULTILINE)]


def _meant(escape):
    text = escape.group(1)
    return chr(int(text, 8)) if text.isdigit() else {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t",
                                                     "v": "\v"}.get(text, text)


def environment(text):
    """{name: value} of an environment file, as it is read before a program starts."""
    library, libc = ctypes.CDLL(LIBRARY), ctypes.CDLL(None)
    libc.fopen.restype = ctypes.c_void_p
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        stream = libc.fopen(file.name.encode(), b"r")
        found = ctypes.POINTER(ctypes.c_char_p)()
        status = library.load_env_file(ctypes.c_void_p(stream), file.name.encode(), ctypes.byref(found))
        libc.fclose(ctypes.c_void_p(stream))
    assert status >= 0, os.strerror(-status)
    return dict(pair.split("=", 1) for pair in _words(found))


def expanded(words, variables):
    """The words that a program is given, once variables have been put in place."""
    function = ctypes.CDLL(LIBRARY).replace_env_argv
    function.restype = ctypes.POINTER(ctypes.c_char_p)
    return _words(function(_array(words), _array("%s=%s" % pair for pair in variables.items())))


def _array(words):
    encoded = [word.encode() for word in words]
    return (ctypes.c_char_p * (len(encoded) + 1))(*encoded, None)


def _words(array):
    found = []
    while array and array[len(found)] is not None:
        found.append(array[len(found)].decode())
    return found


def verify(root, units):
    """The lines that systemd-analyze has to say against units below a folder with /etc/systemd/system."""
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=yes", *units],
        env=dict(os.environ, SYSTEMD_UNIT_PATH="%s/etc/systemd/system:" % root), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, check=False)
    lines = [line for line in done.stdout.splitlines() if re.search(r"vllm|ray@|gpuwright", line)]
    return lines or (["exit status %d" % done.returncode] if done.returncode else [])


def exposure(path):
    """How exposed systemd-analyze calls a unit file's service: 0 is best, 10 is worst."""
    said = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--no-pager", str(path)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True, check=False).stdout
    return float(re.search(r"exposure level for \S+: ([\d.]+)", said).group(1))


HAS_VERIFY = bool(shutil.which("systemd-analyze"))
