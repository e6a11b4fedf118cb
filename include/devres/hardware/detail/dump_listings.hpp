// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <devres/hardware/detail/dump_reading.hpp>
#include <devres/hardware/detail/dumped_function.hpp>
#include <devres/hardware/detail/lspci_size.hpp>
#include <devres/hardware/detail/lspci_words.hpp>

/// The last stage of reading a pasted text: which of the functions in it are one machine.
namespace devres::hardware::detail {

/// A function as it is in the text, with or without bytes.
struct listed_function {
    dumped_function function;
    std::vector<said_size> sizes;
    bool no_number = false;  ///< its address has lost the number of the function
    bool left_out = false;   ///< it had bytes, and why they do not count is said

    [[nodiscard]] bool has_bytes() const noexcept { return !function.config.empty(); }
};

/// Chooses among functions that are there more than once.
class dump_listings {
public:
    dump_listings(std::vector<listed_function>& all, unsigned which, std::vector<std::string>& remarks)
        : all_(all), which_(which), remarks_(remarks) {
        number_functions();
        for (std::size_t i = 0; i != all_.size(); ++i)
            everywhere_[all_[i].function.address].push_back(i);
        find_machines();
    }

    /// Each function of the machine once, in the order of the text, with what other listings say of it.
    [[nodiscard]] std::vector<dumped_function> take() {
        const std::size_t place = which_ == 0 ? 0 : std::min<std::size_t>(which_, machines_.size()) - 1;
        std::vector<std::size_t> taken;
        if (!machines_.empty()) {
            if (machines_.size() > 1)
                remark_machines(place);
            taken = choose(machines_[place].at, machines_.size() > 1 ? 0 : which_);
        }
        std::sort(taken.begin(), taken.end());
        std::vector<dumped_function> out;
        for (const std::size_t i : taken)
            join(i, place);
        for (const std::size_t i : taken)
            out.push_back(std::move(all_[i].function));
        return out;
    }

    /// Addresses of functions that are only named.
    [[nodiscard]] std::vector<std::string> without_bytes() const {
        std::set<pci::address> said;
        std::vector<std::string> out;
        for (const listed_function& each : all_) {
            if (each.has_bytes() || each.left_out)
                said.insert(each.function.address);
        }
        for (const listed_function& each : all_) {
            if (said.insert(each.function.address).second)
                out.emplace_back(each.function.address.text());
        }
        return out;
    }

private:
    /// Functions with bytes that belong together.
    struct machine {
        std::map<pci::address, std::vector<std::size_t>> at;  // where each function is, in the order of the text
        std::size_t first = 0;
    };

    /// Gives numbers to functions that have lost theirs: the first that nobody else has.
    void number_functions() {
        std::set<pci::address> known;
        for (const listed_function& each : all_) {
            if (!each.no_number)
                known.insert(each.function.address);
        }
        for (listed_function& each : all_) {
            pci::address& where = each.function.address;
            for (std::uint8_t i = 0; each.no_number && i != 8; ++i) {
                where = pci::address(where.domain(), where.bus(), where.device(), i);
                if (known.insert(where).second)
                    break;
            }
            if (each.no_number)
                each.function.notes.emplace_back(
                    "its heading has no function number: the first is taken that no other has");
        }
    }

    [[nodiscard]] std::uint32_t ids(std::size_t i) const {
        return field(all_[i].function.config, pci::registers::vendor_id, 4);
    }

    /// A listing ends where one of its functions is there again. Another one is another machine if it has another device at the same
    /// address, or if it begins alike and each has a function that the other has not.
    void find_machines() {
        std::vector<machine> listings;
        for (std::size_t i = 0; i != all_.size(); ++i) {
            if (!all_[i].has_bytes())
                continue;
            const pci::address where = all_[i].function.address;
            if (listings.empty() || listings.back().at.contains(where))
                listings.push_back({.at = {}, .first = i});
            listings.back().at[where].push_back(i);
        }
        for (machine& listing : listings) {
            const auto same = std::find_if(machines_.begin(), machines_.end(),
                                           [&](const machine& other) { return is_part(listing, other); });
            if (same == machines_.end()) {
                machines_.push_back(std::move(listing));
                continue;
            }
            for (const auto& [where, places] : listing.at)
                same->at[where].insert(same->at[where].end(), places.begin(), places.end());
        }
    }

