// SPDX-License-Identifier: BSL-1.0
#pragma once

/// How the values of core and pci print: `std::cout << outcome`, `std::format("{}", errc::ebusy)` where the library has it, and so
/// in what test frameworks and loggers say. An `errc` is a `std::error_code` too. No driver needs this header to compile;
/// `<devres/hardware/print.hpp>` and `<devres/testing/print.hpp>` are those of the layers above.
#include <devres/print/errc.hpp>
#include <devres/print/pci.hpp>
#include <devres/print/result.hpp>
