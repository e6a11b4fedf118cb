#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Builds and runs the consumer with Meson: devres as a subproject, and devres as it was installed by Meson, by its pkg-config
# file. Usage: meson.sh MESON SOURCE_ROOT WORK_FOLDER COMPILER
set -eu
meson=$1
root=$2
work=$3
CXX=$4
export CXX

rm -rf "$work"
mkdir -p "$work/app/subprojects"
ln -s "$root" "$work/app/subprojects/devres"
cp "$(dirname "$0")/app.cpp" "$work/app"
cat >"$work/app/meson.build" <<'MESON'
project('consumer', 'cpp')
add_project_arguments('-std=c++23', language : 'cpp') # older Meson does not know cpp_std=c++23
app = executable('app', 'app.cpp', dependencies : dependency('devres', version : '>= 0.1'))
test('app', app)
MESON
"$meson" setup "$work/as_subproject" "$work/app" --force-fallback-for=devres >"$work/log"
"$meson" test -C "$work/as_subproject" >>"$work/log"

"$meson" setup "$work/devres" "$root" --prefix="$work/prefix" >>"$work/log"
"$meson" install -C "$work/devres" >>"$work/log"
rm "$work/app/subprojects/devres"
PKG_CONFIG_PATH="$work/prefix/share/pkgconfig" "$meson" setup "$work/installed" "$work/app" >>"$work/log"
"$meson" test -C "$work/installed" >>"$work/log"
