#!/usr/bin/env bash
# make test and its parts: makes the Python environments, then one pytest run over the folders that are named.
# With "second" among them the unit tests run again on another Python and another ansible-core.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
. tests/setup/python.sh
TESTS_STARTED=$(date +%s)
export TESTS_STARTED LC_ALL=C.UTF-8 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# A user's own Ansible settings must not decide what passes here.
while read -r name; do unset "$name"; done < <(compgen -e ANSIBLE_)
export ANSIBLE_CONFIG="$PWD/ansible.cfg"

fail() { printf 'make test: %s\n' "$*" >&2; exit 1; }

step() {
    local start=$SECONDS
    printf '%s ... ' "$1"
    shift
    "$@" || fail "stopped"
    printf '%d s\n' $((SECONDS - start))
}

main=$(find_python 3.11) || main=$(find_python 3.13 3.12 3.14) || fail "needs Python 3.11 or later, and found none that runs"
version=${main##*python}
step "[1/3] environment of the tests: Python $version" make_venv ".cache/venv-$version" requirements-dev.txt "$main"

second=$(find_python 3.13) || second=
if [ "$version" = 3.11 ] && [ -n "$second" ] && [[ " $* " == *" tests/gates"* ]]; then
    step "[2/3] second environment: Python 3.13" make_venv .cache/venv-3.13 requirements-dev.txt "$second"
fi

link_collection
export PATH="$PWD/.cache/venv-$version/bin:$PATH"
pytest() { ".cache/venv-$version/bin/python" -m pytest "$@"; }

# The unit tests use every core; the virtual hosts need all of them for themselves. One table at the end tells of both.
units=() rest=() status=0
for word in "$@"; do
    if [ "$word" = tests/unit ]; then units=("$word"); else rest+=("$word"); fi
done
stages=$(mktemp)
# The tests build thousands of small trees: in memory, where there is room for them, that takes half the time.
trees=$(mktemp -d)
[ "$(df --output=avail -k /dev/shm 2>/dev/null | tail -1)" -gt 8000000 ] 2>/dev/null \
    && rmdir "$trees" && trees=$(mktemp -d -p /dev/shm gw.XXXXXX)
export PYTEST_DEBUG_TEMPROOT=$trees
trap 'rm -rf "$stages" "$trees"' EXIT
if [ ${#units[@]} -gt 0 ]; then
    printf '[3/3] pytest %s\n' "${units[*]}"
    STAGES_TO=$stages pytest -q -n "$(($(nproc) < 8 ? $(nproc) : 8))" --dist worksteal "${units[@]}" || status=1
fi
if [ ${#rest[@]} -gt 0 ]; then
    printf '[3/3] pytest %s\n' "${rest[*]}"
    STAGES_FROM=$stages pytest "${rest[@]}" || status=1
fi
exit $status
