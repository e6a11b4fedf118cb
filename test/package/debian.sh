#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Builds the Debian package, has lintian look at it, and builds and runs the consumer with what is in it.
# Usage: debian.sh SOURCE_ROOT WORK_FOLDER COMPILER
set -eu
root=$1
work=$2
compiler=$3

rm -rf "$work"
mkdir -p "$work/devres" "$work/unpacked"
for part in CMakeLists.txt LICENSE cmake include tools; do cp -R "$root/$part" "$work/devres"; done
cp -R "$root/packaging/debian" "$work/devres/debian"
version=$("$root/tools/version")
grep -q "^devres ($version-" "$work/devres/debian/changelog" || { echo "debian/changelog does not begin with $version" >&2; exit 1; }
tar -C "$work" -czf "$work/devres_$version.orig.tar.gz" --exclude=debian devres
(cd "$work/devres" && dpkg-buildpackage -us -uc) >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
lintian --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs,bad-distribution-in-changes-file \
  "$work"/devres_*.changes >"$work/lintian" 2>&1 || { cat "$work/lintian" >&2; exit 1; }
dpkg-deb -x "$work"/libdevres-dev_*_all.deb "$work/unpacked"
flags=$(PKG_CONFIG_PATH="$work/unpacked/usr/share/pkgconfig" pkg-config --define-prefix --cflags devres)
# shellcheck disable=SC2086 # flags are words
"$compiler" -std=c++23 $flags "$(dirname "$0")/app.cpp" -o "$work/app"
"$work/app"
