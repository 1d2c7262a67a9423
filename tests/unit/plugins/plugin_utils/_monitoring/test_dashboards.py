# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dashboards: in Grafana's form, no two panels in one place."""

from __future__ import annotations

import json

from ansible_collections.gpuwright.node.plugins.plugin_utils._monitoring import dashboards


def test_each_is_whole():
    made = dashboards.dashboards()
    assert sorted(made) == ["gpuwright-node.json", "gpuwright-vllm.json"]
    for board in made.values():
        assert json.loads(json.dumps(board)) == board
        places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]]
        assert len(set(places)) == len(places) == len({panel["id"] for panel in board["panels"]}) > 8
        assert all(target["expr"].count("(") == target["expr"].count(")") and target["expr"].count("{") == target[
            "expr"].count("}") for panel in board["panels"] for target in panel["targets"])
        assert {item["name"] for item in board["templating"]["list"]} == {"datasource", "instance"}


def test_expressions_are_as_a_person_would_enter_them():
    assert all("$" not in expression for expression in dashboards.expressions())


def test_a_rate_says_that_it_is_one_and_a_share_is_of_a_whole():
    for board in dashboards.dashboards().values():
        for panel in board["panels"]:
            told = panel["fieldConfig"]["defaults"]
            rates = [target for target in panel["targets"] if "rate(" in target["expr"]]
            if rates and told["unit"] not in ("s", "percentunit"):
                assert told["unit"] in ("reqps", "Bps", "pps") or "a second" in panel["title"], panel["title"]
            assert ("max" in told) == (told["unit"] == "percentunit")
            assert all("$instance" in target["expr"] for target in panel["targets"]), panel["title"]