    [[nodiscard]] bool is_part(const machine& listing, const machine& of) const {
        std::size_t common = 0;
        for (const auto& [where, places] : listing.at) {
            const auto other = of.at.find(where);
            if (other == of.at.end())
                continue;
            ++common;
            const std::uint32_t here = ids(places.front());
            const std::uint32_t there = ids(other->second.front());
            if (here != there && here != ~0U && there != ~0U)
                return false;
        }
        const bool alike = all_[listing.first].function.address == all_[of.first].function.address;
        return !alike || common == listing.at.size() || common == of.at.size();
    }

    [[nodiscard]] unsigned line(std::size_t i) const { return all_[i].function.line; }

    void remark_machines(std::size_t taken) {
        std::string where;
        for (const machine& each : machines_)
            where += (where.empty() ? "" : ", ") + counted(each.at.size(), "function") + " from line " +
                     std::to_string(line(each.first)) + " on";
        const std::string count = std::to_string(machines_.size());
        remarks_.push_back(count + " machines, or one at " + count + " times (" + where + "): the " +
                           (taken == 0 ? "first" : "one of --which") + " is taken, --which N takes another");
    }

    /// One place for each function, and a remark on those that have more.
    [[nodiscard]] std::vector<std::size_t> choose(const std::map<pci::address, std::vector<std::size_t>>& at,
                                                  unsigned which) {
        std::vector<std::size_t> taken;
        std::vector<std::string> repeated;
        bool is_first = true;
        for (const auto& [where, places] : at) {
            const auto fewer = [&](std::size_t a, std::size_t b) {
                return all_[a].function.config.size() < all_[b].function.config.size();
            };
            const auto chosen = which == 0
                                    ? std::max_element(places.begin(), places.end(), fewer)
                                    : places.begin() +
                                          static_cast<std::ptrdiff_t>(std::min<std::size_t>(which, places.size()) - 1);
            is_first = is_first && chosen == places.begin();
            taken.push_back(*chosen);
            if (places.size() != 1)
                repeated.push_back(places_text(where, places));
        }
        if (!repeated.empty())
            remarks_.push_back(some("function", repeated) + " more than once: the " +
                               (which > 1  ? "one of --which"
                                : is_first ? "first"
                                           : "first with most bytes") +
                               " is taken, --which N takes another");
        return taken;
    }

    /// "0000:03:00.0 in lines 2, 21"
    [[nodiscard]] std::string places_text(pci::address where, const std::vector<std::size_t>& places) const {
        std::string lines;
        for (const std::size_t place : places)
            lines += (lines.empty() ? "" : ", ") + std::to_string(line(place));
        return std::string(where.text()) + " in lines " + lines;
    }

    /// What other places, with or without bytes, say of a function: sizes of BARs, ids that its registers do not have.
    void join(std::size_t i, std::size_t taken) {
        dumped_function& function = all_[i].function;
        match_sizes(function, all_[i].sizes, false);
        for (const std::size_t other : everywhere_[function.address]) {
            const listed_function& each = all_[other];
            if (other == i || is_of_another(other, taken, ids(i)))
                continue;
            match_sizes(function, each.sizes, true);
            const bool no_ids = ids(i) == ~0U && !said_ids(function.description);
            if (function.description.empty() || (no_ids && said_ids(each.function.description)))
                function.description = each.function.description;
        }
    }
    /// Whether what is said at place `i` is of another machine, or of another device than `ids` are of.
    [[nodiscard]] bool is_of_another(std::size_t i, std::size_t taken, std::uint32_t ids) const {
        const auto said = said_ids(all_[i].function.description);
        if (said && ids != ~0U && *said != ids)
            return true;
        return std::any_of(machines_.begin(), machines_.end(), [&](const machine& each) {
            const auto places = each.at.find(all_[i].function.address);
            return &each != &machines_[taken] && places != each.at.end() &&
                   std::find(places->second.begin(), places->second.end(), i) != places->second.end();
        });
    }

    std::vector<listed_function>& all_;
    unsigned which_;
    std::vector<std::string>& remarks_;
    std::map<pci::address, std::vector<std::size_t>> everywhere_;  // with bytes or without
    std::vector<machine> machines_;
};

}  // namespace devres::hardware::detail
