# SPDX-License-Identifier: BSL-1.0
# shellcheck shell=bash
# For the run scripts: what they need of the system, and where they build. A script says what it needs,
#
#   need PACKAGE CHECK...     # PACKAGE is missing if the command CHECK... fails
#   install_missing
#
# and install_missing installs it (Debian's names), or says what to install and exits with 2.

missing=()

need() {
  local package=$1
  shift
  "$@" >/dev/null 2>&1 || missing+=("$package")
}

# Checks for `need`.
have() { command -v "$1"; }
header() { [ -e "/usr/include/$1" ] || [ -e "/usr/local/include/$1" ] || echo "#include <$1>" | g++ -E -x c++ -; }
cmake_325() { cmake --version | awk 'NR == 1 { split($3, v, "."); exit !(v[1] > 3 || (v[1] == 3 && v[2] >= 25)) }'; }
catch2() { header catch2/catch_all.hpp || header catch2/catch.hpp; }
libcxx_19() { echo "#include <format>" | clang++-19 -std=c++23 -stdlib=libc++ -fsyntax-only -x c++ -; }
sanitizers_19() { echo "int main() {}" | clang++-19 -fsanitize=address -x c++ - -o /dev/null; }

# What every build needs.
need_compiler() {
  need g++ have g++
  need cmake cmake_325
  need ninja-build have ninja
  need libboost-dev header boost/hana/map.hpp
}
need_clang() {
  need clang-19 have clang++-19
}

install_missing() {
  [ ${#missing[@]} -gt 0 ] || return 0
  local install=(apt-get install --yes --no-install-recommends "${missing[@]}")
  if [ "$(id -u)" -ne 0 ] || ! have apt-get >/dev/null; then
    {
      echo "$0: packages are missing: ${missing[*]}"
      echo "On Debian 12 or later: sudo apt-get update && sudo ${install[*]}"
    } >&2
    exit 2
  fi
  echo "Installing: ${missing[*]}" >&2
  export DEBIAN_FRONTEND=noninteractive
  local log
  log=$(mktemp)
  if ! { apt-get update && "${install[@]}"; } >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    echo "$0: could not install: ${missing[*]}" >&2
    rm -f "$log"
    exit 2
  fi
  rm -f "$log"
}

# Two builds of one tree at a time would break each other's files: waits until this preset's tree is ours.
lock_tree() {
  local preset=$1
  mkdir -p build
  exec {tree_lock}>"build/.$preset.lock"
  have flock >/dev/null || return 0
  flock --nonblock "$tree_lock" || { echo "waiting for another run of $preset" >&2; flock "$tree_lock"; }
}
unlock_tree() { exec {tree_lock}>&-; }

# How many jobs at a time.
# shellcheck disable=SC2034
jobs=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc 2>/dev/null || echo 2)}
