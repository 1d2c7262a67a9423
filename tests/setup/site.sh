#!/usr/bin/env bash
# make site, make rollback: from a bare checkout to a report on this machine. PLAYBOOK names the playbook (site), APPLY=1
# applies; other arguments go to ansible-playbook.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
. tests/setup/python.sh
export LC_ALL=C.UTF-8 ANSIBLE_CONFIG="$PWD/ansible.cfg" PYTHONUNBUFFERED=1

playbook=${PLAYBOOK:-site}
fail() { printf 'make %s: %s\n' "$playbook" "$*" >&2; exit 1; }

python=$(find_python 3.13 3.12 3.11 3.14) || fail "needs Python 3.11 or later, and found none that runs"
printf '[1/4] Python: %s\n' "$python"

printf '[2/4] virtual environment .venv: '
start=$SECONDS
[ -e .venv/.stamp ] || printf 'the first time takes a minute ... '
make_venv .venv requirements.txt "$python" || fail "no virtual environment"
printf 'ansible-core %s (%d s)\n' \
    "$(.venv/bin/python -c 'import importlib.metadata as m; print(m.version("ansible-core"))')" $((SECONDS - start))

link_collection
printf '[3/4] this checkout is the collection gpuwright.node: .cache/collections\n'

options=(-i inventories/local)
what="changing what differs"
if [ "${APPLY:-}" != 1 ]; then
    options+=(--check --diff)
    what="check mode, nothing is changed"
    [ "$playbook" = site ] && what+="; APPLY=1 applies"
fi
if [ "$(id -u)" != 0 ]; then
    if sudo -n true 2>/dev/null; then
        options+=(--become)
    elif command -v sudo >/dev/null && [ -t 0 ]; then
        options+=(--become --ask-become-pass)
    elif [ "${APPLY:-}" != 1 ]; then
        options+=(-e ansible_become=false)
        what+=", without root: what only root may read is not known"
    else
        fail "changing settings needs root: start it as root, or from a terminal as a user who may sudo"
    fi
fi
printf '[4/4] playbooks/%s.yml on this machine (%s)\n' "$playbook" "$what"
PATH="$PWD/.venv/bin:$PATH" exec .venv/bin/ansible-playbook "${options[@]}" "$@" "playbooks/$playbook.yml"
