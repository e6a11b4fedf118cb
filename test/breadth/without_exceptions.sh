#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Where a program without exceptions would have got one, it ends with a line. Usage: without_exceptions.sh SOURCE_ROOT WORK_FOLDER COMPILER OPTION...
set -eu
root=$1
work=$2
shift 2

rm -rf "$work"
mkdir -p "$work"
"$@" -fno-exceptions -fno-rtti -I"$root/include" "$root/test/breadth/without_exceptions.cpp" -o "$work/program" -pthread
ends_with() {
  if "$work/program" "$1" 2>"$work/said"; then echo "$1: goes on" >&2; exit 1; fi
  [ "$(head -n 1 "$work/said")" = "$2" ] || { cat "$work/said" >&2; echo "$1 does not say: $2" >&2; exit 1; }
}
ends_with sim "devres: no function at 0000:3a:00.0"
ends_with linux_model "devres: the kernel stopped in mutex_lock"
"$work/program" nothing
