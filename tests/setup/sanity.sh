#!/usr/bin/env bash
# ansible-test sanity on what `ansible-galaxy collection build` ships, with the Python environment that is active.
# Its caches lie in a home of their own: the user's is left alone, and the next checkout finds them filled.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/setup/python.sh

export HOME="${XDG_CACHE_HOME:-$HOME/.cache}/gpuwright/ansible-test"
mkdir -p "$HOME/.ansible/test/cache"

# ansible-test downloads a get-pip.py for every environment that it makes. Python brings its own pip: no download.
tested=$(python -c 'import ansible_test, pathlib; print(pathlib.Path(ansible_test.__path__[0]))')
version=$(sed -n "s/.*pip='\([0-9.]*\)'.*/\1/p" "$tested/_internal/python_requirements.py" | head -n 1)
cat >"$HOME/.ansible/test/cache/get_pip_${version//./_}.py" <<'PYTHON'
import subprocess
import sys

wanted = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
subprocess.check_call([sys.executable, "-m", "ensurepip"])
subprocess.check_call([sys.executable, "-m", "pip", "install"] + wanted)
PYTHON

# Only interpreters that run may be on PATH: a shim that merely prints an error fails the tests "compile" and "import".
found=$(dirname "$(command -v python)")
for minor in 3.8 3.9 3.10 3.11 3.12 3.13 3.14; do
    python=$(find_python $minor) && found+=":$(dirname "$python")"
done
export PATH="$found:/usr/sbin:/usr/bin:/sbin:/bin"

checkout=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
unset ANSIBLE_CONFIG
ansible-galaxy collection build "$checkout"
ansible-galaxy collection install --no-deps --force -p collections ./*.tar.gz
cd collections/ansible_collections/gpuwright/node
ansible-test sanity --venv --color no "$@"
