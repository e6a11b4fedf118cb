// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <devres/testing/detail/utf8.hpp>

namespace devres::testing::detail {

/// Text for an XML document: what would be markup is escaped, and what is no UTF-8, or a control character, which XML 1.0
/// cannot have, is U+FFFD.
[[nodiscard]] inline std::string xml_text(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t size = utf8_size(text);
        const char first = text.front();
        switch (first) {
        case '&': out += "&amp;"; break;
        case '<': out += "&lt;"; break;
        case '>': out += "&gt;"; break;
        case '"': out += "&quot;"; break;
        default:
            out.append(size == 0 || static_cast<unsigned char>(first) < 0x20 ? "\xef\xbf\xbd" : text.substr(0, size));
        }
        text.remove_prefix(size == 0 ? 1 : size);
    }
    return out;
}

/// The first characters of a text that is too long for `most`, and an ellipsis. Characters of UTF-8 stay whole.
[[nodiscard]] inline std::string shortened(std::string_view text, std::size_t most) {
    if (text.size() <= most || most == 0)
        return std::string(text.substr(0, most));
    std::size_t end = most - 1;
    while (end != 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U)
        --end;
    return std::string(text.substr(0, end)) + "\xe2\x80\xa6";
}

/// What the drawing is dressed in: colours that are told apart in light and dark, and by those who see few of them.
inline constexpr std::string_view svg_style = R"(
  text { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 12px; }
  .title { font-size: 14px; font-weight: 600; }
  .page { fill: #ffffff; stroke: #d1d9e0; }
  .stripe { fill: #f6f8fa; }
  .title, .label { fill: #1f2328; }
  .quiet { fill: #59636e; }
  .managed { fill: #2f6fd6; }
  .unmanaged { fill: #e08600; }
  .state { fill: #b4bdc8; }
  .group { fill: #8250df; fill-opacity: 0.10; stroke: #8250df; stroke-dasharray: 4 3; }
  .band { fill: #8250df; fill-opacity: 0.07; }
  .interrupt { fill: #1f2328; stroke: #ffffff; }
  .wrong { stroke: #cf222e; stroke-width: 2.5; stroke-linecap: round; fill: none; }
  .wrong-text { fill: #b31d28; }
  .remark { stroke: #59636e; stroke-dasharray: 2 3; }
  .open { stroke: #cf222e; stroke-width: 2.5; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; stroke: #3d444d; }
    .stripe { fill: #151b23; }
    .title, .label { fill: #f0f6fc; }
    .quiet { fill: #9198a1; }
    .managed { fill: #4c8dff; }
    .unmanaged { fill: #f0a030; }
    .state { fill: #59636e; }
    .group { fill: #ab7df8; stroke: #ab7df8; }
    .band { fill: #ab7df8; fill-opacity: 0.10; }
    .interrupt { fill: #f0f6fc; stroke: #0d1117; }
    .wrong { stroke: #ff7b72; }
    .wrong-text { fill: #ff9a92; }
    .remark { stroke: #9198a1; }
    .open { stroke: #ff7b72; }
  }
)";

}  // namespace devres::testing::detail
