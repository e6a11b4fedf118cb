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
target_compile_options(devres_development INTERFACE ${devres_warnings} -Werror)

if(DEVRES_SANITIZE)
  target_compile_options(devres_development INTERFACE
    -fsanitize=${DEVRES_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -O1)
  target_link_options(devres_development INTERFACE -fsanitize=${DEVRES_SANITIZE})
endif()

set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
