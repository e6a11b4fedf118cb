// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <istream>
#include <utility>
#include <vector>

#include <devres/hardware/detail/lspci_reader.hpp>
#include <devres/hardware/detail/pasted_text.hpp>
#include <devres/hardware/dump.hpp>
#include <devres/hardware/dump_report.hpp>

namespace devres::hardware {

/// Reads the functions of a machine from the output of `lspci -xxxx`, `-xxx` (256 bytes each) or `-x` (64), with whatever
/// other options, from the kernel's `pci=earlydump`, or from what hexdump, xxd or od write of a file of sysfs, as people paste
/// it: a whole mail, quoted, indented, with text around and between, in the encodings that mails, pages and terminals use.
/// -v's sizes of BARs are used, from wherever in the text they are.
///
/// A function that is cut or broken counts as far as its bytes go, 64 at the least, which its `notes` say; a row that is missing
/// further on costs only the capabilities in it. One that is there more than once counts once: its `which`-th place, from 1,
/// or the last if there are fewer; with 0, the first with the most bytes. Of two machines in a text, `which` says which. What is
/// left out or had to be guessed is said in `report`: nothing is dropped in silence.
/// @returns the functions in the order of the text; `einval` if there is none, and in `report` the line and the reason
[[nodiscard]] inline result<std::vector<dumped_function>> read_lspci(std::istream& text, dump_report* report = nullptr,
                                                                     unsigned which = 0) {
    detail::pasted_text pasted(text);
    detail::lspci_reader reader(std::move(pasted.remarks));
    for (const detail::pasted_line& line : pasted.lines)
        reader.line(line.number, line.text);
    dump_report said;
    auto functions = reader.finish(which, said);
    const bool found = !functions.empty();
    if (report != nullptr)
        *report = std::move(said);
    if (!found)
        return fail(errc::einval);
    return functions;
}

}  // namespace devres::hardware
