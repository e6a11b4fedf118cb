#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Makes a release, and builds and runs its program for Compiler Explorer as that would, from what is at the address.
# Usage: release.sh SOURCE_ROOT WORK_FOLDER COMPILER OPTION...
set -eu
root=$1
work=$2
shift 2

rm -rf "$work"
address=https://host.example/devres-0
"$root/tools/release" "$address/" "$work/devres-0"
grep -qx "#include <$address/devres_sim.hpp>" "$work/devres-0/compiler_explorer.cpp"
grep -q "^    #include <$address/devres_sim.hpp>$" "$work/devres-0/getting.md"
if grep -rn SINGLE_HEADER_ADDRESS "$work"; then echo "the placeholder is left" >&2; exit 1; fi
# What Compiler Explorer does before it compiles.
sed "s,<$address/\(.*\)>,\"$work/devres-0/\1\"," "$work/devres-0/compiler_explorer.cpp" >"$work/fetched.cpp"
"$@" "$work/fetched.cpp" -o "$work/program"
"$work/program" | grep -qx "nothing is held"

for wrong in http://host.example https:// 'https://host.example/a,b' 'host.example'; do
  if "$root/tools/release" "$wrong" "$work/wrong" 2>"$work/said"; then echo "$wrong is taken" >&2; exit 1; fi
  grep -qF "ADDRESS is $wrong: it must be https://" "$work/said" || { cat "$work/said" >&2; exit 1; }
  [ ! -e "$work/wrong" ] || { echo "$wrong leaves something behind" >&2; exit 1; }
done
