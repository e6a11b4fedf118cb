// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D007] not a platform: has_functions asks for function_type, attach, detach, id
#include <devres/devres.hpp>

#include "driver.hpp"

struct lesser_platform {
    void* allocate(std::size_t size, std::size_t alignment) noexcept;
    void deallocate(void* block, std::size_t size, std::size_t alignment) noexcept;
    void relax() noexcept;
};

struct driver {
    static result<> probe(auto&, const device_id&) { return {}; }
};

#ifdef EXPECT_FAIL
using candidate = lesser_platform;
#else
using candidate = platform_type;
#endif

result<binding<driver, candidate>> bound(candidate& platform, function_type& function) {
    return bind<driver>(platform, function);
}
