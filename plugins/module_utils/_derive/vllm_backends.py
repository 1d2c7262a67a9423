# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether vLLM runs a quantisation, an attention backend and a type of KV cache on a GPU, and whether it is fast there.

PRIVATE to the collection. Pure. The table (vllm_backends_table.py) was read from the source of vLLM 0.32; other
versions may have moved a limit.
"""

from __future__ import annotations

import re

from .._values import nearest
from .vllm_backends_table import ATTENTION, OTHER_ATTENTION, PRODUCTS, QUANTIZATION

_WIDE = ("auto", "float16", "half", "bfloat16")
_KV = tuple(sorted({one for entry in ATTENTION.values() for one in entry["kv"]}))
_SPECIAL_KV = ("fp8_inc", "nvfp4_ds_mla", "turboquant_k8v4", "turboquant_4bit_nc", "turboquant_k3v4_nc",
               "turboquant_3bit_nc", "ultraquant_4bit")


def capability(gpu):
    """'9.0' or 'gfx942' of one of the topology's GPUs, by its product; None where it cannot be told."""
    for key in ("compute_capability", "architecture"):
        if gpu.get(key):
            try:
                return _words(_parse(gpu[key]))
            except ValueError:
                continue
    name = gpu.get("name")
    return next((found for expression, found in PRODUCTS if re.search(expression, name)),
                None) if isinstance(name, str) else None


def runs(compute_capability, quantization=None, attention_backend=None, kv_cache_dtype=None):
    """{"runs", "fast", "why", "instead"}: what is asked for, on this GPU. Raises ValueError for a name vLLM lacks.

    `compute_capability` is "9.0", 9.0, 90, (9, 0) or an AMD architecture such as "gfx942".
    """
    here = _parse(compute_capability)
    verdicts = []
    if quantization is not None:
        verdicts.append(_quantization(here, quantization))
    backend = _backend_name(attention_backend)
    if backend in ATTENTION:
        verdicts.append(_attention(here, backend, ATTENTION[backend]))
    if kv_cache_dtype is not None:
        verdicts.append(_cache(here, kv_cache_dtype, backend))
    failed = [one for one in verdicts if not one["runs"]]
    slow = [one for one in verdicts if not one["fast"]]
    named = failed or slow
    return {"runs": not failed, "fast": not slow, "why": "; ".join(one["why"] for one in named or verdicts),
            "instead": next((one["instead"] for one in named if one["instead"]), None)}


def _parse(given):
    """(9, 0), or the text of an AMD architecture."""
    text = "%d.%d" % given if isinstance(given, tuple) and len(given) == 2 else str(given).strip().lower()
    if re.match(r"^gfx[0-9a-f]{3,4}", text):
        return text.split(":")[0]
    match = re.match(r"^(?:sm_?)?(\d{1,2})\.(\d)[af]?$|^(?:sm_?)?(\d{1,2})(\d)[af]?$", text)
    if not match or isinstance(given, bool):
        raise ValueError("%.40r is no compute capability such as 9.0, and no architecture such as gfx942" % (given,))
    return int(match.group(1) or match.group(3)), int(match.group(2) or match.group(4))


def _words(here):
    return here if isinstance(here, str) else "%d.%d" % here


def _within(here, entry):
    """Whether the capability is in an entry's range."""
    if isinstance(here, str):
        return here in entry.get("amd", ())
    if "least" not in entry or here < entry["least"] or here > entry.get("most", here):
        return False
    return here[0] in entry.get("majors", (here[0],))


def _fast(here, entry):
    return here in entry.get("amd_fast", ()) if isinstance(here, str) else here >= entry.get("fast", (99, 0))


def _range(entry, amd):
    if amd:
        return "runs on %s" % (", ".join(entry.get("amd", ())) or "NVIDIA GPUs only")
    if "least" not in entry:
        return "runs on AMD GPUs only"
    if "majors" in entry:
        return "runs on compute capability %s only" % " and ".join("%d.x" % one for one in entry["majors"])
    most = " to %d.%d" % entry["most"] if "most" in entry else " on"
    return "runs from compute capability %d.%d%s" % (*entry["least"], most)


