// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <charconv>
#include <cstddef>
#include <istream>
#include <string>
#include <string_view>

namespace hazards {

/// What the compiler says to the driver with the hazard: the first of the library's rules that it names, and where.
struct refusal {
    unsigned line = 0;    ///< of the hazard's header; 0 if it says nothing of it
    std::string message;  ///< "devres[D001] ..."

    [[nodiscard]] std::string_view code() const noexcept {
        const std::size_t bracket = message.find('[');
        return bracket == std::string::npos ? std::string_view() : std::string_view(message).substr(bracket + 1, 4);
    }
};

/// Finds it in what g++ or clang prints for a header of that name.
[[nodiscard]] inline refusal read_refusal(std::istream& from, std::string_view header) {
    const auto text_in = [](std::string_view line) {
        const std::size_t begin = line.find("\"devres[");
        return begin == std::string_view::npos ? std::string_view()
                                               : line.substr(begin + 1, line.find('"', begin + 1) - begin - 1);
    };
    const std::string place = "/" + std::string(header) + ":";
    refusal out;
    for (std::string line; std::getline(from, line);) {
        const std::size_t at = line.find(place);
        if (const bool is_error = line.find(": error: ") != std::string::npos; is_error && at != std::string::npos) {
            const std::size_t digits = at + place.size();
            (void)std::from_chars(line.data() + digits, line.data() + line.size(), out.line);
        } else if (out.line != 0 && (line.find("required for the satisfaction of 'rule<") != std::string::npos ||
                                     (line.find("because 'rule<") != std::string::npos &&
                                      line.find("evaluated to false") != std::string::npos))) {
            out.message = text_in(line);
            return out;
        }
    }
    return out;
}

}  // namespace hazards
