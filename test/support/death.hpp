// SPDX-License-Identifier: BSL-1.0
#pragma once

// What stops the program is tried in a child of it.
#include <csignal>
#include <cstdio>
#include <string>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace devres::test {

/// Calls `function` in a child process. @returns what the child said on its standard error before a signal ended it; empty if
/// none did. There must be no other thread.
template <class Function>
std::string last_words(Function function) {
    int channel[2];
    if (::pipe(channel) != 0)
        return {};
    std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(channel[0]);
        ::dup2(channel[1], STDERR_FILENO);
        const rlimit no_core{0, 0};
        (void)::setrlimit(RLIMIT_CORE, &no_core);
        for (const int fatal : {SIGILL, SIGTRAP, SIGABRT})  // Catch2 has handlers of its own
            (void)std::signal(fatal, SIG_DFL);
        ::alarm(20);  // a child that waits for itself ends too, and has said nothing
        function();
        ::_exit(0);
    }
    ::close(channel[1]);
    std::string said;
    char part[256];
    for (ssize_t length = 0; (length = ::read(channel[0], part, sizeof(part))) > 0;)
        said.append(part, static_cast<std::size_t>(length));
    ::close(channel[0]);
    int status = 0;
    (void)::waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? said : std::string();
}

}  // namespace devres::test
