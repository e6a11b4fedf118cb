// SPDX-License-Identifier: BSL-1.0
#pragma once

/// What a compiler must be and have: where it is not, one error says so, and nothing is read after it.
#if !defined(__cplusplus) || __cplusplus <= 202002L
#error "devres needs C++23: compile with -std=c++23"
#include <devres/stop_reading_here>
#elif defined(__clang__) && __cpp_concepts < 202002L && !__has_include(<__config>)
#error "devres needs clang 19 or later with libstdc++, or clang 16 or later with libc++: clang++-19, or -stdlib=libc++"
#include <devres/stop_reading_here>
#elif defined(__clang__) && __clang_major__ < 16 && !defined(__apple_build_version__)
#error "devres needs clang 16 or later"
#include <devres/stop_reading_here>
#elif !defined(__clang__) && defined(__GNUC__) && __GNUC__ < 12
#error "devres needs g++ 12 or later"
#include <devres/stop_reading_here>
#elif !__has_include(<expected>)
#error "devres needs a standard library with <expected>: that of g++ 12 or later, or libc++ 16 or later"
#include <devres/stop_reading_here>
#endif
