# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tuned profile with all that it includes, merged the way the tuned daemon merges it.

PRIVATE to the collection. A unit is a section of the merged profile: {"name", "type", "enabled", "devices",
"cpuinfo_regex", "uname_regex", "priority", "options": {option: (text, file)}}; texts still have their variables.
"""

from __future__ import annotations

import configparser
import re

MAIN_FILE = "/etc/tuned/tuned-main.conf"
# Nearest first. Since 2.24 the profiles lie one folder deeper; a user's folder hides the vendor's.
FOLDERS = ("/etc/tuned/profiles", "/etc/tuned", "/usr/lib/tuned/profiles", "/usr/lib/tuned")
_TRUE = ("1", "true", "True")
REGEXES = ("cpuinfo_regex", "uname_regex", "devices_udev_regex")
_HEADER = "no section"


class BrokenProfile(Exception):
    """A profile that tuned would refuse to load; the text says why."""


def load(host, names):
    """The merged profile of the profile names in `names`: (units, variables).

    The units are in the order in which tuned applies them; variables are {name: text}, None for one that only the
    running tuned could tell. Raises BrokenProfile.
    """
    layers = []
    _load(host, names, layers, set())
    units = {}
    for layer in layers:
        for name, unit in layer.items():
            _merge(units, name, unit)
    variables = _variables(host, units.pop("variables", None))
    usual = main_settings(host).get("default_instance_priority", "0")
    ordered = sorted(units.values(), key=lambda unit: _number(unit["priority"] or usual))
    return ordered, variables


def main_settings(host):
    """The settings of tuned-main.conf, as texts."""
    return {name: text or "" for name, text in _parse(host, MAIN_FILE, headless=True).get(_HEADER, {}).items()}


def folders(host):
    """Where profiles are looked for, nearest first."""
    named = [one.strip() for one in re.split("[,;]", main_settings(host).get("profile_dirs", "")) if one.strip()]
    return tuple(reversed(named)) or FOLDERS


def user_folder(host):
    """The folder for profiles of this machine."""
    if main_settings(host).get("profile_dirs"):
        return folders(host)[0]
    return FOLDERS[0] if host.is_folder(FOLDERS[2]) else FOLDERS[1]


def has_drop(host):
    """Whether this tuned knows drop= (2.13 and later); False where its version cannot be found."""
    pythons = [name for name in host.names("/usr/lib") if name.startswith("python3")]
    for place in ["/usr/lib/%s/%s-packages" % (name, kind) for name in pythons for kind in ("dist", "site")]:
        text = host.text(place + "/tuned/version.py") or ""
        found = re.search(r"MAJOR = (\d+)\s+TUNED_VERSION_MINOR = (\d+)", text)
        if found:
            return (int(found.group(1)), int(found.group(2))) >= (2, 13)
    return False


def expand(text, variables):
    """`text` with its variables, or None if it needs what only the running tuned can tell (a function, an unknown)."""
    for name in re.findall(r"(?<!\\)\$\{(\w+)\}", text):
        if variables.get(name) is None:
            return None
    text = re.sub(r"(?<!\\)\$\{(\w+)\}", lambda found: variables[found.group(1)], text)
    return None if re.search(r"(?<!\\)\$\{", text) else text.replace("\\${", "${")


def applies(host, unit, variables):
    """Whether tuned uses this unit on this node: enabled, and its regular expressions match."""
    settings = main_settings(host)
    subjects = {"cpuinfo_regex": lambda: settings.get("cpuinfo_string") or host.text("/proc/cpuinfo") or "",
                "uname_regex": lambda: settings.get("uname_string") or _uname(host)}
    for name, subject in subjects.items():
        pattern = unit[name] and expand(unit[name], variables)
        if pattern and not _found(pattern, subject()):
            return False
    return unit["enabled"]


def _found(pattern, subject):
    try:
        return re.search(pattern, subject, re.MULTILINE) is not None
    except re.error:
        return False


def _uname(host):
    """What os.uname() says on that node, as far as its files tell."""
    words = [host.text("/proc/sys/kernel/" + name) or "" for name in ("ostype", "hostname", "osrelease", "version")]
    processor = host.text("/proc/cpuinfo") or ""
    machine = host.text("/proc/sys/kernel/arch") or (
        "aarch64" if "CPU implementer" in processor else "x86_64" if "vendor_id" in processor else "")
    return " ".join(words + [machine])


def _load(host, names, layers, done):
    for name in names:
        path = _find(host, name, done)
        if path is None:
            continue
        done.add(path)
        sections = _parse(host, path)
        main = sections.pop("main", {})
        if "include" in main:
            text = expand(_virtual_or_not(host, main["include"]), {})
            if text is None:
                raise BrokenProfile("%s: include=%s can only be told by the running tuned" % (path, main["include"]))
            _load(host, re.split(r"\s*[,;]\s*", text), layers, done)
        layers.append({name: _unit(name, options, path) for name, options in sections.items()})


def _virtual_or_not(host, text):
    """The one function that tuned's own profiles use in include=: ${f:virt_check:in a guest:on real hardware}."""
    guest = bool(re.search(r"^flags\s*:.*\bhypervisor\b", host.text("/proc/cpuinfo") or "", re.M)
                 or host.text("/sys/hypervisor/type"))
    return re.sub(r"\$\{f:virt_check:([^:${}]*):([^:${}]*)\}", r"\1" if guest else r"\2", text)


