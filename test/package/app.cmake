# SPDX-License-Identifier: BSL-1.0
# The consumer's program, once it has devres::devres.
add_executable(app ../app.cpp)
target_link_libraries(app PRIVATE devres::devres)
