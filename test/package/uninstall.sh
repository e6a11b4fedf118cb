#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Installs devres beside what is somebody else's, and uninstalls it: what is left is as before. Then packs it, and builds and
# runs the consumer with what is in the package. Usage: uninstall.sh CMAKE SOURCE_ROOT WORK_FOLDER COMPILER OPTION...
set -eu
cmake=$1
root=$2
work=$3
shift 3

rm -rf "$work"
mkdir -p "$work/prefix/include/other"
touch "$work/prefix/include/other/header.hpp"
"$cmake" -S "$root" -B "$work/build" -DCMAKE_CXX_COMPILER="$1" -DDEVRES_BUILD_TESTS=OFF -DDEVRES_BUILD_EXAMPLES=OFF \
  -DDEVRES_BUILD_BENCHMARKS=OFF -DCMAKE_INSTALL_PREFIX="$work/prefix" >"$work/log"
"$cmake" --build "$work/build" --target install >>"$work/log"
test -e "$work/prefix/include/devres/devres.hpp"
"$cmake" --build "$work/build" --target uninstall >>"$work/log"
left=$(cd "$work/prefix" && find . -type f)
[ "$left" = "./include/other/header.hpp" ] || { echo "left behind: $left" >&2; exit 1; }
if [ -e "$work/prefix/include/devres" ]; then echo "a folder is left behind" >&2; exit 1; fi

(cd "$work/build" && cpack >>"$work/log")
mkdir "$work/unpacked"
tar -xzf "$work"/build/devres-*.tar.gz -C "$work/unpacked" --strip-components=1
"$@" -std=c++23 -I"$work/unpacked/include" "$(dirname "$0")/app.cpp" -o "$work/app"
"$work/app"
