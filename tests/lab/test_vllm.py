# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role vllm_service on two hosts with a real systemd and a stand-in engine: units, limits, restarts, a roll that stops.

The tests build on one another: what one leaves is what the next one finds.
"""

from __future__ import annotations

import gzip
import json
import re

import pytest
from conftest import CHECKOUT, LAB, Node

from tests.sysroots.engine_environment import TOOL

HOSTS = ("vllm1", "vllm2")
ENGINE, MODEL = "/opt/standin", "/srv/models/tiny"
UNIT = "vllm@tiny.service"
HELP = "tests/captures/vllm-help/0.32.0-wide.txt.gz"
CONFIG = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 128, "intermediate_size": 256,
          "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 258,
          "max_position_embeddings": 1024, "torch_dtype": "bfloat16"}
INSTANCE = {"name": "tiny", "model": MODEL, "served_name": "tiny", "gpus": 0, "port": 8000, "prompt": "Hello",
            "health_timeout": 600, "engine": {"kind": "existing", "path": ENGINE, "version": "0.32.0"}}
KEY = "a-key-that-nobody-may-see"
PROPERTIES = ("ActiveState,MainPID,NRestarts,Slice,ControlGroup,InvocationID,WantedBy,OOMScoreAdjust,LimitMEMLOCK,"
              "NeedDaemonReload")
# What the role finds: {path: text} on its input, then what is a program.
PREPARE = """python3 -c '
import json, os, sys
for path, text in json.load(sys.stdin).items():
    os.makedirs(os.path.dirname(path), exist_ok=True)
    open(path, "w").write(text)
' && chmod 755 %s/bin/vllm""" % ENGINE
# The status of a completion that is asked for from outside of the role; the key comes on the input.
COMPLETE = """python3 -c '
import json, sys, urllib.request
body = json.dumps({"model": "tiny", "prompt": "Hello", "max_tokens": 2}).encode()
request = urllib.request.Request("http://127.0.0.1:8000/v1/completions", body, {
    "Authorization": "Bearer " + sys.stdin.read()})
print(urllib.request.urlopen(request).status)'"""
# The engine dies, not its API server; over once systemd has started another one, and it is healthy.
KILL = """python3 -c '
import os, pathlib, signal, subprocess, time, urllib.request

def main():
    words = ["systemctl", "show", "--property=MainPID", "--value", "%s"]
    return subprocess.run(words, capture_output=True, text=True).stdout.strip()

before = main()
cores = [int(path.parent.name) for path in pathlib.Path("/proc").glob("[0-9]*/cmdline")
         if path.read_bytes().startswith(b"VLLM::EngineCore")]
assert len(cores) == 1, cores
os.kill(cores[0], signal.SIGKILL)
while main() in ("0", before):
    time.sleep(0.2)
while True:
    try:
        urllib.request.urlopen("http://127.0.0.1:8000/health")
        break
    except OSError:
        time.sleep(0.2)
'""" % UNIT
FILES = """cd / && find etc opt root srv usr/local var/lib var/cache -xdev -printf '%M %U %G /%p %l\\n'
find /etc /opt /root /srv /usr/local -xdev -type f -exec md5sum {} +"""
TEXTS = "cat /etc/vllm/* /etc/systemd/system/vllm@*/* /etc/systemd/system/vllm@*.service"
# A rollback leaves the account and what its engine had in folders of its own, as it leaves models and environments.
# Ansible's folder and systemd's random seed are not of the role.
STAYS = ("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow", "/etc/subuid", "/etc/subgid", "/var/lib/vllm",
         "/root/.ansible", "/var/lib/systemd")


class Fleet:
    """The hosts, one inventory of both, and the playbooks against it."""

    def __init__(self, show, folder):
        self.show, self.folder = show, folder
        self.hosts, self.reach = {}, {}
        for name in HOSTS:
            self.hosts[name] = Node(show, folder, name)
            self.reach.update(json.loads(self.hosts[name].inventory.read_text())["inference"]["hosts"])

    def play(self, name, *options, fails=False, per_host=None, **instance):
        """A playbook with one instance a host; per_host is {host: what of it is otherwise there}. Returns its log."""
        hosts = {host: {**reach, "vllm_service_instances": [{**INSTANCE, **instance, **(per_host or {}).get(host, {})}]}
                 for host, reach in self.reach.items()}
        inventory = self.folder / "fleet.json"
        inventory.write_text(json.dumps({"inference": {"hosts": hosts}}))
        argv = ["ansible-playbook", "-i", inventory, CHECKOUT / "playbooks" / (name + ".yml"), *options, "-e",
                json.dumps({"gpuwright_report_dir": str(self.folder / "report"), "gpuwright_serial": [1, 1],
                            "vllm_service_secrets": {"tiny": {"api_key": KEY}}})]
        failed = None
        try:
            self.show("lab-vllm", argv)
        except AssertionError as error:
            failed = str(error)
        log = (CHECKOUT / "report/test/lab-vllm.log").read_text()
        assert bool(failed) == fails, failed or log[-6000:]
        assert KEY not in log
        return log

    def told(self):
        """What became of each instance, by the report: {host: {instance: {...}}}."""
        return json.loads((self.folder / "report/vllm_service.json").read_text())["nodes"]


