// SPDX-License-Identifier: BSL-1.0
#include <devres/hardware/irq_slot.hpp>

#include "support/catch.hpp"

using namespace devres;
using hardware::delivery;
using hardware::irq_slot;

namespace {

struct recorder {
    irq_slot slot;
    unsigned calls = 0;
    unsigned depth = 0;
    unsigned deepest = 0;
    unsigned raise_again = 0;

    static pci::irq_return on_irq(void* context, pci::vector_index) noexcept {
        auto& self = *static_cast<recorder*>(context);
        ++self.calls;
        self.deepest = std::max(self.deepest, ++self.depth);
        if (self.raise_again != 0) {
            --self.raise_again;
            CHECK(self.slot.deliver_edge() == delivery::running);
        }
        CHECK(self.slot.running_here());
        --self.depth;
        return pci::irq_return::none;
    }

    recorder() {
        slot.entry = &on_irq;
        slot.context = this;
    }
};

}  // namespace

TEST_CASE("an edge runs the handler if there is one") {
    recorder r;
    CHECK(r.slot.deliver_edge() == delivery::no_handler);
    r.slot.arm();
    CHECK(r.slot.deliver_edge() == delivery::none);
    CHECK(r.calls == 1);
    r.slot.disarm();
    CHECK(r.slot.deliver_edge() == delivery::no_handler);
    CHECK(r.calls == 1);
    CHECK_FALSE(r.slot.running_here());
}

TEST_CASE("an edge that comes while the handler runs is delivered after it, not inside it") {
    recorder r;
    r.slot.arm();
    r.raise_again = 3;
    CHECK(r.slot.deliver_edge() == delivery::none);
    CHECK(r.calls == 4);
    CHECK(r.deepest == 1);
}

TEST_CASE("a level that comes while the handler runs is left to be looked at again") {
    recorder r;
    r.slot.arm();
    CHECK(r.slot.deliver_level() == delivery::none);
    CHECK(r.calls == 1);
}

TEST_CASE("a slot that holds keeps one edge until it is armed") {
    recorder r;
    r.slot.hold();
    CHECK(r.slot.deliver_edge() == delivery::held);
    CHECK(r.slot.deliver_edge() == delivery::held);
    CHECK(r.calls == 0);
    r.slot.arm();
    CHECK(r.calls == 1);
    CHECK(r.slot.deliver_edge() == delivery::none);
    CHECK(r.calls == 2);
    r.slot.disarm();
    CHECK(r.slot.deliver_edge() == delivery::held);
    CHECK(r.slot.deliver_level() == delivery::no_handler);
    r.slot.let_go();
    CHECK(r.slot.deliver_edge() == delivery::no_handler);
    r.slot.arm();
    CHECK(r.calls == 2);
}

TEST_CASE("edges that wait when a slot is disarmed are kept by one that holds, and only by that") {
    for (const bool holds : {true, false}) {
        recorder r;
        if (holds)
            r.slot.hold();
        r.slot.arm();
        r.slot.entry = [](void* context, pci::vector_index) noexcept {
            auto& self = *static_cast<recorder*>(context);
            if (++self.calls == 1) {
                CHECK(self.slot.deliver_edge() == delivery::running);
                CHECK(self.slot.deliver_edge() == delivery::running);
                self.slot.state.fetch_and(~irq_slot::armed);  // as another thread's disarm, which would wait
            }
            return pci::irq_return::handled;
        };
        CHECK(r.slot.deliver_edge() == delivery::handled);
        CHECK(r.calls == 1);
        r.slot.arm();
        CHECK(r.calls == (holds ? 3 : 1));
    }
}
