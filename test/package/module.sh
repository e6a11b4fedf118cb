#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Compiles the module, and README's program with it; and one program of two sources, of which one includes the headers.
# Usage: module.sh SOURCE_ROOT WORK_FOLDER CLANG OPTION...
set -eu
root=$1
work=$2
shift 2

rm -rf "$work"
mkdir -p "$work"
"$@" -std=c++23 -I"$root/include" -Wno-include-angled-in-module-purview --precompile "$root/modules/devres.cppm" -o "$work/devres.pcm"
"$@" -std=c++23 -c "$work/devres.pcm" -o "$work/devres.o"

sed -n '/^```cpp$/,/^```$/{/^```/!p;}' "$root/README.md" |
  sed 's,#include <devres/devres.hpp>,#include <devres/core/try.hpp>,; s,#include <devres/sim.hpp>,import devres;,' >"$work/program.cpp"
grep -q '^import devres;$' "$work/program.cpp"
"$@" -std=c++23 -I"$root/include" -fmodule-file=devres="$work/devres.pcm" "$work/program.cpp" "$work/devres.o" -o "$work/program"
"$work/program" | grep -q "nothing is held"

cat >"$work/includes.cpp" <<'CPP'
#include <devres/sim.hpp>
bool clean(devres::sim::bus& bus) { return bus.ledger().clean(); }
CPP
cat >"$work/imports.cpp" <<'CPP'
import devres;
bool clean(devres::sim::bus& bus);
int main() {
    devres::sim::bus bus;
    (void)bus.add({.vendor = 0x1b36, .device = 0x0006});
    return clean(bus) ? 0 : 1;
}
CPP
"$@" -std=c++23 -I"$root/include" -fmodule-file=devres="$work/devres.pcm" "$work/imports.cpp" "$work/includes.cpp" "$work/devres.o" \
  -o "$work/both"
"$work/both"
