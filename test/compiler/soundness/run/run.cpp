// SPDX-License-Identifier: BSL-1.0
// Runs one of the programs, by its name: test_soundness NAME. All of them without a name, for a look by hand.
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "programs.hpp"

int main(int argc, char** argv) {
    for (const int stopped : {SIGILL, SIGTRAP})  // CTest takes a program that a signal ended for broken
        std::signal(stopped, [](int) { std::_Exit(1); });
    if (argc > 2)
        return 2;
    int failed = 0;
    for (const auto& program : programs) {
        if (argc == 2 && std::strcmp(program.name, argv[1]) == 0)
            return program.main();
        if (argc == 1) {
            std::cerr << program.name << std::endl;
            failed += program.main() != 0;
        }
    }
    return argc == 1 ? failed != 0 : 2;
}
