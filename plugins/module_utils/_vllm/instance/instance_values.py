# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values of an instance, each checked by itself; the words of an error say what is legal.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import re

from ..._values import nearest

ENGINES = ("venv", "podman", "docker", "existing")
ROOT = "/opt/gpuwright"
_MOST_GPUS = 1024
DISTRIBUTED = ("native", "ray")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}\Z")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*\Z")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_VERSION = re.compile(r"\d+(\.\d+)+([a-z.+][\w.+]*)?\Z")
_SLICE = re.compile(r"[A-Za-z0-9][\w@.-]*\.slice\Z")
_LISTEN = re.compile(r"[A-Za-z0-9_.:-]+(%[\w.-]+)?\Z")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}\Z")
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_OF_ENGINE = ("kind", "version", "path", "image")
_OF_SEVERAL = ("nnodes", "node_rank", "nodes", "address", "addresses", "master_addr", "master_port", "interface",
               "distributed")


class BadInstance(Exception):
    """What was asked for cannot be; the text names it and says what is legal."""


def one_of(where, value, legal):
    """A word that must be one of some."""
    if not isinstance(value, str) or value not in legal:
        raise BadInstance("%s: %r is none; %s" % (where, value, nearest(value, legal)))
    return value


def name(value, where="an instance's name"):
    """A name that units, files and users can have."""
    if not isinstance(value, str) or not _NAME.match(value):
        raise BadInstance("%s: %r; legal are up to 40 small letters, digits and hyphens, the first no hyphen"
                          % (where, value))
    return value


def text(where, value):
    """One line that is not empty."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise BadInstance("%s: %r; legal is one line of text that is not empty" % (where, value))
    return value


def whole(where, value, least, most):
    """A whole number within bounds, perhaps as text, as from -e."""
    digits = str(value).strip()
    if isinstance(value, bool) or not digits.isdigit() or not least <= int(digits) <= most:
        raise BadInstance("%s: %r is no whole number from %d to %d" % (where, value, least, most))
    return int(digits)


def seconds(where, value):
    """Seconds, at most a day."""
    return whole(where, value, 1, 86400)


def listen(where, value):
    """An address, or a name that the node resolves."""
    if not isinstance(value, str) or not _LISTEN.match(value):
        raise BadInstance("%s, listen: %r; legal is one IP address of the node, or 0.0.0.0 for all" % (where, value))
    return value


def user(where, value):
    """The name of a user of the node."""
    if not isinstance(value, str) or not _USER.match(value):
        raise BadInstance("%s, user: %r is no user's name: up to 32 small letters, digits, _ and -" % (where, value))
    return value


def path_or_none(where, value):
    """An absolute path without detours and of printable characters, or nothing."""
    if value is None:
        return None
    if not isinstance(value, str) or not value.startswith("/") or not value.isprintable() or "//" in value or (
            {".", ".."} & set(value.split("/"))):
        raise BadInstance("%s: %r is no absolute path" % (where, value))
    return value.rstrip("/") or "/"


def model(where, value):
    """A hub's ORGANISATION/NAME, or an absolute path."""
    if isinstance(value, str) and value.startswith("/"):
        return path_or_none(where + ", model", value)
    if not isinstance(value, str) or not _HUB_ID.match(value):
        raise BadInstance("%s, model: %r; legal is ORGANISATION/NAME as on the hub, or an absolute path on the node"
                          % (where, value))
    return value


def source(where, value):
    """Where the files come from: {hub: URL}, {url: URL, sha256: DIGITS} or {path: PATH}; None, they are there."""
    if value is None:
        return None
    where += ", source"
    kinds = [kind for kind in ("hub", "url", "path") if isinstance(value, dict) and kind in value]
    if len(kinds) != 1 or set(value) - {kinds[0], "sha256"}:
        raise BadInstance("%s: %r; legal is one of {hub: URL}, {url: URL, sha256: DIGITS} and {path: PATH}"
                          % (where, value))
    kind, digits = kinds[0], value.get("sha256")
    if digits is not None and not _SHA256.match(str(digits)):
        raise BadInstance("%s: sha256 %r is no such sum: 64 hexadecimal digits" % (where, digits))
    if kind == "path":
        return dict(value, path=path_or_none(where, value["path"]))
    if not re.match(r"https?://[^\s/@]+(/\S*)?\Z", str(value[kind])):
        raise BadInstance("%s: %s %r is no URL of http or https without a password in it"
                          % (where, kind, re.sub(r"//.*@", "//(hidden)@", str(value[kind]))))
    if kind == "url" and digits is None:
        raise BadInstance("%s: a URL needs sha256, for nothing else says that the file is the one you mean" % where)
    return dict(value, **{kind: value[kind].rstrip("/") if kind == "hub" else value[kind]})


def argument_names(where, given):
    """{flag with dashes: value}; two spellings of one flag are an error, for one of them would be lost."""
    if not isinstance(given, dict):
        raise BadInstance("%s: %r; legal is a mapping of vllm serve's flags to values" % (where, given))
    named = {}
    for key, value in given.items():
        flag = str(key).strip()
        if not isinstance(key, str) or not flag or flag.startswith("-"):
            raise BadInstance("%s: %r; a flag is written without its leading dashes, as in max_model_len: 8192"
                              % (where, key))
        flag = flag.replace("_", "-")
        if flag in named:
            raise BadInstance("%s: %s is there twice, in two spellings: which value counts?" % (where, flag))
        named[flag] = value
    return named


