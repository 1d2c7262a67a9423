# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the program of nccl-tests for an operation lies on a node, and whether it was built for several processes.

PRIVATE to the collection.
"""

from __future__ import annotations

# Where distributions, NVIDIA's containers and people who build it themselves have it.
FOLDERS = ("/usr/local/bin", "/usr/bin", "/opt/nccl-tests/build", "/opt/nccl_tests/build", "/opt/nccl-tests/bin",
           "/usr/local/nccl-tests/build", "/usr/lib/nccl-tests", "/usr/libexec/nccl-tests",
           "/opt/oci-hpc/nccl-test/build", "/root/nccl-tests/build")
# The names of dynamic symbols lie near the front of a program, before the code of a hundred GPU kernels.
_FRONT = 1 << 24


def find(host, operation, path, several):
    """(the program or None, the places that were looked at). `path` is a folder, or a program for every operation.

    `several` is whether processes of it must find one another: then a build for MPI goes first.
    """
    names = [operation + "_perf_mpi", operation + "_perf"]
    if not several:
        names.reverse()
    if path and not host.is_folder(path):
        return (path if host.exists(path) else None), [path]
    places = ["%s/%s" % (folder.rstrip("/"), name) for folder in ([path] if path else FOLDERS) for name in names]
    return next((place for place in places if _runs(host, place)), None), places


def _runs(host, place):
    """Whether somebody may run a file; a folder of the same name is none."""
    return host.exists(place) and not host.is_folder(place) and bool(host.mode(host.real(place)) & 0o111)


def is_for_mpi(host, place):
    """Whether a program was built with MPI=1: True, False, or None for what is no program of this node's."""
    try:
        front = host.read_bytes(host.real(place), _FRONT)
    except OSError:
        return None
    if not front.startswith(b"\x7fELF"):
        return None  # A script, which may start anything.
    return b"MPI_Init" in front


def can_start(host, word, path):
    """Whether the first word of a command is a program, looked for as the system does."""
    return any(_runs(host, place) for place in (
        [word] if "/" in word else ["%s/%s" % (folder, word) for folder in path.split(":") if folder]))


def unknown(word, path):
    """Words on a first word that is no program."""
    if "/" in word:
        return "%s is no program" % word
    return "%s is no program in %s: install it, or set PATH in nccl_benchmark_environment" % (word, path)


def missing(operation, places):
    """Words on a program that is not there."""
    looked = list(dict.fromkeys(place.rpartition("/")[0] for place in places)) if len(places) > 2 else places
    return ("nccl-tests has no program %s_perf here: looked %s %s; build it (make MPI=1 for several nodes) or say "
            "where it is with nccl_benchmark_path"
            % (operation, "in" if len(places) > 2 else "for", ", ".join(looked)))
