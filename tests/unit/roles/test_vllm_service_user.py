# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task file that makes the users of instances, played in check mode on this machine: who is there stays."""

from __future__ import annotations

import json
import os
import subprocess
import sys


def test_who_is_there_keeps_shell_and_home_and_who_is_missing_is_made(checkout, tmp_path):
    users = ["root", "gpuwright-nobody", "root"]
    play = [{"hosts": "localhost", "gather_facts": False, "connection": "local", "tasks": [
        {"ansible.builtin.include_tasks": str(checkout / "roles/vllm_service/tasks/user.yml")}],
        "vars": {"vllm_service_planned": {"instances": [{"user": user} for user in users]},
                 "ansible_python_interpreter": sys.executable}}]
    (tmp_path / "play.yml").write_text(json.dumps(play))
    answer = subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", "-i", "localhost,", "--check", str(tmp_path / "play.yml")],
        capture_output=True, text=True, check=False, env=dict(os.environ, HOME=str(tmp_path)), timeout=600)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "changed: [localhost] => (item=gpuwright-nobody)" in answer.stdout
    assert "skipping: [localhost] => (item=root)" in answer.stdout
