# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in of the program vllm: the processes, the HTTP answers and the ways to fail of the real one, and no model.

One file of the standard library that is copied to bin/vllm of a folder, on a virtual host too. Real are: the command
line (`serve --config FILE`, `serve --help=all` from a recording, `--version`), the names of configuration keys, the
exit status and the words of errors, process titles in /proc, CPU affinity and memory policy of workers, the port, the
paths and metric names, ranks that wait for one another on the master port, and the end of all when one dies. Stand-ins
are: the text that it completes, the time that loading takes, and GPU memory, which is a locked file for each GPU in the
folder `memory`: a second engine on the same GPU cannot start, with vLLM's own words.

What it does beside serving stands in standin.json beside the program, or in variables of the instance that win over it:
  help     file that --help=all prints; without one no key is checked      STANDIN_HELP
  version  what --version and /version say                                 STANDIN_VERSION
  memory   folder of the locked files                                      STANDIN_MEMORY
  delay    seconds until it is healthy                                     STANDIN_DELAY
  fault    one of FAULTS                                                   STANDIN_FAULT
"""

from __future__ import annotations

import ast
import contextlib
import ctypes
import fcntl
import http.server
import json
import os
import pathlib
import re
import resource
import select
import signal
import socket
import sys
import threading
import time

FAULTS = {
    "never_healthy": "it runs and never opens its port",
    "exit": "it ends with status 1 after the delay, with an error in its log",
    "memlock": "its workers may lock 64 KiB",
    "503": "/health is 503, as of an engine that died",
    "no_completion": "/health is 200, and a completion ends it",
    "other_model": "/v1/models has another name",
    "hang": "it ignores SIGTERM"}
_ALLOCATED = 80 << 20  # Bytes a worker takes, so that the kernel tells where its memory is.
_STARTED = time.monotonic()
_MBIND = {"x86_64": 238, "aarch64": 237}
GAUGES = ("num_requests_running", "num_requests_waiting", "kv_cache_usage_perc", "num_preemptions_total",
          "admission_rejections_total")
COUNTERS = ("prompt_tokens_total", "generation_tokens_total", 'request_success_total{finished_reason="stop",')
HISTOGRAMS = ("request_queue_time", "time_to_first_token", "inter_token_latency", "e2e_request_latency",
              "request_time_per_output_token")


def world(name, otherwise=None):
    """What the stand-in was told."""
    said = os.environ.get("STANDIN_" + name.upper())
    if said is None:
        with contextlib.suppress(OSError):
            said = json.loads(pathlib.Path(__file__).with_name("standin.json").read_text()).get(name)
    return otherwise if said is None else said


def say(text):
    print("(APIServer pid=%d) INFO %s [standin.py:1] %s" % (os.getpid(), time.strftime("%m-%d %X"), text), flush=True)


def fail(text):
    sys.stderr.write("Traceback (most recent call last):\n%s\n" % text)
    sys.stderr.flush()
    os._exit(1)


def configuration(words):
    """{key: value} of a command line and of the file that it names: what the role writes, a key a line."""
    pairs = dict(zip(words[::2], words[1::2]))
    lines = pathlib.Path(pairs.pop("--config")).read_text().split("\n")
    lines = [line.partition(": ") for line in lines if line.strip() and not line.startswith("#")]
    found = {key: scalar(value) for key, _colon, value in lines}
    found.update({name.lstrip("-"): scalar(value) for name, value in pairs.items()})
    known = re.findall(r"--([a-z0-9-]+)", pathlib.Path(world("help")).read_text()) if world("help") else found
    if set(found) - set(known):
        sys.stderr.write("vllm: error: unrecognized arguments: --%s\n" % " --".join(sorted(set(found) - set(known))))
        sys.exit(2)
    return found


def scalar(text):
    """A value: JSON, else quoted as YAML and Python agree, else as it stands."""
    for read in (json.loads, ast.literal_eval):
        with contextlib.suppress(ValueError, SyntaxError):
            return read(text)
    return text


def entitle(title):
    """Give this process a title as setproctitle does: over the words that it was started with."""
    fields = pathlib.Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end, last = int(fields[45]), int(fields[46]), int(fields[48])
    room = max(end, last) - start - 1
    ctypes.memset(start, 0, room)
    ctypes.memmove(start, title.encode()[:room], min(len(title), room))
    pathlib.Path("/proc/self/comm").write_text(title[:15])


def bind(config, local_rank):
    """CPUs and memory of a worker, as VLLM_CPU_OMP_THREADS_BIND and numa-bind say."""
    lists = os.environ.get("VLLM_CPU_OMP_THREADS_BIND", "")
    if "|" in lists or re.match(r"[\d,-]+$", lists):
        os.sched_setaffinity(0, numbers(lists.split("|")[local_rank]))
    nodes = config.get("numa-bind-nodes")
    if config.get("numa-bind") and nodes:
        there = numbers(pathlib.Path("/sys/devices/system/node/node%d/cpulist" % nodes[local_rank]).read_text())
        os.sched_setaffinity(0, there & os.sched_getaffinity(0) or there)
        mask, call = ctypes.c_ulong(1 << nodes[local_rank]), ctypes.c_long(_MBIND[os.uname().machine])
        ctypes.CDLL(None).syscall(call, ctypes.c_int(2), ctypes.byref(mask), ctypes.c_ulong(65))


def numbers(text):
    ranges = [part.partition("-")[::2] for part in text.strip().split(",")]
    return {number for first, last in ranges for number in range(int(first), int(last or first) + 1)}


def hold_memory():
    """Lock the file of each GPU, or of each list of CPUs where there is none; vLLM's words where another has one."""
    folder = pathlib.Path(world("memory", "/tmp/standin-memory"))
    folder.mkdir(parents=True, exist_ok=True)
    names = os.environ.get("CUDA_VISIBLE_DEVICES") or os.environ.get("VLLM_CPU_OMP_THREADS_BIND") or "none"
    held = []
    for number, name in enumerate(sorted(set(re.split(r"[,|]", names))) if names != "none" else ()):
        handle = os.open(folder / ("device-" + name), os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            fail("ValueError: Free memory on device cuda:%d (1.02/79.1 GiB) on startup is less than desired GPU memory "
                 "utilization (0.92, 72.77 GiB). Decrease GPU memory utilization or reduce GPU memory used by other "
                 "processes." % number)
        held.append(handle)
    return held


def start_workers(config, stop):
    """The engine and its workers as processes with vLLM's titles, once they work; the end of any is the end of all."""
    heard, told = os.pipe()
    engine = os.fork()
    if engine:
        os.close(told)
        os.read(heard, 1)  # The end of the file: every worker closed its end.
        watch(lambda: os.waitpid(engine, 0), lambda: stop("EngineCore died unexpectedly"))
        return engine
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    entitle("VLLM::EngineCore")
    tensor, pipeline = (int(config.get(name + "-parallel-size", 1)) for name in ("tensor", "pipeline"))
    nodes, rank = int(config.get("nnodes", 1)), int(config.get("node-rank", 0))
    here = tensor * pipeline // nodes
    if world("fault") == "memlock":
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (65536, 65536))
    if here == 1 and nodes == 1:
        work(config, 0, told)
    for local in range(here):
        if os.fork() == 0:
            number = rank * here + local
            title = "VLLM::Worker" + ("_PP%d" % (number // tensor) if pipeline > 1 else "")
            entitle(title + ("_TP%d" % (number % tensor) if tensor > 1 else ""))
            work(config, local, told)
    os.close(told)
    os.wait()
    os.kill(0, signal.SIGTERM)
    os._exit(1)


def work(config, local_rank, told):
    """Hold memory where it is to be held, for as long as the parent lives."""
    bind(config, local_rank)
    held = bytearray(_ALLOCATED)
    for place in range(0, len(held), 4096):
        held[place] = 1
    os.close(told)
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)


def join(config, stop):
    """Wait for all ranks on the master port, as torch.distributed does; a rank that goes takes all with it."""
    nodes, rank = int(config.get("nnodes", 1)), int(config.get("node-rank", 0))
    place = (config.get("master-addr", "127.0.0.1"), int(config.get("master-port", 29501)))
    links = []
    if nodes > 1 and rank == 0:
        listener = socket.create_server(place)
        links = [listener.accept()[0] for _number in range(nodes - 1)]
        for link in links:
            link.sendall(b"go")
    elif nodes > 1:
        links = [reach(place)]
        if links[0].recv(2) != b"go":
            stop("the master is gone")
    for link in links:
        watch(lambda link=link: select.select([link], [], []), lambda: stop("Connection closed by peer"))


def watch(wait, then):
    """Do a thing once a wait is over."""
    threading.Thread(target=lambda: (wait(), then()), daemon=True).start()


def reach(place):
    while True:
        with contextlib.suppress(OSError):
            return socket.create_connection(place)
        time.sleep(0.5)


def metrics(name, served):
    """/metrics, of the names that are looked at."""
    label = 'engine="0",model_name="%s"}' % name
    lines = ["vllm:%s{%s 0.0" % (gauge, label) for gauge in GAUGES]
    lines += ["vllm:%s{%s %d" % (counter, label, served) for counter in COUNTERS[:2]]
    lines += ["vllm:%s%s %d" % (COUNTERS[2], label, served), 'http_requests_total{status="2xx"} %d' % served]
    lines += ['vllm:%s_seconds_bucket{le="+Inf",%s %d' % (histogram, label, served) for histogram in HISTOGRAMS]
    return "\n".join(lines) + "\n"


class Answers(http.server.BaseHTTPRequestHandler):
    """What the real one's paths answer."""

    protocol_version = "HTTP/1.1"
    served = 0

    def log_message(self, *_words):
        """Say nothing of requests."""

    def answer(self, status, body):
        """Send a text, or an object as JSON."""
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        """The paths that only tell."""
        name, fault = self.server.name, world("fault")
        found = {
            "/health": (503 if fault == "503" else 200, ""),
            "/version": (200, {"version": world("version", "0.32.0")}),
            "/metrics": (200, metrics(name, Answers.served)),
            "/v1/models": (200, {"object": "list", "data": [{
                "id": "somebody-elses" if fault == "other_model" else name, "object": "model",
                "max_model_len": self.server.length}]})}
        self.guarded(*found.get(self.path, (404, {"detail": "Not Found"})))

    def do_POST(self):
        """The paths that compute."""
        asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        if self.path != "/v1/completions":
            return self.guarded(404, {"detail": "Not Found"})
        if world("fault") == "no_completion":
            self.guarded(500, {"error": {"message": "EngineCore encountered an issue.", "code": 500}})
            fail("RuntimeError: Worker failed with error 'the stand-in was told to'")
        if asked.get("model") != self.server.name:
            return self.guarded(404, {"error": {"message": "The model `%s` does not exist." % asked.get("model")}})
        Answers.served += 1
        return self.guarded(200, {"object": "text_completion", "choices": [{"index": 0, "text": " Paris"}]})

    def guarded(self, status, body):
        """Answer, if the key is right where one is asked for."""
        key = self.server.key
        if key and self.path.startswith("/v1/") and self.headers.get("Authorization") != "Bearer " + key:
            status, body = 401, {"error": "Unauthorized"}
        self.answer(status, body)


def serve(words):
    """The main process."""
    config = configuration(words)
    held, fault, done = hold_memory(), world("fault"), threading.Event()

    def stop(why):
        if not done.is_set():
            fail("RuntimeError: %s" % why)

    def asked_to_stop(_number, _frame):
        if fault != "hang":
            done.set()

    signal.signal(signal.SIGTERM, asked_to_stop)
    server = None if config.get("headless") else listener(config)
    engine = start_workers(config, stop)
    join(config, stop)
    say("standing in for a model, %d devices held" % len(held))
    while not done.is_set() and time.monotonic() - _STARTED < float(world("delay", 1)):
        done.wait(0.1)
    if fault == "exit" and not done.is_set():
        fail("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.")
    if server and fault != "never_healthy" and not done.is_set():
        server.server_activate()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        say("Application startup complete.")
    done.wait()
    os.kill(engine, signal.SIGKILL)
    os._exit(0)


def listener(config):
    """The bound port, which answers nobody yet: the real one binds before it loads its model."""
    server = http.server.ThreadingHTTPServer(
        (config.get("host") or "0.0.0.0", int(config.get("port", 8000))), Answers, bind_and_activate=False)
    server.daemon_threads = True
    names = config.get("served-model-name") or config["model"]
    server.name = names[0] if isinstance(names, list) else names
    server.length = config.get("max-model-len") or 4096
    server.key = config.get("api-key") or os.environ.get("VLLM_API_KEY")
    try:
        server.server_bind()
    except OSError as error:
        fail("OSError: [Errno %d] %s" % (error.errno, error.strerror))
    return server


def main(words):
    """The command vllm."""
    if words[:1] in (["--version"], ["-v"]):
        sys.stdout.write("%s\n" % world("version", "0.32.0"))
    elif words[:1] == ["serve"] and any(word.startswith("--help") for word in words):
        sys.stdout.write(pathlib.Path(world("help")).read_text())
    elif words[:1] == ["serve"]:
        serve(words[1:])
    else:
        sys.stderr.write("usage: vllm [-h] [-v] {serve} ...\n")
        sys.exit(2)


if __name__ == "__main__":
    main(sys.argv[1:])
