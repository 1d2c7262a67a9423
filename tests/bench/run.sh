#!/usr/bin/env bash
# make bench: the comparisons, one after the other. A comparison that cannot run here says why.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
status=0
for bench in topology defaults sysctl jitter storage; do
    python "tests/bench/$bench.py" || status=1
done
exit $status