def _verdict(here, name, entry, instead):
    """What the table says of one entry here."""
    source = "(vLLM 0.32, %s)" % entry["source"]
    if not _within(here, entry):
        words = "%s does not run on %s: it %s %s" % (name, _words(here), _range(entry, isinstance(here, str)), source)
        return {"runs": False, "fast": False, "why": words, "instead": instead}
    if _fast(here, entry):
        return {"runs": True, "fast": True, "why": "%s runs on %s, and is fast there %s" % (name, _words(here), source),
                "instead": None}
    why = entry.get("slow") or "there are no kernels of its own for it"
    if isinstance(here, str):
        why = "this GPU has no instructions or tuned kernels for it"
    return {"runs": True, "fast": False, "why": "%s runs on %s, but slowly: %s %s" % (name, _words(here), why, source),
            "instead": instead}


def _quantization(here, name):
    key = str(name).lower()
    if key not in QUANTIZATION:
        raise ValueError("vLLM 0.32 has no quantization %.40r: %s" % (name, nearest(key, QUANTIZATION)))
    entry = QUANTIZATION[key]
    return _verdict(here, "quantization %s" % key, entry, entry["instead"])


def _backend_name(name):
    """The name as in the table, or None where vLLM chooses."""
    if name is None or str(name).lower() == "auto":
        return None
    key = str(name).upper()
    if key not in ATTENTION and key not in OTHER_ATTENTION:
        raise ValueError("vLLM 0.32 has no attention backend %.40r: %s" % (name, nearest(key, [*ATTENTION])))
    return key


def _attention(here, name, entry):
    """An attention backend; what is instead is the first of the same sort that is fast here."""
    better = next((other for other, one in ATTENTION.items() if bool(one.get("mla")) == bool(entry.get("mla"))
                   and not one.get("only_kv") and _within(here, one) and _fast(here, one)), None)
    if better is None and not _within(here, entry):
        better = "TRITON_MLA" if entry.get("mla") else "TRITON_ATTN"
    found = _verdict(here, "attention backend %s" % name, entry, better)
    if found["runs"] and not found["fast"] and better is None:
        return dict(found, fast=True, why="attention backend %s is what there is on %s (vLLM 0.32, %s)" % (
            name, _words(here), entry["source"]))
    return found


def _takes(here, name, dtype):
    """Whether a backend runs here with this type of KV cache."""
    entry = ATTENTION[name]
    if not _within(here, entry):
        return False
    if dtype == "bfloat16" and not isinstance(here, str) and here < (8, 0):
        return False
    if dtype in _WIDE:
        return not entry.get("only_kv")
    if dtype not in entry["kv"] or isinstance(here, str):
        return dtype in entry["kv"]
    majors = entry.get("kv_majors", {}).get(dtype, (here[0],))
    return here >= entry.get("kv_least", {}).get(dtype, (0, 0)) and here[0] in majors


def _cache(here, dtype, backend):
    """A type of KV cache, with a backend or with any."""
    key = str(dtype).lower()
    if key not in _WIDE + _KV + _SPECIAL_KV:
        raise ValueError("vLLM 0.32 has no kv_cache_dtype %.40r: %s" % (dtype, nearest(key, [*_WIDE, *_KV])))
    if key in _SPECIAL_KV or (backend is not None and backend not in ATTENTION):
        return {"runs": True, "fast": True, "why": "kv_cache_dtype %s is not judged here" % key, "instead": None}
    able = [name for name in ATTENTION if _takes(here, name, key)]
    plain = [name for name in able if not ATTENTION[name].get("mla")] or able
    if backend is not None and backend not in able:
        return {"runs": False, "fast": False, "why": "kv_cache_dtype %s does not run with %s on %s (vLLM 0.32, %s)" % (
            key, backend, _words(here), ATTENTION[backend]["source"]),
            "instead": "attention backend %s" % plain[0] if plain else "kv_cache_dtype auto"}
    if not able:
        return {"runs": False, "fast": False, "instead": "kv_cache_dtype auto",
                "why": "no attention backend takes kv_cache_dtype %s on %s (vLLM 0.32, v1/attention/backends)" % (
                    key, _words(here))}
    native = _native(here, key)
    words = "kv_cache_dtype %s runs on %s with %s" % (key, _words(here), backend or plain[0])
    return {"runs": True, "fast": native, "instead": None if native else "kv_cache_dtype auto, if memory allows",
            "why": words if native else words + ", but without arithmetic of its own: it saves memory and no time"}


def _native(here, key):
    """Whether the GPU calculates in this format."""
    if key in _WIDE or key.startswith("int"):
        return True
    if isinstance(here, str):
        return here in ("gfx942", "gfx950")
    return here >= ((10, 0) if key.startswith("nvfp4") else (8, 9))
