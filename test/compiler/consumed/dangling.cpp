// SPDX-License-Identifier: BSL-1.0
// A view does not outlive what it looks at.
#include <devres/devres.hpp>
#include <devres/pci/platform_archetype.hpp>

using namespace devres;
using namespace devres::pci;

using platform_type = platform_archetype;
using function_type = platform_type::function_type;
using device_type = device<platform_type>;
using enabled_type = enabled_device<managed_t, platform_type>;

group open_on_a_local() {
    list resources;
    return group{
        resources};  // expected-warning {{address of stack memory associated with local variable 'resources' returned}}
}

group open_on_a_local_device(platform_type& platform, function_type& function) {
    device_type dev(platform, function);
    return group{dev};  // expected-warning {{address of stack memory associated with local variable 'dev' returned}}
}

result<enabled_type> enabled_local_device(platform_type& platform, function_type& function) {
    device_type dev(platform, function);
    return pcim_enable_device(
        dev);  // expected-warning {{address of stack memory associated with local variable 'dev' returned}}
}

// Clean twins: what outlives the function may be looked at.
group open_on_a_parameter(list& resources) { return group{resources}; }
group open_on_a_device(device_type& dev) { return group{dev}; }
result<enabled_type> enabled_device_of_the_caller(device_type& dev) { return pcim_enable_device(dev); }

struct queue {
    irq_return on_irq() noexcept { return irq_return::handled; }
};
using vector_type = irq_vector<managed_t, platform_type>;
using handler_type = irq_registration<unmanaged_t, platform_type>;

result<handler_type> handler_with_a_local_context(const vector_type& vector) {
    queue context;
    return request_irq<&queue::on_irq>(
        vector, "queue",
        context);  // expected-warning {{address of stack memory associated with local variable 'context' returned}}
}
result<handler_type> handler_with_a_context_of_the_caller(const vector_type& vector, queue& context) {
    return request_irq<&queue::on_irq>(vector, "queue", context);
}
