# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes meta/argument_specs.yml and README.md of every role from its rows and defaults, and the table of
interconnects; --check only compares.

The rows say what a setting is, defaults/main.yml says which value it gets and, in its comments, why. A role without
rows does something instead of setting it: there the comments say what its variables are.
"""

from __future__ import annotations

import pathlib
import re
import sys

import yaml

CHECKOUT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT / ".cache" / "collections"))

from ansible_collections.gpuwright.node.plugins.module_utils._derive import interconnect  # noqa: E402
from ansible_collections.gpuwright.node.plugins.module_utils._settings.catalogue import ROLES  # noqa: E402
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.instance import presets  # noqa: E402

_WRITTEN = "Written by docs/generate.py from the rows and the defaults: change those, then `make docs`."
_EFFECT = {"now": "at once", "next process": "for processes started later", "reboot": "after a reboot"}
_DISRUPTION = {"none": "", "process": "; running processes must restart to see it", "link": "; may stall traffic",
               "reboot": ""}


# What roles without rows need in words beside their variables: before the table of them, and after it.
_BEFORE = {
    "vllm_service": "The playbook `gpuwright.node.vllm` is this role in batches over all nodes: with `--check --diff` "
                    "it says what would start or restart, with each command, and changes nothing. It needs systemd. "
                    "An engine or model files that are there already must be within reach of the user who runs it.",
    "vllm_benchmark": "The playbook: `gpuwright.node.benchmark --tags vllm`.",
}
_AFTER = {"vllm_service": (
    "## What is checked", "",
    "Before anything changes; an error stops the run:", "",
    "- Names, types and ranges of arguments, by the help of the installed engine; `VLLM_*` variables (R31).",
    "- Weights and KV cache for `max_model_len` fit, heads divide, the sizes give the GPUs of all nodes (R29).",
    "- A tensor-parallel group that crosses nodes, or NUMA nodes without NVLink; `enforce_eager` (R30).",
    "- Threads on CPUs that the kernel isolates (R1), `numa_bind` where CPUs are restricted (R3), GPUs whose CPUs the "
    "unit may not use (R5).",
    "- Locked memory without limit (R15), `/dev/shm` and RemoveIPC (R35).",
    "- Driver, free GPU memory and who has it, ports, container tools; of a replica, addresses and versions alike.", "",
    "After the start: `/health`, the model's name, a completion, metrics, and from `/proc` of each worker its CPUs, "
    "its memory and its limits."),
}


class _Indented(yaml.SafeDumper):
    """Lists indented below their key, as yamllint wants them."""

    def increase_indent(self, flow=False, indentless=False):
        """Never without an indent."""
        return super().increase_indent(flow, False)


def read_defaults(role):
    """The default of every variable, and the groups of variables that share one comment: [(names, comment), ...].

    What follows an empty line of a comment is an example, and is in `examples` alone.
    """
    text = (CHECKOUT / "roles" / role / "defaults" / "main.yml").read_text()
    groups = []
    for block in re.split(r"\n\s*\n", text):
        names = re.findall(r"^([a-z]\w*):", block, re.M)
        comment = " ".join(re.findall(r"^# ?(.*)$", block.partition("\n#\n")[0], re.M))
        if names:
            groups.append((names, comment))
    return yaml.safe_load(text) or {}, groups


def examples(role):
    """The YAML in the comments of a role's defaults."""
    text = (CHECKOUT / "roles" / role / "defaults" / "main.yml").read_text()
    return [re.findall(r"^# ?(.*)$", found, re.M) for found in re.findall(r"^#\n((?:#.*\n)+)", text, re.M)]


def describe(row):
    """What a row is, as the sentences of its option's description."""
    legal = row.value.describe()
    return [row.doc, "Legal is %s, or null for a setting that is not managed.%s"
            % (legal, " It is only ever raised." if row.raise_only else ""),
            "Setting C(%s). Takes effect %s%s." % (row.name, _EFFECT[row.effect], _DISRUPTION[row.disruption]),
            "Source U(%s)." % row.source]


