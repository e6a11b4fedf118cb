# SPDX-License-Identifier: BSL-1.0
# Has the compiler refuse a hazard's driver, and keeps what it says:
# cmake -DNAME=vectors_freed -DOUTPUT=FILE -P refuse.cmake -- COMPILER OPTION...
# Fails if the compiler accepts it, or refuses it for a reason that is none of this library's rules.
set(command "")
set(behind FALSE)
foreach(number RANGE 1 ${CMAKE_ARGC})
  if(behind AND number LESS CMAKE_ARGC)
    list(APPEND command ${CMAKE_ARGV${number}})
  elseif("${CMAKE_ARGV${number}}" STREQUAL "--")
    set(behind TRUE)
  endif()
endforeach()

set(ENV{LC_ALL} C) # the shape of quotes
execute_process(COMMAND ${command} RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(status EQUAL 0)
  message(FATAL_ERROR "hazards/drivers/${NAME}.hpp: the compiler accepts the driver with the hazard")
elseif(NOT said MATCHES "devres\\[D[0-9]+\\]")
  message(FATAL_ERROR "hazards/drivers/${NAME}.hpp: refused, but by no rule:\n${said}")
endif()
file(WRITE "${OUTPUT}" "${said}")
