#!/usr/bin/env bash
# Compiles the C++ sources by other compilers and for other machines, warnings being errors. What has no compiler here is
# skipped with a sentence. Usage, from anywhere: bash tools/try_compilers.sh [clang] [aarch64] [smoke] [macos] [windows]
#
#   clang    all sources by clang++ (16 or newer; CLANG=clang++-19 names one), -fsyntax-only
#   aarch64  all sources by Debian's aarch64-linux-gnu-g++, -fsyntax-only
#   smoke    builds tests/native/smoke.cpp with the C++ layers for aarch64, and runs it by qemu-aarch64
#   macos    the C++ layers by `python -m ziglang c++` (PyPI's ziglang) for aarch64-macos, which has no machine here
#   windows  the same for x86_64-windows-gnu
#
# Needs cmake, ninja, and pybind11 for clang and aarch64. Debian: apt-get install clang-19 g++-aarch64-linux-gnu qemu-user.
# WORK names the folder to build in, which is kept then; JOBS how many compilers run at a time.
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=${JOBS:-$(nproc)}
if [[ -n ${WORK:-} ]]; then
  mkdir -p "$WORK"
  work=$(cd "$WORK" && pwd)
else
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
fi

skip() { echo "$1: skipped, $2"; }

# CMake's own trial programs are compiled as Debug; only ours get what a build of type Check says.
configure() { # NAME FLAGS OPTIONS
  local name=$1 flags=$2
  shift 2
  cmake -S "$repo" -B "$work/$name" -G Ninja -DGRADCORE_DEVELOPER=ON -DGRADCORE_ISAS=v2 \
    -DCMAKE_BUILD_TYPE=Check -DCMAKE_CXX_FLAGS_CHECK="$flags" "$@" >"$work/$name.log" 2>&1 ||
    { cat "$work/$name.log"; return 1; }
}

# Every object file, but nothing that is linked.
compile() { # NAME
  local began=$SECONDS objects
  readarray -t objects < <(ninja -C "$work/$1" -t targets all | sed -nE 's/^([^:]+\.o(bj)?): CXX_COMPILER.*/\1/p')
  [[ ${#objects[@]} -gt 100 ]] || { echo "$1: found ${#objects[@]} files to compile"; return 1; }
  ninja -C "$work/$1" -j "$jobs" -k 0 "${objects[@]}" >"$work/$1.log" 2>&1 ||
    { grep -vE '^\[[0-9/]+\] Building' "$work/$1.log"; return 1; }
  echo "$1: compiled ${#objects[@]} files in $((SECONDS - began)) s"
}

with_python() {
  echo "-Dpybind11_DIR=$(python -m pybind11 --cmakedir)"
}

try_clang() {
  local found major
  for found in ${CLANG:-clang++-19 clang++}; do
    command -v "$found" >/dev/null || continue
    major=$("$found" -dumpversion | cut -d. -f1)
    ((major >= 16)) || continue
    configure clang -fsyntax-only -DCMAKE_CXX_COMPILER="$found" "$(with_python)"
    compile clang
    return
  done
  skip clang "there is no clang++ of version 16 or newer"
}

try_aarch64() {
  command -v aarch64-linux-gnu-g++ >/dev/null || { skip aarch64 "there is no aarch64-linux-gnu-g++"; return 0; }
  # Python's headers of this machine say the same sizes as those of aarch64 would. Debian's look for some of them in a
  # folder that has the machine's name.
  mkdir -p "$work/python" && ln -sfn "/usr/include/$(uname -m)-linux-gnu" "$work/python/aarch64-linux-gnu"
  configure aarch64 "-fsyntax-only -I$work/python" -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 \
    -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ -DPython_EXECUTABLE="$(command -v python)" "$(with_python)" \
    -DPython_INCLUDE_DIR="$(python -c 'import sysconfig; print(sysconfig.get_path("include"))')" \
    -DPYTHON_MODULE_EXTENSION=.so -DPYTHON_MODULE_DEBUG_POSTFIX=
  compile aarch64
}

try_smoke() {
  command -v aarch64-linux-gnu-g++ >/dev/null || { skip smoke "there is no aarch64-linux-gnu-g++"; return 0; }
  command -v qemu-aarch64 >/dev/null || { skip smoke "there is no qemu-aarch64"; return 0; }
  configure smoke "-O2 -DNDEBUG" -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 \
    -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ -DGRADCORE_BINDINGS=OFF -DGRADCORE_SMOKE_TEST=ON
  ninja -C "$work/smoke" -j "$jobs" >"$work/smoke.log" 2>&1 || { cat "$work/smoke.log"; return 1; }
  qemu-aarch64 -L /usr/aarch64-linux-gnu "$work/smoke/smoke"
}

# zig has no -fsyntax-only. Without optimization no loop is vectorized, of which clang would warn.
try_zig() { # NAME TARGET SYSTEM PROCESSOR
  python -m ziglang version >/dev/null 2>&1 || { skip "$1" "there is no ziglang (pip install ziglang)"; return 0; }
  local compiler=$work/zig-$2
  export ZIG_GLOBAL_CACHE_DIR=$work/zig-cache ZIG_LOCAL_CACHE_DIR=$work/zig-cache
  cat >"$compiler" <<SCRIPT
#!/bin/sh
# zig writes the names of processors with other hyphens.
for argument do
  case \$argument in -march=x86-64-*) argument=-mcpu=x86_64_\${argument##*-} ;; esac
  set -- "\$@" "\$argument"
  shift
done
exec $(command -v python) -m ziglang c++ -target $2 "\$@"
SCRIPT
  chmod +x "$compiler"
  configure "$1" "-O0 -g0 -fno-sanitize=undefined -Wno-pass-failed" -DCMAKE_SYSTEM_NAME="$3" -DCMAKE_SYSTEM_PROCESSOR="$4" \
    -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY \
    -DGRADCORE_BINDINGS=OFF -DGRADCORE_SMOKE_TEST=ON
  compile "$1"
}

[[ $# -gt 0 ]] || set -- clang aarch64 smoke macos windows
for which in "$@"; do
  case $which in
    clang) try_clang ;;
    aarch64) try_aarch64 ;;
    smoke) try_smoke ;;
    macos) try_zig macos aarch64-macos Darwin arm64 ;;
    windows) try_zig windows x86_64-windows-gnu Windows AMD64 ;;
    *) echo "unknown: $which"; exit 2 ;;
  esac
done