def specification(role, defaults):
    """The text of meta/argument_specs.yml.

    The type of a setting is raw: any other makes Ansible refuse null for an option that has a default. The row itself
    checks the value, before anything is written, and says more than a type would.
    """
    options = {}
    for row in ROLES[role].ROWS:
        options[row.variable] = {"type": "raw", "description": describe(row)}
    for option in ROLES[role].OPTIONS:
        legal = ["One of %s." % ", ".join("V(%s)" % word for word in option["choices"])] if _own(option) else []
        options[option["name"]] = dict(
            {key: option[key] for key in ("type", "choices", "elements") if key in option and not
             (key == "choices" and _own(option))},
            description=[option["doc"]] + legal)
    for name, option in options.items():
        if defaults.get(name) is not None:
            option["default"] = defaults[name]
    entry = {"short_description": summary(role),
             "description": ["A setting that is null is not managed, and what was found before comes back."],
             "options": {name: options[name] for name in sorted(options)}}
    return "---\n# %s\n%s" % (_WRITTEN, yaml.dump({"argument_specs": {"main": entry}}, Dumper=_Indented,
                                                 sort_keys=False, width=74, allow_unicode=True))


def _own(option):
    """Whether the module checks the choices: in one line, which Ansible would bury in all of the role's words."""
    return "choices" in option and option["type"] == "raw"


def summary(role):
    """What the role is for: the first line of its catalogue file, without the name of the role."""
    words = ROLES[role].__doc__.splitlines()[0].partition(": ")[2].rstrip(".")
    return words[:1].upper() + words[1:]


def markdown(text):
    """Ansible's markup as Markdown."""
    text = re.sub(r"\b[COVM]\(([^)]*)\)", r"`\1`", text)
    return re.sub(r"\bU\(([^)]*)\)", r"<\1>", text)


def shown(value):
    """A default in a cell of a table."""
    if value is None:
        return "not managed"
    if isinstance(value, str) and "{{" in value:
        return "derived"
    return "`%s`" % yaml.safe_dump(value, default_flow_style=True).replace("\n...", "").strip()


def readme(role, defaults, groups):
    """The text of README.md."""
    lines = ["# gpuwright.node.%s" % role, "", "<!-- %s -->" % _WRITTEN, "", "%s." % summary(role), "", "```yaml",
             "- hosts: gpu_nodes", "  become: true", "  pre_tasks:", "    - gpuwright.node.topology_facts:", "  roles:",
             "    - gpuwright.node.%s" % role, "```", "",
             "`--check --diff` shows the same plan without writing. A variable set to `null` is not managed, and what "
             "was found before comes back; `gpuwright.node.rollback` does that for everything.", "", "## Settings", "",
             "| variable | setting | default | legal | takes effect |", "|---|---|---|---|---|"]
    for row in ROLES[role].ROWS:
        lines.append("| `%s` | [`%s`](%s) | %s | %s%s | %s |" % (
            row.variable, row.name, row.source, shown(defaults.get(row.variable)), row.value.describe(),
            ", only raised" if row.raise_only else "", _EFFECT[row.effect] + _DISRUPTION[row.disruption]))
    lines.append("")
    for row in ROLES[role].ROWS:
        lines.append("- `%s`: %s" % (row.variable, markdown(row.doc)))
    if ROLES[role].OPTIONS:
        lines += ["", "## Options", "", "| variable | type | default | what it is |", "|---|---|---|---|"]
    for option in ROLES[role].OPTIONS:
        kind = " or ".join("`%s`" % choice for choice in option.get("choices", ())) or option["type"]
        lines.append("| `%s` | %s | %s | %s |" % (
            option["name"], kind, shown(defaults.get(option["name"])), markdown(option["doc"])))
    lines += ["", "## Why these defaults", ""]
    lines += ["- %s: %s" % (", ".join("`%s`" % name for name in names), why) for names, why in groups if why]
    if ROLES[role].RULES:
        lines += ["", "## What is checked across settings", ""]
    lines += ["- %s" % rule.__doc__.strip().splitlines()[0] for rule in ROLES[role].RULES]
    return "\n".join(lines) + "\n"


def plain_roles():
    """The roles that have no rows."""
    return sorted(path.name for path in (CHECKOUT / "roles").iterdir() if path.name not in ROLES)


def purpose(role):
    """What a role without rows is for: the description that it has in Ansible's catalogue of roles."""
    return yaml.safe_load((CHECKOUT / "roles" / role / "meta" / "main.yml").read_text())["galaxy_info"]["description"]


