// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <devres/hardware/capabilities.hpp>
#include <devres/hardware/config_space.hpp>
#include <devres/hardware/detail/lspci_row.hpp>
#include <devres/hardware/detail/lspci_words.hpp>

/// The rows of one function, in whatever order and however often they are there, and what can be made of them.
namespace devres::hardware::detail {

/// Collects rows, and says what is wrong with them.
class dump_rows {
public:
    static constexpr std::size_t header_size = 64;
    static constexpr std::size_t conventional_size = pci::registers::first_extended_capability;

    [[nodiscard]] bool empty() const noexcept { return known_.none(); }
    /// Neither a row nor a damaged one was there.
    [[nodiscard]] bool is_untouched() const noexcept { return known_.none() && damaged_.empty(); }
    [[nodiscard]] bool has(unsigned offset) const noexcept { return known_[offset / row_size]; }
    /// Whether a row is what is known of its offset.
    [[nodiscard]] bool is(unsigned offset, std::span<const std::uint8_t> row) const noexcept {
        return has(offset) && std::equal(row.begin(), row.end(), bytes_.begin() + offset);
    }
    [[nodiscard]] std::size_t count() const noexcept { return known_.count(); }
    [[nodiscard]] unsigned last_line() const noexcept { return last_line_; }
    /// The offset behind the row that came last.
    [[nodiscard]] unsigned due() const noexcept { return due_; }

    void take(unsigned line, unsigned offset, std::span<const std::uint8_t> row) {
        last_line_ = line;
        if (has(offset)) {
            (is(offset, row) ? again_ : differing_).add(line, offset);
            return;
        }
        if (offset < due_)
            disordered_.add(line, offset);
        due_ = offset + row_size;
        bytes_.resize(std::max<std::size_t>(bytes_.size(), offset + row_size));
        std::copy(row.begin(), row.end(), bytes_.begin() + offset);
        known_.set(offset / row_size);
        damaged_.erase(offset);
    }
    /// There is a row that cannot be read.
    void damage(unsigned line, unsigned offset, std::string why) {
        last_line_ = line;
        if (!has(offset))
            damaged_.emplace(offset, "is damaged (line " + std::to_string(line) + ": " + std::move(why) + ')');
    }

    /// The bytes that count, none if there are too few, and in `notes` what is not as it should be.
    [[nodiscard]] std::vector<std::uint8_t> finish(std::vector<std::string>& notes) {
        std::size_t size = 0;
        while (size < bytes_.size() && known_[size / row_size])
            size += row_size;
        const auto broken = damaged_.find(static_cast<unsigned>(size));
        std::string why;
        if (broken != damaged_.end())
            why = "the row at " + hex(size) + ' ' + broken->second;
        else if (size != bytes_.size())
            why = "the row at " + hex(size) + " is missing";
        if (size < header_size) {
            notes.push_back((why.empty() ? "the dump ends after " + std::to_string(size) + " bytes" : why) +
                            ": left out, a function needs its first 64 bytes");
            return {};
        }
        note_repetitions(notes);
        if (size != bytes_.size() && is_free_of_capabilities()) {
            const std::size_t unknown = bytes_.size() / row_size - known_.count();
            notes.push_back(why + (unknown == 1 ? "" : ", and " + counted(unknown - 1, "other")) +
                            ": what is there is not known, and taken for zero; no capability is in it");
            size = bytes_.size();
            why.clear();
        }
        const std::size_t kept = size <= conventional_size || size == config_space::size ? size : conventional_size;
        const std::string count = ": the first " + std::to_string(kept) + " bytes count";
        if (!why.empty())
            notes.push_back(why + count);
        else if (kept != size)
            notes.push_back("the dump ends after " + std::to_string(size) + " bytes: the first 256 count");
        else if (size != header_size && size != 128 && size != conventional_size && size != config_space::size)
            notes.push_back("the dump ends after " + std::to_string(size) + " bytes");
        bytes_.resize(kept);
        return std::move(bytes_);
    }

private:
    /// Rows that something is the matter with: how many, and where the first is.
    struct some_rows {
        std::size_t count = 0;
        unsigned line = 0;
        unsigned offset = 0;

        void add(unsigned in_line, unsigned at) {
            if (count++ == 0) {
                line = in_line;
                offset = at;
            }
        }
        [[nodiscard]] std::string text() const {
            return (count == 1 ? "the row at " + hex(offset) + " is"
                               : counted(count, "row") + " from " + hex(offset) + " on are");
        }
        [[nodiscard]] std::string place() const { return " (line " + std::to_string(line) + ')'; }
    };

    void note_repetitions(std::vector<std::string>& notes) const {
        if (again_.count != 0)
            notes.push_back(again_.text() + " there twice" + again_.place());
        if (differing_.count != 0)
            notes.push_back(differing_.text() + " there twice, with other bytes" + differing_.place() +
                            ": what comes first counts");
        if (disordered_.count != 0)
            notes.push_back(disordered_.text() + " not in order" + disordered_.place());
    }

    /// How much of a capability matters: what a driver sets up is taken back anyway.
    static unsigned size_of(unsigned capability) noexcept {
        namespace id = pci::registers::capability_id;
        return capability == id::msi                              ? 4
               : capability == id::power_management               ? 8
               : capability == id::msix || capability == id::pcie ? 12
               : capability == id::enhanced_allocation            ? 64
                                                                  : 2;
    }

    /// Whether the capability list leads around the rows that are not known.
    [[nodiscard]] bool is_free_of_capabilities() const {
        bool free = !capabilities_go_on(bytes_);
        (void)walk_capabilities(bytes_, [&](unsigned found, unsigned offset) {
            const std::size_t end = std::min<std::size_t>(offset + size_of(found), bytes_.size());
            for (std::size_t at = offset / row_size * row_size; at < end; at += row_size)
                free = free && known_[at / row_size];
        });
        return free;
    }

    std::vector<std::uint8_t> bytes_;
    std::bitset<config_space::size / row_size> known_;
    std::map<unsigned, std::string> damaged_;
    some_rows again_;
    some_rows differing_;
    some_rows disordered_;
    unsigned last_line_ = 0;
    unsigned due_ = 0;
};

}  // namespace devres::hardware::detail
