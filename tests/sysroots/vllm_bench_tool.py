# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in of the program vllm: an engine that answers HTTP, `bench serve` that asks it, no model, planted faults.

`install(folder, world)` writes the program. Its help is that of the real one, its result has the real one's keys, with
a fixed second for each ten requests. `world` may have "fault" (one of FAULTS), "speed" (how many times as fast),
"running" (requests of others that go on), "others" (requests of others that finish during each run), "key" (what the
engine asks for), "slow" (seconds until a start serves). "started" is a file that gets a line for each start, "clock"
one that grows by "seconds" bytes with each run that has sent its requests, and "later" one that one which hangs makes.
"""

from __future__ import annotations

import json
import pathlib
import sys

CAPTURES = pathlib.Path(__file__).parent.parent / "captures" / "vllm-bench"
FAULTS = {"some": "every third request fails", "all": "every request fails", "crash": "it ends with status 1",
          "silent": "it ends well and writes nothing", "hang": "it never ends",
          "late": "it never ends, and writes its result when it is told to"}
_PROGRAM = r"""#!%(python)s -S
import contextlib, http.server, json, os, signal, sys, threading, time, urllib.error, urllib.request
world = json.load(open(%(world)r))
words = sys.argv[1:]
if words[:1] == ["bench"] and words[-1] == "--help=all":
    sys.stdout.write(open(%(help)r).read())
    sys.exit(0)
with open(world["started"], "a") as log:
    log.write(json.dumps({"words": words, "pid": os.getpid(), "secret": os.environ.get("OPENAI_API_KEY")}) + "\n")

def serve():
    state = {"finished": 100}
    begun = time.monotonic()
    class Engine(http.server.BaseHTTPRequestHandler):
        def log_message(self, *words):
            pass
        def answer(self, status, text):
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())
        def late(self):
            return time.monotonic() - begun < world.get("slow", 0)
        def refused(self):
            key = world.get("key")
            return self.path.startswith("/v1") and key and self.headers.get("Authorization") != "Bearer " + key
        def do_GET(self):
            now = json.load(open(%(world)r))
            if self.late() or self.refused():
                self.answer(503 if self.late() else 401, "")
            elif self.path == "/v1/models":
                self.answer(200, json.dumps({"data": [{"id": "tiny", "max_model_len": 2048}]}))
            elif self.path == "/metrics":
                self.answer(200, "# HELP x\nvllm:num_requests_running{engine=\"0\"} %%.1f\n"
                    "vllm:num_requests_waiting{engine=\"0\"} 0.0\nvllm:request_success_total{finished_reason=\"stop\"} "
                    "%%.1f\n" %% (now.get("running", 0), state["finished"]))
            else:
                self.answer(200, "")
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            if self.refused():
                self.answer(401, "")
                return
            state["finished"] += int(self.headers.get("X-Count", "1"))
            self.answer(200, "{}")
    http.server.ThreadingHTTPServer(("127.0.0.1", world["port"]), Engine).serve_forever()

def time_passes():
    with open(world["clock"], "a") as clock:
        clock.write("." * world["seconds"])

def bench():
    flags = dict(zip(words, words[1:]))
    asked, fault = int(flags["--num-prompts"]), world.get("fault")
    if fault == "hang":
        open(world["later"], "w").close()
        time.sleep(600)
    if fault == "late":  # What writes its result in the moment in which it is ended.
        with contextlib.suppress(KeyboardInterrupt):
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            time_passes()
            time.sleep(600)
    if fault == "crash":
        print("ValueError: planted")
        sys.exit(1)
    good = 0 if fault == "all" else asked - asked // 3 if fault == "some" else asked
    count = good + int(flags.get("--num-warmups", 0)) + world.get("others", 0)
    request = urllib.request.Request(flags["--base-url"] + "/v1/completions", b"{}", {
        "Authorization": "Bearer " + os.environ.get("OPENAI_API_KEY", ""), "X-Count": str(count)})
    try:
        urllib.request.urlopen(request).read()
    except urllib.error.HTTPError:
        good = 0
    told = json.load(open(%(result)r))
    speed = world.get("speed", 1.0)
    duration = asked / 10 / speed
    told.update(num_prompts=asked, completed=good, failed=asked - good, duration=duration,
                request_throughput=good / duration, output_throughput=good * 32 / duration,
                total_token_throughput=good * 96 / duration)
    for name in list(told):
        if name.endswith("_ms"):
            told[name] /= speed
    if fault != "silent":
        with open(os.path.join(flags["--result-dir"], flags["--result-filename"]), "w") as file:
            json.dump(told, file)
    if fault != "late":
        time_passes()
    print("============ Serving Benchmark Result ============")
    print("nanobind: leaked 64 types!")

serve() if words[:1] == ["serve"] else bench()
"""


def install(folder, world):
    """Write the program into a folder, with its world beside it; returns the program."""
    folder.mkdir(parents=True, exist_ok=True)
    put(folder, world)
    program = folder / "vllm"
    program.write_text(_PROGRAM % {"python": sys.executable, "world": str(folder / "world.json"),
                                   "help": str(CAPTURES / "help.txt"), "result": str(CAPTURES / "result.json")})
    program.chmod(0o755)
    return program


def put(folder, world):
    """What the program does from now on."""
    (folder / "world.json").write_text(json.dumps(dict(
        {"started": str(folder / "started"), "seconds": 2}, **world)))


def started(folder):
    """Every start of the program: {"words", "pid", "secret"}."""
    place = folder / "started"
    return [json.loads(line) for line in place.read_text().splitlines()] if place.exists() else []
