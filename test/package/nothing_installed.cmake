# SPDX-License-Identifier: BSL-1.0
# Fails if the consumer's own `cmake --install` installs anything: it has no rule for that, and ours must not come along.
# Usage: cmake -D BUILD=FOLDER -D PREFIX=FOLDER -P nothing_installed.cmake
file(REMOVE_RECURSE ${PREFIX})
execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix ${PREFIX} COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)
file(GLOB_RECURSE installed RELATIVE ${PREFIX} ${PREFIX}/*)
list(LENGTH installed count)
if(count)
  list(GET installed 0 first)
  message(FATAL_ERROR "a consumer with add_subdirectory(devres) installs ${count} files of ours: ${first} ...")
endif()