def environment(where, given):
    """{NAME: text}."""
    if not isinstance(given, dict):
        raise BadInstance("%s, environment: %r; legal is a mapping of variables to texts" % (where, given))
    said = {}
    for key, value in given.items():
        if not isinstance(key, str) or not _VARIABLE.match(key):
            raise BadInstance("%s, environment: %r is no name of a variable" % (where, key))
        if isinstance(value, (bool, dict, list)) or value is None:
            raise BadInstance("%s, environment: %s: %r is no text; write \"1\" or \"0\" with quotes for yes and no"
                              % (where, key, value))
        if any(not letter.isprintable() for letter in str(value)):
            raise BadInstance("%s, environment: %s has a line break or a control character" % (where, key))
        said[key] = str(value)
    return said


def gpus(where, value):
    """None, how many, or which: numbers as nvidia-smi has them, UUIDs or PCI addresses."""
    if value is None:
        return None
    if isinstance(value, (list, tuple)):
        which = [str(one).strip() for one in value]
        if not which or any(isinstance(one, (bool, dict, list)) or not str(one).strip() for one in value):
            raise BadInstance("%s, gpus: %r; legal is how many, or a list of indices, UUIDs or PCI addresses"
                              % (where, value))
        if len(set(which)) != len(which):
            raise BadInstance("%s, gpus: %s: a GPU is named twice" % (where, ", ".join(which)))
        return which
    if isinstance(value, bool) or not str(value).strip().isdigit() or int(value) > _MOST_GPUS:
        raise BadInstance("%s, gpus: %r; legal is how many, from 0 to %d, or a list of indices, UUIDs or PCI addresses"
                          % (where, value, _MOST_GPUS))
    return int(value)


def engine(where, of_role, own):
    """{kind, version, path, image}: the instance's own words over the role's; a kind alone may be a word."""
    own = {"kind": own} if isinstance(own, str) else own
    if not isinstance(own, dict) or not isinstance(of_role, dict):
        raise BadInstance("%s, engine: %r; legal is a mapping of %s" % (where, own, ", ".join(_OF_ENGINE)))
    unknown = [key for key in own if key not in _OF_ENGINE]
    if unknown:
        raise BadInstance("%s, engine: no such key: %s: %s" % (where, unknown[0], nearest(unknown[0], _OF_ENGINE)))
    said = dict.fromkeys(_OF_ENGINE)
    said.update({key: value for key, value in list(of_role.items()) + list(own.items()) if value not in (None, "")})
    one_of(where + ", engine", said["kind"], ENGINES)
    if said["version"] is not None:
        if isinstance(said["version"], float):  # 0.10 is 0.1 in YAML.
            raise BadInstance("%s, engine: version %r is a number; legal is all of it, in quotes: \"0.33.0\""
                              % (where, said["version"]))
        said["version"] = str(said["version"]).strip().lstrip("v")
        if not _VERSION.match(said["version"]):
            raise BadInstance("%s, engine: version %r is none, as 0.33.0 is" % (where, said["version"]))
    return _engine_place(where, said)


def _engine_place(where, said):
    """What each kind of engine needs to be found by."""
    if said["kind"] in ("podman", "docker"):
        image = str(said["image"] or ("docker.io/vllm/vllm-openai:v%s" % said["version"] if said["version"] else ""))
        tag = image.rpartition("/")[2].partition(":")[2]
        if not image.isprintable() or " " in image or not (tag or "@sha256:" in image) or tag == "latest":
            raise BadInstance("%s, engine: image %r is not pinned; legal is a version, NAME:TAG with a tag other than "
                              "latest, or NAME@sha256:DIGITS" % (where, said["image"]))
        return dict(said, image=image, path=None)
    if said["kind"] == "venv" and not said["version"]:
        raise BadInstance("%s, engine: which version of vLLM? As in version: 0.33.0" % where)
    if said["kind"] == "existing" and not said["path"]:
        raise BadInstance("%s, engine: where is it? path is the program vllm, or the folder of its environment" % where)
    return dict(said, image=None, path=path_or_none(where + ", engine, path", said["path"])
                or "%s/vllm-%s" % (ROOT, said["version"]))


def slice_name(where, value):
    """A unit of kind slice, or nothing."""
    if value is not None and not (isinstance(value, str) and _SLICE.match(value)):
        raise BadInstance("%s, slice: %r; legal is a unit's name such as gpuwright.slice" % (where, value))
    return value


def several(where, value):
    """This node's part of an instance that runs on several, as the controller makes it."""
    if value is None:
        return None
    missing = [key for key in _OF_SEVERAL if not isinstance(value, dict) or key not in value]
    if missing or set(value) - set(_OF_SEVERAL):
        raise BadInstance("%s, several: it has exactly %s" % (where, ", ".join(_OF_SEVERAL)))
    count = whole(where + ", several, nnodes", value["nnodes"], 1, 100000)
    said = dict(value, nnodes=count, node_rank=whole(where + ", several, node_rank", value["node_rank"], 0, count - 1),
                master_port=whole(where + ", master_port", value["master_port"], 1024, 65535),
                distributed=one_of(where + ", distributed", value["distributed"], DISTRIBUTED))
    if len(said["nodes"]) != count or len(said["addresses"]) != count:
        raise BadInstance("%s, several: nodes and addresses have one entry for each of the %d nodes" % (where, count))
    return said