@pytest.fixture(scope="module")
def fleet(show, tmp_path_factory):
    """Two hosts with the stand-in, its recorded help and a model's configuration; both boot at once."""
    files = {ENGINE + "/bin/vllm": "#!/usr/bin/python3\n" + TOOL.read_text(),
             ENGINE + "/help.txt": gzip.decompress((CHECKOUT / HELP).read_bytes()).decode(),
             ENGINE + "/bin/standin.json": json.dumps({
                 "help": ENGINE + "/help.txt", "version": "0.32.0", "delay": 0.1}),
             MODEL + "/config.json": json.dumps(CONFIG),
             MODEL + "/model.safetensors": "\2\0\0\0\0\0\0\0{}"}  # Its header alone: no tensors.
    show("lab-up", [LAB, "up", *HOSTS])
    try:
        found = Fleet(show, tmp_path_factory.mktemp("vllm"))
        for host in found.hosts.values():
            host.command(PREPARE, input=json.dumps(files))
        yield found
    finally:
        show("lab-down", [LAB, "down", "--now", *HOSTS])


def shown(host):
    """What systemd has of the unit."""
    text = host.command("systemctl show --property=%s %s" % (PROPERTIES, UNIT))
    return dict(line.partition("=")[::2] for line in text.strip().split("\n"))


def completes(host):
    """Whether a completion is answered."""
    return host.command(COMPLETE, input=KEY).strip() == "200"


def files_of(host):
    """Every file of the host, in a line with all of it, but those that a rollback leaves."""
    return {line for line in host.command(FILES).split("\n") if not any(" " + path in line for path in STAYS)}


@pytest.fixture(scope="module")
def before(fleet):
    """The files of the first host before us."""
    return files_of(fleet.hosts[HOSTS[0]])


@pytest.mark.lab
def test_check_mode_shows_the_whole_command_and_writes_nothing(fleet, before):
    host = fleet.hosts[HOSTS[0]]
    account = host.command("getent passwd")
    log = fleet.play("vllm", "--check", "--diff", "--limit", HOSTS[0])
    assert "%s/bin/vllm serve --config /etc/vllm/tiny.yaml" % ENGINE in log
    assert "LimitMEMLOCK=infinity" in log and "Slice=gpuwright.slice" in log
    assert files_of(host) == before and host.command("getent passwd") == account
    assert shown(host)["ActiveState"] == "inactive"


@pytest.mark.lab
def test_a_start_on_both_hosts_with_slice_limits_and_secrets(fleet):
    fleet.play("vllm")
    for host in fleet.hosts.values():
        unit = shown(host)
        assert (unit["ActiveState"], unit["NRestarts"], unit["NeedDaemonReload"]) == ("active", "0", "no")
        assert unit["Slice"] == "gpuwright.slice" and unit["ControlGroup"] == "/gpuwright.slice/" + UNIT
        assert unit["WantedBy"] == "multi-user.target"
        assert completes(host)
        limits, score, mode, seen = host.command(
            "systemd-analyze security --no-pager --threshold=25 %s >/dev/null && cat /proc/%s/limits && echo == && "
            "cat /proc/%s/oom_score_adj && echo == && stat -c '%%a %%U' /etc/vllm/tiny.secret.env && echo == && "
            "ps -eo args && cat /etc/vllm/tiny.yaml /etc/vllm/tiny.env && journalctl --no-pager" % (
                UNIT, *(unit["MainPID"],) * 2)).split("==\n", 3)
        assert re.search(r"Max locked memory +unlimited +unlimited", limits)
        assert re.search(r"Max open files +1048576 +1048576", limits)
        assert re.search(r"Max stack size +8388608 ", limits)
        assert score.strip() == "-500"
        assert mode.strip() == "600 root"
        assert KEY not in seen


@pytest.mark.lab
def test_an_engine_that_is_killed_is_started_again(fleet):
    host = fleet.hosts[HOSTS[0]]
    killed = shown(host)
    host.command(KILL)
    again = shown(host)
    assert again["NRestarts"] == "1" and again["InvocationID"] != killed["InvocationID"]
    assert completes(host)


@pytest.mark.lab
def test_a_roll_stops_at_a_host_that_fails_and_puts_it_back_while_the_other_serves(fleet):
    one, two = fleet.hosts.values()
    untouched, served = shown(two), one.command(TEXTS)
    log = fleet.play("vllm", arguments={"max_model_len": 512}, fails=True,
                     per_host={HOSTS[0]: {"environment": {"STANDIN_FAULT": "exit"}}})
    assert "torch.OutOfMemoryError: CUDA out of memory." in log
    assert re.search(r"the old one serves again; it was down for [1-9]\d* s", " ".join(log.split()))
    told = fleet.told()
    assert told[HOSTS[0]]["tiny"]["result"] == "put_back" and told[HOSTS[0]]["tiny"]["down_seconds"] > 0
    assert told[HOSTS[1]]["tiny"]["result"] == "not_reached"
    assert one.command(TEXTS) == served
    assert shown(one)["ActiveState"] == "active" and completes(one)
    assert shown(two) == untouched and completes(two)


@pytest.mark.lab
def test_a_second_run_restarts_neither_what_systemd_started_again_nor_what_was_put_back(fleet):
    before = [shown(host) for host in fleet.hosts.values()]
    log = fleet.play("vllm")
    assert "No instance restarts." in log
    assert re.findall(r"changed=(\d+)", log) == ["0", "0"]
    assert [shown(host) for host in fleet.hosts.values()] == before


@pytest.mark.lab
def test_rollback_stops_the_engine_and_leaves_nothing(fleet, before):
    fleet.play("rollback")
    for host in fleet.hosts.values():
        assert shown(host)["ActiveState"] == "inactive"
        left = host.command("ls -d /etc/vllm /var/lib/gpuwright /etc/systemd/system/vllm@* "
                            "/etc/systemd/system/multi-user.target.d 2>/dev/null || true")
        assert left.split() == []
    assert files_of(fleet.hosts[HOSTS[0]]) == before