def _find(host, name, done):
    """The file of a profile, None for one that may be left out. A file already read stands for the next folder's."""
    optional = name.startswith("-")
    name = name.lstrip("-").rpartition("/")[2] if optional else name.rpartition("/")[2]
    for folder in folders(host):
        path = "%s/%s/tuned.conf" % (folder, name)
        if path in done:
            optional = True
        elif host.exists(path):
            return path
    if optional:
        return None
    raise BrokenProfile("tuned profile %s is not in %s" % (name, ", ".join(folders(host))))


def _parse(host, path, headless=False):
    """An ini file as tuned reads it: {section: {option: text}}. One without sections is under one made-up section."""
    parser = configparser.ConfigParser(delimiters=("=",), inline_comment_prefixes=("#",), strict=False,
                                       allow_no_value=headless, interpolation=None)
    parser.optionxform = str
    try:
        parser.read_string(("[%s]\n" % _HEADER if headless else "") + (host.text(path) or ""))
    except configparser.Error as error:
        raise BrokenProfile("%s: %s" % (path, str(error).replace("\n", " ")))
    here = path.rpartition("/")[0]
    return {section: {option: text if text is None else re.sub(r"(?<!\\)\$\{i:PROFILE_DIR\}", lambda found: here, text)
                      for option, text in parser[section].items()} for section in parser.sections()}


def _unit(name, options, path):
    options = dict(options)
    drop = options.pop("drop", None)
    unit = {"name": name, "type": options.pop("type", name), "enabled": options.pop("enabled", "1") in _TRUE,
            "replace": options.pop("replace", "") in _TRUE, "prepend": options.pop("prepend", "") in _TRUE,
            "drop": re.split(r"\b\s*[,;]\s*", drop) if drop else [], "devices": options.pop("devices", "*"),
            "priority": options.pop("priority", None)}
    unit.update((regex, options.pop(regex, None)) for regex in REGEXES)
    unit["options"] = {option: (text, path) for option, text in options.items()}
    return unit


def _merge(units, name, new):
    old = units.get(name)
    if old is None or new["replace"]:
        units[name] = new
        return
    old.update({field: new[field] for field in ("type", "enabled", "devices")})
    old.update({field: new[field] for field in REGEXES + ("priority",) if new[field] is not None})
    for option in new["drop"]:
        old["options"].pop(option, None)
    first = {option: pair for option, pair in new["options"].items() if new["prepend"] and option not in old["options"]}
    old["options"].update(new["options"])
    old["options"] = dict(first, **{option: pair for option, pair in old["options"].items() if option not in first})


def _variables(host, unit):
    """Every variable, each expanded with those before it; include= reads a file of more."""
    known = {}
    for option, (text, _path) in (unit or {"options": {}})["options"].items():
        if option != "include":
            known[option] = expand(text, known)
            continue
        path = re.sub("/+", "/", text)
        if not host.exists(path):
            continue
        for section in _parse(host, path, headless=True).values():
            for name, value in section.items():
                if value is not None:
                    known[name] = expand(value, known)
    return known


def _number(text):
    try:
        return int(text)
    except ValueError:
        return 0
