# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What NVIDIA's public Xid catalogue says of each code: whether the GPU, the application or nobody has to do something.

PRIVATE to the collection. Pure. The class is the catalogue's "Resolution Bucket (Immediate Action)": `fatal` is a
GPU that needs a reset, a restart of the machine or hands on it; `application` a program to restart; `workflow` a
case for which NVIDIA prescribes an investigation or its support; `info` one to ignore. A code that the catalogue
lacks, calls unused or gives no bucket is `unknown`. Source:
https://docs.nvidia.com/deploy/xid-errors/analyzing-xid-catalog.html
"""

from __future__ import annotations

import re

UNKNOWN = "unknown"
_FATAL = {
    46: "GPU stopped processing", 54: "Auxiliary power is not connected to the GPU board",
    62: "Internal micro-controller halt", 64: "GPU memory remapping failure", 79: "GPU has fallen off the bus",
    95: "Uncontained memory error", 109: "Context Switch Timeout Error", 110: "Security Fault Error",
    119: "GSP RPC Timeout", 120: "GSP Error", 136: "Link Training Failed", 140: "ECC Unrecovered Error",
    143: "GPU Initialization Error", 151: "Key rotation Error", 155: "NVLINK: SW Defined Error",
    156: "Resource Retirement Event", 158: "GPU Fatal Timeout",
}
_APPLICATION = {
    8: "GPU stopped processing", 11: "Invalid or corrupted push buffer stream", 13: "Graphics Engine Exception",
    25: "Invalid or illegal push buffer stream", 31: "GPU memory page fault",
    32: "Invalid or corrupted push buffer stream", 39: "Copy Engine Exception", 40: "Copy Engine Exception",
    41: "Copy Engine Exception", 60: "Video processor exception", 68: "NVDEC0 Exception",
    69: "Graphics Engine class error", 80: "Corrupted data sent to GPU", 82: "NVJPG0 Error", 83: "NVDEC1 Error",
    84: "NVDEC2 Error", 86: "OFA Exception", 88: "NVDEC3 Error", 89: "NVDEC4 Error", 94: "Contained memory error",
    96: "NVDEC5 Error", 97: "NVDEC6 Error", 98: "NVDEC7 Error", 139: "OFA1 Error",
}
_APPLICATION.update((code, "CE%d: Unknown Error" % engine) for engine, code in enumerate(
    (70, 71, 72, 75, 76, 77, 85) + tuple(range(126, 136)), 3))
_APPLICATION.update((code, "NVJPG%d Error" % (code - 98)) for code in range(99, 106))
_WORKFLOW = {
    45: "Preemptive cleanup, due to previous errors", 48: "Double Bit ECC Error", 74: "NVLink Error",
    78: "vGPU Start Error", 142: "NVENC3 Error", 144: "NVLINK: SAW Error", 145: "NVLINK: RLW Error",
    146: "NVLINK: TLW Error", 147: "NVLINK: TREX Error", 148: "NVLINK: NVLPW_CTRL Error", 149: "NVLINK: NETIR Error",
    150: "NVLINK: MSE Error", 154: "GPU Recovery Action Changed", 159: "CHI Non-Data Error",
}
_INFO = {
    37: "Driver firmware error", 38: "Driver firmware error", 43: "GPU stopped processing",
    44: "Graphics Engine fault during context switch", 63: "GPU memory remapping event",
    66: "Illegal access by driver", 67: "Illegal access by driver", 92: "High single-bit ECC error rate",
    93: "Non-fatal violation of provisioned InfoROM wear limit", 106: "SMBPBI Test Message",
    107: "SMBPBI Test Message Silent", 121: "C2C Error", 137: "NVLink Privilege Error", 141: "CUDA Fast Path Error",
    152: "DLA SMMU Error", 153: "DLA timeout Error", 157: "Resource Retirement Failure",
    160: "Channel Retirement Event", 161: "Channel Retirement Failure",
}
_CLASSES = (("fatal", _FATAL), ("application", _APPLICATION), ("workflow", _WORKFLOW), ("info", _INFO))
# NVLink 5 says of each event whether it is fatal; the catalogue's workflow begins with that word.
_NVLINK5 = range(144, 151)
_RECOVERY = 154


def classify(code, words=""):
    """(severity class, name or None) of an Xid; `words` is what the driver wrote after the code."""
    for severity, codes in _CLASSES:
        if code in codes:
            return _by_words(code, severity, words), codes[code]
    return UNKNOWN, None


def _by_words(code, severity, words):
    if code in _NVLINK5 and re.search(r"\bFatal\b", words):
        return "fatal"
    if code == _RECOVERY:
        # "... changed from 0x0 (None) to 0x2 (Node Reboot Required)"
        asked = re.findall(r"\(([^()]*)\)", words)
        if asked:
            return "info" if asked[-1] == "None" else "fatal"
    return severity
