# SPDX-License-Identifier: BSL-1.0
# devres_development: what our own tests, examples and benchmarks are built with. Nothing of it reaches a user of
# devres::devres.
set(DEVRES_SANITIZE "" CACHE STRING "Sanitizers to build tests and examples with, as -fsanitize= takes them")

find_package(Threads REQUIRED)
if(POLICY CMP0167) # Boost's own package files find it; the module that did is gone from newer CMake
  cmake_policy(SET CMP0167 NEW)
endif()
find_package(Boost 1.70 REQUIRED) # Hana, headers only, for <devres/hana.hpp> and <devres/testing.hpp>

set(devres_warnings -Wall -Wextra -Wpedantic -Wconversion -Wshadow)

add_library(devres_development INTERFACE)
target_link_libraries(devres_development INTERFACE devres::devres Boost::headers Threads::Threads)
set(devres_build_warnings ${devres_warnings} -Werror)
# Those of g++ that follow values see little in code that is not optimized, for a quarter of its time: the release tree has them.
set(devres_no_flow_warnings "")
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  set(devres_no_flow_warnings
    -Wno-dangling-pointer -Wno-infinite-recursion -Wno-maybe-uninitialized -Wno-nonnull -Wno-uninitialized -Wno-use-after-free)
endif()
if(NOT CMAKE_BUILD_TYPE STREQUAL Release)
  list(APPEND devres_build_warnings ${devres_no_flow_warnings})
endif()
target_compile_options(devres_development INTERFACE ${devres_build_warnings})

# g++ looks for memory to reuse again and again, in vain: what it holds is the precompiled header.
set(devres_no_collection "")
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  set(devres_no_collection --param=ggc-min-expand=10000 --param=ggc-min-heapsize=1048576)
endif()
set(devres_build_options ${devres_no_collection})

# What has been compiled once is not compiled again, in whichever tree. ccache must be told that of a precompiled header only
# the text counts.
find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL Clang)
    list(APPEND devres_build_options "SHELL:-Xclang -fno-pch-timestamp")
  else()
    list(APPEND devres_build_options -fpch-preprocess)
  endif()
endif()
target_compile_options(devres_development INTERFACE ${devres_build_options})

if(DEVRES_SANITIZE)
  # Threads have more to do in a second if they are optimized; otherwise a third of the compiler's time is better spent.
  set(devres_sanitize -fsanitize=${DEVRES_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  if(DEVRES_SANITIZE STREQUAL "thread")
    list(APPEND devres_sanitize -O1)
  endif()
  target_compile_options(devres_development INTERFACE ${devres_sanitize})
  target_link_options(devres_development INTERFACE -fsanitize=${DEVRES_SANITIZE})
endif()

set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
