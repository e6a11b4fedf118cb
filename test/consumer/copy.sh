#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Builds and runs the strict consumer with a copy of include/ and a -I for it, and nothing else of ours. Boost is found in
# a folder of its own, named to the compiler as HOW says: -I, as any header, or -isystem.
# Usage: copy.sh INCLUDE_FOLDER BOOST_FOLDER WORK_FOLDER HOW COMPILER OPTION...
set -eu
include=$1
boost=$2
work=$3
how=$4
shift 4

rm -rf "$work"
mkdir -p "$work/boost"
cp -R "$include" "$work/devres"
ln -s "$boost/boost" "$work/boost/boost"

"$@" -std=c++23 -I"$work/devres" "$how" "$work/boost" -MD -MF "$work/opened" "$(dirname "$0")/strict.cpp" -o "$work/app" \
  -pthread
if ! grep -q "$work/boost/boost/" "$work/opened"; then
  echo "Boost was found elsewhere than in $work/boost" >&2
  exit 1
fi
"$work/app"
