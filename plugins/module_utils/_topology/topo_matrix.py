# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parses the matrix that `nvidia-smi topo -m` prints: GPU links, NIC closeness, CPU and NUMA affinity.

PRIVATE to the collection. Pure. The legend below the matrix names every kind of link, so only rows count; what a cell
belongs to is told by tabs where they survived, else by its column, for a blank affinity leaves no other trace.
"""

from __future__ import annotations

import re

KINDS = ("PIX", "PXB", "PHB", "NODE", "SYS")
_AFFINITY = (("CPU Affinity", "cpus"), ("NUMA Affinity", "numa"), ("GPU NUMA ID", "gpu_numa_id"))
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|\x1b[=>]")
_GPU = re.compile(r"GPU\d+\Z")
# SOC is what drivers before 384 called SYS, PSB the link of two GPUs on one board.
_CELL = re.compile(r"(?:X|NV\d+|PIX|PXB|PHB|NODE|SYS|SOC|PSB|C2C|N/A|NA|-|\?)\Z")
_LEGEND = re.compile(r"\s*(NIC\d+)\s*[:=]\s*(\S+)\s*\Z")


def parse(text):
    """{columns, legend, affinity_columns, links: {row: {column: kind}}, affinity: {row: {cpus, numa, gpu_numa_id}}}."""
    result = {"columns": [], "legend": {}, "affinity_columns": [], "links": {}, "affinity": {}}
    columns, places = [], {}
    for line in _whole_lines(_ESCAPE.sub("", text).replace("\r", "").split("\n")):
        words = line.split()
        if _is_header(words):
            columns, places = _header(line, result)
        elif _LEGEND.match(line):
            nic, name = _LEGEND.match(line).groups()
            result["legend"][nic] = name
        elif words and words[0] in columns:
            _row(line, words, columns, places, result)
    return result


def _whole_lines(lines):
    """The lines with those put together again that whoever pasted the matrix had wrapped."""
    whole, inside = [], False
    for line in lines:
        words = line.split()
        if _is_header(words) and not (inside and _is_header(whole[-1].split()) and words[0] not in whole[-1].split()):
            inside = True
        elif not words or not inside or words[0].endswith(":"):
            inside = False
        elif len(words) == 1 or not _CELL.match(words[1]) or _CELL.match(words[0]):
            broken = whole[-1].rstrip()[-1:] in (",", "-") and "Affinity" not in words
            gap = "" if broken else "\t" if "\t" in whole[-1].strip() else "  "
            whole[-1] = whole[-1].rstrip() + gap + line.strip()
            continue
        whole.append(line)
    return whole


def _is_header(words):
    return bool(words) and bool(_GPU.match(words[0])) and not (len(words) > 1 and _CELL.match(words[1]))


def _header(line, result):
    """Take the columns of a header line: ([link columns], {affinity key: its column of text})."""
    columns = re.split("CPU Affinity|NUMA Affinity|GPU NUMA ID", line)[0].split()
    places = {}
    for title, key in _AFFINITY:
        if title in line:
            places[key] = len(line[:line.index(title)].expandtabs(8))
            if title not in result["affinity_columns"]:
                result["affinity_columns"].append(title)
    result["columns"] += [column for column in columns if column not in result["columns"]]
    return columns, places


def _row(line, words, columns, places, result):
    """Take one row of the matrix."""
    name = words[0]
    cells = []
    rest = line.lstrip()[len(name):]
    offset = len(line) - len(rest)
    for match in re.finditer(r"\S+", rest):
        if len(cells) == len(columns) or not _CELL.match(match.group()):
            break
        cells.append("SYS" if match.group() == "SOC" else match.group())
        offset = len(line) - len(rest) + match.end()
    if not cells:
        return
    links = result["links"].setdefault(name, {})
    links.update((column, cell) for column, cell in zip(columns, cells) if cell != "X")
    if len(cells) == len(columns) and places and _GPU.match(name):
        result["affinity"][name] = _affinity(line, offset, places)


def _affinity(line, offset, places):
    """The affinities at the end of a row."""
    rest = line[offset:]
    keys = [key for _title, key in _AFFINITY if key in places]
    found = dict.fromkeys(keys)
    if rest.count("\t") >= len(keys):
        # As nvidia-smi writes it: one tab before each value, and a second one before the GPU's own node.
        values = [value.strip() for value in rest.split("\t")[1:]]
        if "gpu_numa_id" in keys and len(values) > len(keys):
            del values[2]
        found.update((key, value or None) for key, value in zip(keys, values))
        return found
    values = list(re.finditer(r"\S+", rest))
    if len(values) == len(keys):
        found.update((key, value.group()) for key, value in zip(keys, values))
        return found
    for value in values:
        start = len(line[:offset + value.start()].expandtabs(8))
        free = [key for key in keys if found[key] is None and (key == "cpus" or not _is_cpus(value.group()))]
        if free:
            found[min(free, key=lambda key: abs(places[key] - start))] = value.group()
    return found


def _is_cpus(text):
    return "-" in text or "," in text


def nics(matrix):
    """{column: device name} of the columns that are NICs, by the legend where there is one."""
    names = [column for column in matrix["columns"] if not _GPU.match(column)]
    return {name: matrix["legend"].get(name, name) for name in names}


def gpus(matrix):
    """The rows that are GPUs, in order: {name, index, links, affinity}."""
    rows = [name for name in matrix["links"] if _GPU.match(name)]
    return [{"name": name, "index": int(name[3:]), "links": matrix["links"][name],
             "affinity": matrix["affinity"].get(name, {})} for name in sorted(rows, key=lambda name: int(name[3:]))]
