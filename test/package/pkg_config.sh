#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Builds and runs the consumer with what pkg-config says. Usage: pkg_config.sh FOLDER_OF_PC PROGRAM COMPILER OPTION...
set -eu
PKG_CONFIG_PATH=$1
export PKG_CONFIG_PATH
program=$2
shift 2

version=$("${PKG_CONFIG:-pkg-config}" --modversion devres | awk -F. '{print $1 * 10000 + $2 * 100 + $3}')
flags=$("${PKG_CONFIG:-pkg-config}" --cflags devres)
# shellcheck disable=SC2086 # flags are words
"$@" -std="$("${PKG_CONFIG:-pkg-config}" --variable=cxx_standard devres)" $flags -DEXPECTED_VERSION="$version" "$(dirname "$0")/app.cpp" -o "$program"
"$program"
