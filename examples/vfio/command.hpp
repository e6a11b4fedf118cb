// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <ostream>
#include <string>

/// The example drivers on real devices that vfio-pci has.
namespace vfio_command {

/// What the command line asks for.
struct request {
    std::string address;     ///< of a function
    bool list = false;       ///< instead: which functions there are
    bool overwrite = false;  ///< a driver's test may write to what the device stores
};

/// Runs the driver of the function's kind, and its test. @returns the exit code: 0 if all was well, 1 if the device or the
/// driver was not, 2, and one line on `errors`, if the function cannot be had, or there is no driver for it
int run(const request& asked, std::ostream& to, std::ostream& errors);

}  // namespace vfio_command
