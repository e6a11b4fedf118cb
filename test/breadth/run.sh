#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Builds README's program and the explorations, with nothing of ours but include/, and runs them: RUNNER is what runs a program
# of another machine, with its options, or env. Usage: run.sh SOURCE_ROOT WORK_FOLDER BOOST_FOLDER RUNNER COMPILER OPTION...
set -eu
root=$1
work=$2
boost=$3
runner=$4
shift 4

rm -rf "$work"
mkdir -p "$work/boost"
ln -s "$boost/boost" "$work/boost/boost" # and nothing else of this machine's
sed -n '/^```cpp$/,/^```$/{/^```/!p;}' "$root/README.md" >"$work/readme.cpp"
build_and_run() {
  wanted=$1
  name=$2
  shift 2
  "$@" -I"$root/include" -isystem "$work/boost" "$name" -o "$work/program" -pthread
  # shellcheck disable=SC2086 # a command and its options
  timeout 300 $runner "$work/program" >"$work/said" || { status=$?; cat "$work/said" >&2; echo "$name: exit status $status" >&2; exit 1; }
  grep -qx "$wanted" "$work/said" || { cat "$work/said" >&2; echo "$name does not say: $wanted" >&2; exit 1; }
}
build_and_run "nothing is held" "$work/readme.cpp" "$@"
build_and_run "all is well" "$root/test/breadth/explore.cpp" "$@"
