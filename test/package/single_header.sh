#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Makes the single headers, and builds and runs README's program with them and with nothing else of ours: alone, and both in
# either order. Usage: single_header.sh PYTHON SOURCE_ROOT WORK_FOLDER COMPILER OPTION...
set -eu
python=$1
root=$2
work=$3
shift 3

rm -rf "$work"
mkdir -p "$work"
make_header() {
  "$python" -B "$root/tools/single_header.py" "$root/include" "$@"
}
make_header devres/devres.hpp >"$work/devres.hpp"
make_header devres/devres.hpp devres/sim.hpp >"$work/devres_sim.hpp"
make_header devres/devres.hpp devres/sim.hpp | cmp - "$work/devres_sim.hpp"
if grep -n '#include <devres/' "$work"/*.hpp | grep -v stop_reading_here; then
  echo "something of devres is still included" >&2
  exit 1
fi

sed -n '/^```cpp$/,/^```$/{/^```/!p;}' "$root/README.md" | sed '/^#include <devres\//d' >"$work/program"
build_and_run() {
  name=$1
  shift
  for header in $headers; do echo "#include \"$header\""; done | cat - "$work/program" >"$work/$name.cpp"
  "$@" -I"$work" -MD -MF "$work/opened" "$work/$name.cpp" -o "$work/$name"
  if grep -q "$root/include" "$work/opened"; then echo "the folder was opened" >&2; exit 1; fi
  "$work/$name" | grep -q "nothing is held"
}
headers="devres_sim.hpp" build_and_run alone "$@"
headers="devres.hpp devres_sim.hpp devres.hpp" build_and_run both "$@"
headers="devres_sim.hpp devres.hpp" build_and_run reversed "$@"
