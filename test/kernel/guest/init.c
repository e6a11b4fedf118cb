// SPDX-License-Identifier: BSL-1.0
// Process 1 of the guest. Its arguments are the drivers of a program and, last, the driver of the rebind: binds and
// unbinds them in turn, then prints the events between two marks, and resets the machine.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define FUNCTION "0000:00:03.0"
#define DRIVER "/sys/bus/pci/drivers/devres_lab/"
#define PARAMETERS "/sys/module/devres_lab/parameters/"
#define TRACING "/sys/kernel/tracing/"

enum { died = 1, hangs = 2 };   // what a bind or an unbind ends in, if not in 0 or -errno
static const int seconds = 20;  // of patience; a busy host can be that slow

static int write_file(const char* path, const char* text) {
    int file = open(path, O_WRONLY);
    int result = file >= 0 && write(file, text, strlen(text)) >= 0 ? 0 : -errno;
    if (file >= 0)
        close(file);
    return result;
}

static void reset(void) {
    write_file("/proc/sysrq-trigger", "b");
    for (;;)
        pause();
}

static void set(const char* path, const char* text) {
    int error = write_file(path, text);
    if (error == 0)
        return;
    printf("lab init: %s: %s\n", path, strerror(-error));
    reset();
}

static void mark(const char* what, int number, const char* text) {
    char line[1200];
    snprintf(line, sizeof(line), "lab: %s %d %s", what, number, text);
    set(TRACING "trace_marker", line);
}

static void ended(const char* what, int result) {
    set(TRACING "tracing_on", "1");  // an oops has switched it off
    mark(what, result, "");
}

// In a child: the kernel may kill the process that writes, or let it wait for ever.
static int write_in_child(const char* path, const char* text) {
    pid_t child = fork();
    if (child == 0)
        _exit(-write_file(path, text));
    sigset_t child_ended;
    sigemptyset(&child_ended);
    sigaddset(&child_ended, SIGCHLD);
    struct timespec timeout = {.tv_sec = seconds};
    int status = 0;
    if (sigtimedwait(&child_ended, NULL, &timeout) < 0 || waitpid(child, &status, WNOHANG) != child)
        return hangs;
    return WIFEXITED(status) ? -WEXITSTATUS(status) : died;
}

static int bind(const char* program, int number, const char* begin_mark, const char* end_mark) {
    char text[16];
    snprintf(text, sizeof(text), "%d", number);
    set(PARAMETERS "driver", text);
    set(PARAMETERS "program", program);
    mark(begin_mark, number, program);
    int result = write_in_child(DRIVER "bind", FUNCTION);
    ended(end_mark, result);
    return result;
}

static int unbind(int number) {
    mark("unbind", number, "");
    int result = write_in_child(DRIVER "unbind", FUNCTION);
    ended("unbound", result);
    return result;
}

static void mark_state(void) {
    char state[512];
    int file = open(PARAMETERS "state", O_RDONLY);
    ssize_t size = file < 0 ? -1 : read(file, state, sizeof(state) - 1);
    if (size < 0)
        return;
    state[size] = '\0';
    close(file);
    mark("end", 0, state);
}

static void mount_all(void) {
    mkdir("/proc", 0755);
    mkdir("/sys", 0755);
    mount("proc", "/proc", "proc", 0, NULL);
    mount("sysfs", "/sys", "sysfs", 0, NULL);
    mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
    mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL);
}

static void load_module(void) {
    int file = open("/devres_lab.ko", O_RDONLY);
    if (syscall(SYS_finit_module, file, "", 0) == 0)
        return;
    printf("lab init: devres_lab.ko: %s\n", strerror(errno));
    reset();
}

static void trace(void) {
    set(TRACING "kprobe_events", "p:lab/free_irq free_irq irq=$arg1:s32 dev_id=$arg2:x64\n"
                                 "r:lab/free_irq_end free_irq name=$retval:x64\n"
                                 "r:lab/requested request_threaded_irq result=$retval:s32\n"
                                 "p:lab/teardown pci_msi_teardown_msi_irqs\n"
                                 "r:lab/teardown_end pci_msi_teardown_msi_irqs\n"
                                 "p:lab/free_descs irq_free_descs from=$arg1:u32 count=$arg2:u32\n");
    set(TRACING "events/lab/enable", "1");
    set(TRACING "events/printk/console/enable", "1");
    set(TRACING "events/dev/devres_log/enable", "1");
}

static void print_trace(void) {
    char buffer[65536];
    ssize_t size;
    int file = open(TRACING "trace", O_RDONLY);
    printf("lab trace begins\n");
    fflush(stdout);
    while ((size = read(file, buffer, sizeof(buffer))) > 0)
        for (ssize_t done = 0, n; done < size; done += n)
            if ((n = write(1, buffer + done, size - done)) < 0)
                return;
    printf("lab trace ends\n");
    fflush(stdout);
    tcdrain(1);
}

int main(int argc, char** argv) {
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);

    mount_all();
    trace();
    load_module();
    set("/sys/bus/pci/devices/" FUNCTION "/driver_override", "devres_lab");
    set("/sys/kernel/debug/clear_warn_once", "1");

    int result = 0;
    for (int i = 1; result <= 0 && i < argc - 1; i++) {
        result = bind(argv[i], i - 1, "bind", "bound");
        if (result == 0)
            result = unbind(i - 1);
    }
    mark_state();
    if (result <= 0)
        bind(argv[argc - 1], argc - 2, "rebind", "rebound");
    set(TRACING "tracing_on", "0");
    print_trace();
    reset();
}
