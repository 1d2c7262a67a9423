# shellcheck shell=bash
# Finds a Python that really runs and makes virtual environments, on a machine where nothing was prepared. Sourced.

# The paths of every "pythonX.Y" for the versions given, in that order: PATH first, then where pyenv and distributions put it.
_candidates() {
    local version
    for version in "$@"; do
        type -ap "python$version"
        printf '%s\n' "${PYENV_ROOT:-${HOME:-/root}/.pyenv}/versions/$version".*/bin/"python$version" \
            "/usr/bin/python$version" "/usr/local/bin/python$version" "/opt/python/$version/bin/python$version"
    done
}

# Prints the first interpreter of these versions that starts, is what its name says and can load what pip needs.
# A shim of a version manager is resolved to the interpreter behind it; one that only prints an error is passed over.
find_python() {
    local candidate
    while read -r candidate; do
        [ -x "$candidate" ] || continue
        "$candidate" -I -c '
import ctypes, os, ssl, sys, venv, zlib
assert sys.argv[1].endswith("python%d.%d" % sys.version_info[:2])
print(os.path.realpath(sys.executable))' "$candidate" 2>/dev/null </dev/null && return 0
    done < <(_candidates "$@")
    return 1
}

# Installs packages of the distribution, as root or through a sudo that does not ask. Silent when it works.
system_packages() {
    local root=() log
    [ "$(id -u)" = 0 ] || root=(sudo -n)
    command -v apt-get >/dev/null || return 1
    log=$(mktemp)
    if ! { "${root[@]}" apt-get -q update && "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
           apt-get -q install -y --no-install-recommends "$@"; } >"$log" 2>&1 </dev/null; then
        sed 's/^/    /' "$log" | tail -n 15 >&2
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
}

# make_venv FOLDER REQUIREMENTS PYTHON: does nothing when the folder was made by this Python from these very pins.
make_venv() {
    local folder=$1 requirements=$2 python=$3 log stamp
    stamp=$("$python" -V; cat requirements*.txt "$requirements")
    if [ -x "$folder/bin/python" ] && "$folder/bin/python" -c '' 2>/dev/null &&
       [ "$(cat "$folder/.stamp" 2>/dev/null)" = "$stamp" ] && [ "$(cat "$folder/.place" 2>/dev/null)" = "$PWD" ]; then
        return 0
    fi
    rm -rf "$folder"
    mkdir -p "$(dirname "$folder")"
    log=$(mktemp)
    if ! _fill_venv "$folder" "$requirements" "$python" >"$log" 2>&1 </dev/null; then
        echo "could not make the virtual environment $folder with $python:" >&2
        tail -n 25 "$log" | sed 's/^/    /' >&2
        rm -rf "$folder" "$log"
        return 1
    fi
    rm -f "$log"
    printf '%s' "$PWD" >"$folder/.place"
    printf '%s' "$stamp" >"$folder/.stamp"
}

_fill_venv() {
    local folder=$1 requirements=$2 python=$3 pip
    # Debian keeps ensurepip in a package of its own.
    "$python" -I -c 'from ensurepip import version' || system_packages "$(basename "$python")-venv" || true
    if "$python" -I -c 'from ensurepip import version'; then
        "$python" -I -m venv "$folder" || return 1
        pip=("$folder/bin/python" -m pip)
    elif "$python" -m pip --version; then
        "$python" -I -m venv --without-pip "$folder" || return 1
        pip=("$python" -m pip --python "$folder/bin/python")
    else
        echo "$python has neither ensurepip nor pip: install the package python3-venv"
        return 1
    fi
    "${pip[@]}" install --disable-pip-version-check --no-input --progress-bar off -r "$requirements"
}

# The link that makes a checkout of any name resolvable as gpuwright.node.
link_collection() {
    mkdir -p .cache/collections/ansible_collections/gpuwright
    ln -sfn ../../../.. .cache/collections/ansible_collections/gpuwright/node
}
