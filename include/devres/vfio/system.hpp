// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <devres/core/detail/errno_guard.hpp>
#include <devres/core/result.hpp>

namespace devres::vfio {

/// The system calls that the platform makes, each as its manual page says: -1 (`MAP_FAILED`) and errno on an error.
///
/// A platform is given a System, which is this one or one that stands in for it: a kernel made of a test's own, or this
/// one with a call failing now and then. It is copied freely and used on any thread.
struct kernel_calls {
    /// The call of that name.
    /// @{
    int open(const char* path, int flags) const noexcept { return ::open(path, flags | O_CLOEXEC); }
    int close(int fd) const noexcept { return ::close(fd); }
    int ioctl(int fd, unsigned long request, void* argument) const noexcept { return ::ioctl(fd, request, argument); }
    int ioctl(int fd, unsigned long request, int argument) const noexcept { return ::ioctl(fd, request, argument); }
    /// @}
    /// A child process does not get the mapping: it would keep the device, and share the memory of its DMA by halves.
    void* map(void* where, std::size_t size, int protection, int flags, int fd, std::uint64_t offset) const noexcept {
        void* const mapped = ::mmap(where, size, protection, flags, fd, static_cast<off_t>(offset));
        if (mapped != MAP_FAILED)
            (void)::madvise(mapped, size, MADV_DONTFORK);
        return mapped;
    }
    /// The call that its body names.
    /// @{
    int unmap(void* memory, std::size_t size) const noexcept { return ::munmap(memory, size); }
    long read_at(int fd, void* to, std::size_t size, std::uint64_t offset) const noexcept {
        return ::pread(fd, to, size, static_cast<off_t>(offset));
    }
    long write_at(int fd, const void* from, std::size_t size, std::uint64_t offset) const noexcept {
        return ::pwrite(fd, from, size, static_cast<off_t>(offset));
    }
    int make_eventfd() const noexcept { return ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
    int make_epoll() const noexcept { return ::epoll_create1(EPOLL_CLOEXEC); }
    int epoll_control(int epoll, int operation, int fd, epoll_event* event) const noexcept {
        return ::epoll_ctl(epoll, operation, fd, event);
    }
    int epoll_wait(int epoll, epoll_event* events, int most, int timeout) const noexcept {
        return ::epoll_wait(epoll, events, most, timeout);
    }
    /// @}
};

namespace detail {

/// The error of the system call that just failed.
[[nodiscard]] inline errc last_error() noexcept { return static_cast<errc>(errno); }

/// What a system call answered, or its error.
[[nodiscard]] inline result<int> checked(int answer) noexcept {
    if (answer < 0) [[unlikely]]
        return fail(last_error());
    return answer;
}

/// A file descriptor that is closed when it dies; errno is kept.
template <class System>
class file {
public:
    file() noexcept = default;
    file(const System& system, int fd) noexcept : system_(system), fd_(fd) {}
    file(file&& other) noexcept : system_(other.system_), fd_(std::exchange(other.fd_, -1)) {}
    file& operator=(file&& other) noexcept {
        std::swap(system_, other.system_);
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~file() {
        if (fd_ < 0)
            return;
        const devres::detail::errno_guard keep;
        (void)system_.close(fd_);
    }

    [[nodiscard]] int get() const noexcept { return fd_; }
    /// Gives the descriptor up without closing it.
    int release() noexcept { return std::exchange(fd_, -1); }
    [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }

private:
    [[no_unique_address]] System system_{};
    int fd_ = -1;
};

}  // namespace detail
}  // namespace devres::vfio
