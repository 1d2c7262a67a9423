# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `nvidia-smi -q -x` says of a GPU's memory: ECC errors in all layouts, remapped rows, retired pages.

PRIVATE to the collection. Drivers counted single and double bits by unit first, then SRAM and DRAM, then SRAM by
parity and SEC-DED.
"""

from __future__ import annotations

from .._topology import nvidia_smi

_ANSWERS = {"Yes": True, "No": False, "Enabled": True, "Disabled": False}
_REPAIRS = ("channel_repair_pending", "tpc_repair_pending", "unrepairable_memory")


def _answer(element, path):
    return _ANSWERS.get(nvidia_smi.word(element, path))


def _total(element, *paths):
    """The sum of the counters that are there, None if none is."""
    told = [nvidia_smi.number(element, path) for path in paths]
    known = [value for value in told if value is not None]
    return sum(known) if known else None


def ecc(gpu):
    """Mode and error counts since the driver was loaded (volatile) and for ever (aggregate); None without ECC."""
    mode = nvidia_smi.word(gpu, "ecc_mode/current_ecc")
    if mode is None:
        return None
    found = {"enabled": _ANSWERS.get(mode), "pending": _answer(gpu, "ecc_mode/pending_ecc")}
    found.update((since, _errors(gpu, "ecc_errors/%s/" % since)) for since in ("volatile", "aggregate"))
    found["sram_threshold_exceeded"] = _answer(gpu, "ecc_errors/aggregate/sram_threshold_exceeded")
    found.update((name, _answer(gpu, "ecc_errors/" + name)) for name in _REPAIRS)
    return found


def _errors(gpu, folder):
    """Corrected and uncorrected errors; by SRAM and DRAM where the driver tells them apart."""
    sram = _total(gpu, *(folder + "sram_uncorrectable" + kind for kind in ("", "_parity", "_secded")))
    dram = _total(gpu, folder + "dram_uncorrectable")
    corrected = _total(gpu, folder + "sram_correctable", folder + "dram_correctable")
    known = [value for value in (sram, dram) if value is not None]
    if corrected is None and not known:
        return {"corrected": _bits(gpu, folder + "single_bit"), "uncorrected": _bits(gpu, folder + "double_bit"),
                "sram_uncorrected": None, "dram_uncorrected": None}
    return {"corrected": corrected, "uncorrected": sum(known) if known else None,
            "sram_uncorrected": sram, "dram_uncorrected": dram}


def _bits(gpu, path):
    """The total of the oldest layout, or the sum of its units where it gives none."""
    total = nvidia_smi.number(gpu, path + "/total")
    units = gpu.find(path)
    if total is not None or units is None:
        return total
    return _total(units, *(unit.tag for unit in units))


def remapped_rows(gpu):
    """Rows replaced, and whether a replacement waits for a reset or failed; None before Ampere."""
    section = gpu.find("remapped_rows")
    if section is None or _answer(section, "remapped_row_pending") is None:
        return None
    return {
        "corrected": nvidia_smi.number(section, "remapped_row_corr"),
        "uncorrected": nvidia_smi.number(section, "remapped_row_unc"),
        "pending": _answer(section, "remapped_row_pending"),
        "failure": _answer(section, "remapped_row_failure"),
        "banks_without_spare": nvidia_smi.number(section, "row_remapper_histogram/row_remapper_histogram_none"),
    }


def retired_pages(gpu):
    """Pages retired, and whether more wait for a reset; None where rows are remapped instead."""
    section = gpu.find("retired_pages")
    if section is None:
        return None
    pending = [_answer(section, name) for name in ("pending_retirement", "pending_blacklist")]
    found = {"single_bit": nvidia_smi.number(section, "multiple_single_bit_retirement/retired_count"),
             "double_bit": nvidia_smi.number(section, "double_bit_retirement/retired_count"),
             "pending": next((answer for answer in pending if answer is not None), None)}
    return None if all(value is None for value in found.values()) else found
