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
import subprocess

import pytest
from conftest import CHECKOUT, fresh

from tests.sysroots.engine_environment import TOOL

HOSTS = ("vllm1", "vllm2")
ENGINE, MODEL = "/opt/standin", "/srv/models/tiny"
UNIT = "vllm@tiny.service"
HELP = "tests/captures/vllm-help/0.32.0-wide.txt.gz"
CONFIG = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 128, "intermediate_size": 256,
          "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 258,
          "max_position_embeddings": 1024, "torch_dtype": "bfloat16"}
KEY = "a-key-that-nobody-may-see"
PROPERTIES = "ActiveState,MainPID,NRestarts,Slice,ControlGroup,InvocationID"


class Fleet:
    """The hosts, one inventory of both, and the playbook against it."""

    def __init__(self, show, folder, hosts):
        self.show, self.hosts, self.report = show, dict(zip(HOSTS, hosts)), folder / "report"
        self.inventory = folder / "hosts.json"
        found = {}
        for host in hosts:
            found.update(json.loads(host.inventory.read_text())["inference"]["hosts"])
        self.inventory.write_text(json.dumps({"inference": {"hosts": found}}))

    def vllm(self, *options, fails=False, per_host=None, **instance):
        """playbooks/vllm.yml with one instance; per_host is {host: what of it is otherwise there}. Returns its log."""
        whole = {"name": "tiny", "model": MODEL, "served_name": "tiny", "gpus": 0, "port": 8000, "prompt": "Hello",
                 "health_timeout": 300, "engine": {"kind": "existing", "path": ENGINE, "version": "0.32.0"}}
        given = json.loads(self.inventory.read_text())
        for name in given["inference"]["hosts"]:
            own = {**whole, **instance, **(per_host or {}).get(name, {})}
            given["inference"]["hosts"][name]["vllm_service_instances"] = [own]
        inventory = self.inventory.with_name("now.json")
        inventory.write_text(json.dumps(given))
        argv = ["ansible-playbook", "-i", inventory, CHECKOUT / "playbooks/vllm.yml", *options, "-e", json.dumps({
            "gpuwright_report_dir": str(self.report), "vllm_service_serial": [1, 1],
            "vllm_service_secrets": {"tiny": {"api_key": KEY}}})]
        try:
            self.show("lab-vllm", argv)
            failed = False
        except AssertionError:
            failed = True
        log = (CHECKOUT / "report/test/lab-vllm.log").read_text()
        assert failed == fails, log[-6000:]
        assert KEY not in log
        return log


@pytest.fixture(scope="module")
def fleet(show, tmp_path_factory):
    """Two hosts with the stand-in, its recorded help and a model's configuration."""
    folder = tmp_path_factory.mktemp("vllm")
    with fresh(show, folder, HOSTS[0]) as one:
        other = tmp_path_factory.mktemp("vllm2")
        with fresh(show, other, HOSTS[1]) as two:
            for host in (one, two):
                prepare(host)
            yield Fleet(show, folder, (one, two))


def prepare(host):
    """What the role finds there: an engine, and the model's folder."""
    files = {ENGINE + "/bin/vllm": "#!/usr/bin/python3\n" + TOOL.read_text(),
             MODEL + "/config.json": json.dumps(CONFIG),
             MODEL + "/model.safetensors": "\2\0\0\0\0\0\0\0{}",  # Its header alone: no tensors.
             ENGINE + "/help.txt": gzip.decompress((CHECKOUT / HELP).read_bytes()).decode(),
             ENGINE + "/bin/standin.json": json.dumps({
                 "help": ENGINE + "/help.txt", "version": "0.32.0", "memory": "/var/lib/vllm/standin", "delay": 2})}
    for path, text in files.items():
        host.command("mkdir -p $(dirname %s); cat > %s; chmod a+rX %s" % (path, path, path), input=text)
    host.command("chmod 755 %s/bin/vllm; useradd -r -d /var/lib/vllm vllm; install -d -o vllm -g vllm /var/lib/vllm "
                 "/var/lib/vllm/standin" % ENGINE)


def shown(host):
    """What systemd has of the unit."""
    text = host.command("systemctl show --property=%s %s" % (PROPERTIES, UNIT))
    return dict(line.partition("=")[::2] for line in text.strip().split("\n"))


def completes(host):
    """Whether a completion is answered from outside of the role."""
    body = json.dumps({"model": "tiny", "prompt": "Hello", "max_tokens": 2})
    words = ("python3 -c \"import sys, urllib.request as u; print(u.urlopen(u.Request('http://127.0.0.1:8000/v1/"
             "completions', sys.stdin.buffer.read(), {'Authorization': 'Bearer %s'})).status)\"" % KEY)
    return host.command(words, input=body).strip() == "200"


