#!/usr/bin/env bash
# Runs a command in the environment of the tests, or in that of the benches if BENCH=1, which it makes first if it must:
# with.sh COMMAND [ARGUMENT ...]
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/setup/python.sh
python=$(find_python 3.11 3.13 3.12 3.14) || { echo "needs Python 3.11 or later, and found none that runs" >&2; exit 1; }
folder=".cache/venv-${python##*python}" requirements=requirements-dev.txt
if [ "${BENCH:-}" = 1 ]; then
    folder+=-bench requirements=tests/bench/requirements.txt
fi
[ -e "$folder/.stamp" ] || echo "making $folder: the first time takes a minute"
make_venv "$folder" "$requirements" "$python"
link_collection
export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 ANSIBLE_CONFIG="$PWD/ansible.cfg" PATH="$PWD/$folder/bin:$PATH"
exec "$@"
