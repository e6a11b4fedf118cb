// SPDX-License-Identifier: BSL-1.0
#include "../../examples/rocker/compiled.cpp"