def configuration(host):
    """The text of the engine's configuration."""
    return host.command("cat /etc/vllm/tiny.yaml")


@pytest.mark.lab
def test_check_mode_shows_the_whole_command_and_starts_nothing(fleet):
    log = fleet.vllm("--check", "--diff")
    assert "%s/bin/vllm" % ENGINE in log and "/etc/vllm/tiny.yaml" in log
    for host in fleet.hosts.values():
        assert shown(host)["ActiveState"] == "inactive"
        assert host.command("ls /etc/vllm 2>/dev/null || true").split() == []


@pytest.mark.lab
def test_a_start_on_both_hosts_with_slice_limits_and_secrets(fleet):
    fleet.vllm()
    for host in fleet.hosts.values():
        unit = shown(host)
        assert unit["ActiveState"] == "active" and unit["NRestarts"] == "0"
        assert unit["Slice"] == "gpuwright.slice" and unit["ControlGroup"].endswith("/gpuwright.slice/" + UNIT)
        limits = host.command("cat /proc/%s/limits" % unit["MainPID"])
        assert re.search(r"Max locked memory +unlimited +unlimited", limits)
        assert re.search(r"Max open files +1048576 +1048576", limits)
        assert re.search(r"Max stack size +8388608 ", limits)
        assert completes(host)
        assert host.command("stat -c %a /etc/vllm/tiny.secret.env").strip() == "600"
        assert KEY not in host.command("ps -eo args; cat /etc/vllm/tiny.yaml /etc/vllm/tiny.env; journalctl --no-pager")


@pytest.mark.lab
def test_a_second_run_restarts_nothing(fleet):
    before = [shown(host)["InvocationID"] for host in fleet.hosts.values()]
    fleet.vllm()
    assert [shown(host)["InvocationID"] for host in fleet.hosts.values()] == before


@pytest.mark.lab
def test_an_engine_that_is_killed_is_started_again(fleet):
    host = fleet.hosts[HOSTS[0]]
    before = shown(host)
    host.command("pkill -9 -f '^VLLM::EngineCore' || kill -9 %s" % before["MainPID"])
    host.command("for _ in $(seq 120); do [ \"$(systemctl show -P MainPID %s)\" != %s ] && curl -sf -o /dev/null "
                 "127.0.0.1:8000/health 2>/dev/null && exit 0; python3 -c 'import urllib.request as u; "
                 "u.urlopen(\"http://127.0.0.1:8000/health\")' 2>/dev/null && [ \"$(systemctl show -P NRestarts %s)\" "
                 "= 1 ] && exit 0; sleep 1; done; exit 1" % (UNIT, before["MainPID"], UNIT))
    after = shown(host)
    assert after["NRestarts"] == "1" and after["InvocationID"] != before["InvocationID"]
    assert completes(host)


@pytest.mark.lab
def test_a_roll_stops_at_a_host_that_fails_and_puts_it_back_while_the_other_serves(fleet):
    one, two = fleet.hosts.values()
    before, untouched = configuration(one), shown(two)
    log = fleet.vllm(arguments={"max_model_len": 512}, fails=True,
                     per_host={HOSTS[0]: {"environment": {"STANDIN_FAULT": "exit"}}})
    assert "torch.OutOfMemoryError: CUDA out of memory." in log
    assert re.search(r"down (?:for )?\d+ s", log) or "down_seconds" in log
    assert configuration(one) == before and "STANDIN_FAULT" not in one.command("cat /etc/vllm/tiny.env")
    assert shown(one)["ActiveState"] == "active" and completes(one)
    assert shown(two)["InvocationID"] == untouched["InvocationID"] and completes(two)


@pytest.mark.lab
def test_a_roll_that_is_well_goes_from_one_host_to_the_next(fleet):
    fleet.vllm(arguments={"max_model_len": 512})
    for host in fleet.hosts.values():
        assert "max-model-len: 512" in configuration(host) and completes(host)


@pytest.mark.lab
def test_rollback_stops_the_engine_and_leaves_nothing(fleet):
    for host in fleet.hosts.values():
        host.playbook("rollback")
        assert shown(host)["ActiveState"] == "inactive"
        left = host.command("ls -d /etc/vllm/* /etc/systemd/system/vllm@* 2>/dev/null || true").split()
        assert left == []


def test_the_stand_in_runs_on_the_oldest_python_of_a_host():
    subprocess.run(["python3", "-m", "py_compile", str(TOOL)], check=True)
