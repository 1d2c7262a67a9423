#!/usr/bin/env bash
# make test and its parts: makes the Python environments, then one pytest run over the folders that are named.
# With "second" among them the unit tests run again on another Python and another ansible-core.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
. tests/setup/python.sh
export LC_ALL=C.UTF-8 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
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
printf '[3/3] pytest %s\n' "$*"
export PATH="$PWD/.cache/venv-$version/bin:$PATH"
exec ".cache/venv-$version/bin/python" -m pytest "$@"
