// SPDX-License-Identifier: BSL-1.0
#include <cstddef>
#include <cstdlib>
#include <new>

#include "support/catch.hpp"
#include "vmd/driver.hpp"
#include "vmd/model.hpp"

// Every allocation of this program is counted, by thread.
namespace {

thread_local std::size_t allocations = 0;

void* counted(std::size_t size, std::size_t alignment) noexcept {
    ++allocations;
    if (alignment <= alignof(std::max_align_t))
        return std::malloc(size == 0 ? 1 : size);
    return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}
void* counted_or_throw(std::size_t size, std::size_t alignment) {
    void* const block = counted(size, alignment);
    if (block == nullptr)
        throw std::bad_alloc();
    return block;
}

}  // namespace

void* operator new(std::size_t size) { return counted_or_throw(size, 1); }
void* operator new[](std::size_t size) { return counted_or_throw(size, 1); }
void* operator new(std::size_t size, std::align_val_t a) { return counted_or_throw(size, static_cast<std::size_t>(a)); }
void* operator new[](std::size_t size, std::align_val_t a) {
    return counted_or_throw(size, static_cast<std::size_t>(a));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return counted(size, 1); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return counted(size, 1); }
void* operator new(std::size_t size, std::align_val_t a, const std::nothrow_t&) noexcept {
    return counted(size, static_cast<std::size_t>(a));
}
void* operator new[](std::size_t size, std::align_val_t a, const std::nothrow_t&) noexcept {
    return counted(size, static_cast<std::size_t>(a));
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete[](void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t) noexcept { std::free(block); }
void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete[](void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept { std::free(block); }
void operator delete[](void* block, const std::nothrow_t&) noexcept { std::free(block); }
void operator delete(void* block, std::align_val_t, const std::nothrow_t&) noexcept { std::free(block); }
void operator delete[](void* block, std::align_val_t, const std::nothrow_t&) noexcept { std::free(block); }

using namespace devres;

TEST_CASE("an interrupt takes no memory on its way from a child to the child's handler") {
    vmd::machine m({.msix_vectors = 8});
    auto bound = pci::bind<vmd::driver>(m.platform, m.function);
    REQUIRE(bound);
    auto* const disk = bound->state().child<vmd::nvme::driver>(1);
    auto* const port = bound->state().child<vmd::ethernet::driver>(2);
    REQUIRE((disk != nullptr && port != nullptr));
    m.disks[1].complete_at_once(true);
    const std::size_t before = allocations;
    ::operator delete(::operator new(1));
    const std::size_t counted_one = allocations;
    REQUIRE(counted_one == before + 1);
    for (unsigned i = 0; i != 1000; ++i) {
        disk->submit(i % 4, 1);
        m.port.receive();
    }
    const std::size_t after = allocations;
    CHECK(after == counted_one);
    CHECK(disk->completed(3) == 250);
    CHECK(port->received() == 1000);
}
