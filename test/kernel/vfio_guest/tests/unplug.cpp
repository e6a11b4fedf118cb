// SPDX-License-Identifier: BSL-1.0
#include <mutex>

#include <sys/wait.h>
#include <unistd.h>

#include "devices.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::lab;

TEST_CASE("a device that is unplugged while it interrupts is unbound and closed, and can be plugged in again") {
    const auto files = open_files();
    {
        vfio::bus bus;
        vfio::function& f = *bus.open(second_edu).value();
        struct owner {
            vfio::bus& bus;
            std::mutex lock = {};  // the caller's lock of the device
            pci::binding<test::everything_driver, vfio::bus> bound = {};
            std::atomic<bool> asked{false}, closed{false};

            static void on_event(void* self, vfio::function& function, vfio::function_event what) noexcept {
                auto& o = *static_cast<owner*>(self);
                o.asked = what == vfio::function_event::unplug_requested;
                const std::scoped_lock hold(o.lock);
                if (o.bound.unbind() && o.bus.close(function))
                    o.closed = true;
            }
        } app{bus};
        app.bound = pci::bind<test::everything_driver>(bus, f).value();
        bus.listen(f, &owner::on_event, &app);

        const pid_t child = ::fork();  // whoever unplugs it waits until it is closed
        if (child == 0) {
            ::close_range(3, ~0U, 0);  // its copy of the device's file would keep the device
            ::usleep(50'000);
            std::ofstream(std::string("/sys/bus/pci/devices/") + second_edu.text().c_str() + "/remove") << "1";
            ::_exit(0);
        }
        unsigned fired = 0;
        while (!app.closed) {
            std::this_thread::sleep_for(std::chrono::microseconds(100));  // a mutex is not fair
            const std::scoped_lock hold(app.lock);
            if (app.bound && bus.trigger(f, 0))
                ++fired;
        }
        CHECK(app.asked);
        CHECK(fired > 0);
        int status = 0;
        CHECK(::waitpid(child, &status, 0) == child);
        CHECK(bus.open(second_edu).error().code == errc::enodev);
    }
    CHECK(open_files() == files);

    std::ofstream("/sys/bus/pci/rescan") << "1";
    const std::string folder = std::string("/sys/bus/pci/devices/") + second_edu.text().c_str();
    REQUIRE(std::filesystem::exists(folder));
    std::ofstream(folder + "/driver_override") << "vfio-pci";
    std::ofstream("/sys/bus/pci/drivers_probe") << second_edu.text().c_str();
    opened again(second_edu);
    CHECK(pci::bind<test::everything_driver>(again.bus, again.f));
}