def plain_specification(role, defaults, groups):
    """meta/argument_specs.yml of a role without rows. Its action checks the values, and says more than a type would."""
    options = {name: dict({"type": "raw", "description": [why]},
                          **({} if defaults[name] is None else {"default": defaults[name]}))
               for names, why in groups for name in names}
    entry = {"short_description": purpose(role), "options": {name: options[name] for name in sorted(options)}}
    return "---\n# %s\n%s" % (_WRITTEN, yaml.dump({"argument_specs": {"main": entry}}, Dumper=_Indented,
                                                 sort_keys=False, width=74, allow_unicode=True))


def plain_readme(role, defaults, groups):
    """README.md of a role without rows."""
    lines = ["# gpuwright.node.%s" % role, "", "<!-- %s -->" % _WRITTEN, "", "%s." % purpose(role), "", "```yaml",
             "- hosts: gpu_nodes", "  become: true", "  pre_tasks:", "    - gpuwright.node.topology_facts:", "  roles:",
             "    - gpuwright.node.%s" % role, "```", ""]
    lines += [_BEFORE[role], ""] if role in _BEFORE else []
    lines += ["| variable | default | what it is |", "|---|---|---|"]
    lines += ["| `%s` | %s | %s |" % (name, "none" if defaults[name] is None else shown(defaults[name]), why)
              for names, why in groups for name in names]
    for example in examples(role):
        lines += ["", "```yaml", *example, "```"]
    lines += presets_of_vllm() if role == "vllm_service" else []
    lines += ["", *_AFTER[role]] if role in _AFTER else []
    return "\n".join(lines) + "\n"


def presets_of_vllm():
    """What the presets of role vllm_service say, and which values of the guides none of them says, for its README."""
    lines = ["", "## Presets", "", "| preset | what it says to vLLM |", "|---|---|"]
    lines += ["| `%s` | %s |" % (name, ", ".join("`%s: %s`" % item for item in said.items()) or "nothing: vLLM's own")
              for name, said in presets.PRESETS.items()]
    lines += ["", "Guides say more. Each of these can go into `vllm_service_arguments` or an instance's `arguments`; "
              "no preset does:", "", "| flag | guides | why not |", "|---|---|---|"]
    return lines + ["| `%s` | `%s` | %s |" % left for left in presets.LEFT_TO_VLLM]


def interconnects():
    """docs/interconnects.md: what links carry, as the benchmark's expectation and the placement count with it."""
    heads, *rows = interconnect.rows()
    cells = [[re.sub(r"(https?://\S+)", r"<\1>", cell.replace("|", "\\|")) for cell in row] for row in rows]
    lines = ["# What links carry", "", "<!-- Written by docs/generate.py from _derive/interconnect_table.py. -->", "",
             "GB/s per direction, before any protocol above the link. The benchmark's expectation and the placement of "
             "models count with these numbers. An empty cell is not known. S0, S1 and S2 are the guides whose literal "
             "values `inventories/as_documented` holds.", "",
             "| %s |" % " | ".join(heads), "|%s" % ("---|" * len(heads))]
    return "\n".join(lines + ["| %s |" % " | ".join(row) for row in cells]) + "\n"


def generated():
    """Every generated file: path -> text."""
    files = {"docs/interconnects.md": interconnects()}
    for role in plain_roles():
        defaults, groups = read_defaults(role)
        files["roles/%s/meta/argument_specs.yml" % role] = plain_specification(role, defaults, groups)
        files["roles/%s/README.md" % role] = plain_readme(role, defaults, groups)
    for role in ROLES:
        defaults, groups = read_defaults(role)
        files["roles/%s/meta/argument_specs.yml" % role] = specification(role, defaults)
        files["roles/%s/README.md" % role] = readme(role, defaults, groups)
    return files


def main(arguments):
    """Write, or with --check compare and return 1 if a file is not what it would be."""
    stale = []
    for name, text in generated().items():
        path = CHECKOUT / name
        if path.exists() and path.read_text() == text:
            continue
        stale.append(name)
        if "--check" not in arguments:
            path.write_text(text)
    for name in stale:
        sys.stdout.write("%s %s\n" % ("not current, run `make docs`:" if "--check" in arguments else "wrote", name))
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
