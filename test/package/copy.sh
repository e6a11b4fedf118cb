#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Builds and runs the strict consumer with a copy of include/ and a -I for it, and nothing else of ours. With BOOST, Boost is
# found in a folder of its own, named to the compiler as HOW says: -I, as any header, or -isystem. Without, none is opened.
# Usage: copy.sh INCLUDE_FOLDER WORK_FOLDER COMPILER OPTION...
set -eu
include=$1
work=$2
shift 2

rm -rf "$work"
mkdir -p "$work"
cp -R "$include" "$work/devres"
if [ -n "${BOOST:-}" ]; then
  mkdir "$work/boost"
  ln -s "$BOOST/boost" "$work/boost/boost"
  set -- "$@" "$HOW" "$work/boost"
fi

"$@" -std=c++23 -I"$work/devres" -MD -MF "$work/opened" "$(dirname "$0")/strict.cpp" -o "$work/app" -pthread
if [ -n "${BOOST:-}" ]; then
  grep -q "$work/boost/boost/" "$work/opened" || { echo "Boost was found elsewhere than in $work/boost" >&2; exit 1; }
else
  if grep -q "/boost/" "$work/opened"; then echo "Boost was opened" >&2; exit 1; fi
fi
"$work/app"
