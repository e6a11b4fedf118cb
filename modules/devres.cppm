// SPDX-License-Identifier: BSL-1.0
// The module: core, pci and the simulated bus. `import devres;` and, for the macro, `#include <devres/core/try.hpp>`.
// Its declarations belong to the global module, so that a program may import it in one source and include the headers in another.
module;

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <expected>
#include <filesystem>
#include <fstream>
#include <istream>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <ostream>
#include <set>
#include <shared_mutex>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

export module devres;

export extern "C++" {
#include <devres/devres.hpp>
#include <devres/sim.hpp>
}
