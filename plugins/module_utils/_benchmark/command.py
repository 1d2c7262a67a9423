# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line and the environment of one start of nccl-tests: plain, by Open MPI's mpirun or by Slurm's srun.

PRIVATE to the collection. Pure. A launch is {"launcher", "operation", "begin", "end", "factor", "gpus" (on each host),
"hosts" (names as MPI sees them), "iterations", "warmup", "check", "environment", "library_path", "command_prefix",
"launcher_options"}.
"""

from __future__ import annotations

from .request import size_text

# ENV tells which variables were set and by whom; INIT and NET which transport each channel took.
_LOG = {"NCCL_DEBUG": "INFO", "NCCL_DEBUG_SUBSYS": "INIT,NET,ENV"}
# What a login shell may have left: the node is measured with /etc/nccl.conf alone.
_UNWANTED = ("NCCL_", "CUDA_VISIBLE_DEVICES")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def command(launch, binary, hostfile, root):
    """The argument list. `hostfile` is where hostfile() will lie; `root` is whether root starts it."""
    ranks = len(launch["hosts"]) * launch["gpus"]
    program = list(launch["command_prefix"]) + [binary] + _flags(launch)
    if launch["launcher"] == "mpirun":
        allowed = ["--allow-run-as-root"] if root else []
        exported = [word for name in sorted(extra(launch)) for word in ("-x", name)]
        return (["mpirun"] + allowed + ["-np", str(ranks), "--hostfile", hostfile, "--map-by",
                                        "ppr:%d:node" % launch["gpus"], "--bind-to", "none"] + exported
                + list(launch["launcher_options"]) + program)
    if launch["launcher"] == "srun":
        return (["srun", "--nodes=%d" % len(launch["hosts"]), "--ntasks=%d" % ranks,
                 "--ntasks-per-node=%d" % launch["gpus"], "--gpus-per-node=%d" % launch["gpus"],
                 "--nodelist=%s" % ",".join(launch["hosts"]), "--kill-on-bad-exit=1", "--job-name=gpuwright-benchmark",
                 "--export=ALL"] + list(launch["launcher_options"]) + program)
    return program


def _flags(launch):
    """A rank a GPU under a launcher; without one, one process that has them all."""
    each = launch["gpus"] if launch["launcher"] == "single" else 1
    return ["-b", size_text(launch["begin"]), "-e", size_text(launch["end"]), "-f", str(launch["factor"]),
            "-g", str(each), "-n", str(launch["iterations"]), "-w", str(launch["warmup"]), "-c",
            "1" if launch["check"] else "0"]


def hostfile(launch):
    """What mpirun reads."""
    return "".join("%s slots=%d\n" % (host, launch["gpus"]) for host in launch["hosts"])


def extra(launch):
    """The variables that every rank is to have beside its own."""
    found = dict(_LOG, **launch["environment"])
    if launch["library_path"]:
        found["LD_LIBRARY_PATH"] = launch["library_path"]
    return found


def environment(launch, inherited):
    """All variables of the launcher's process."""
    kept = {name: value for name, value in inherited.items() if not name.startswith(_UNWANTED)}
    return dict(kept, **dict({"LC_ALL": "C", "PATH": kept.get("PATH") or _PATH}, **extra(launch)))
