// SPDX-License-Identifier: BSL-1.0
// `examples/run vfio`, for the guest: each argument is the address of a function, whose blocks may be overwritten.
#include <iostream>

#include "vfio/command.hpp"

int main(int argc, char** argv) {
    int worst = 0;
    for (int i = 1; i < argc; ++i) {
        const int code = vfio_command::run({.address = argv[i], .overwrite = true}, std::cout, std::cerr);
        worst = code > worst ? code : worst;
    }
    return worst;
}
