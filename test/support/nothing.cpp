// SPDX-License-Identifier: BSL-1.0
// A library that only has a precompiled header.
