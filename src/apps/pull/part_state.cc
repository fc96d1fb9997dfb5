#include "apps/pull/part_state.h"

#include <nlohmann/json.hpp>

#include "apps/pull/remote_list.h"

namespace safeguard::apps::pull {
namespace {

constexpr int kFormat = 1;
constexpr std::uint64_t kChunksMax = std::uint64_t{1} << 24;
constexpr char kDigits[] = "0123456789abcdef";

// Four chunks a digit, the first in its lowest bit.
std::string Hex(const std::vector<bool>& bits) {
  std::string hex((bits.size() + 3) / 4, '0');
  for (std::size_t i = 0; i < hex.size(); ++i) {
    unsigned digit = 0;
    for (std::size_t k = 0; k < 4 && i * 4 + k < bits.size(); ++k) {
      digit |= bits[i * 4 + k] ? 1U << k : 0U;
    }
    hex[i] = kDigits[digit];
  }
  return hex;
}

std::optional<std::vector<bool>> Bits(std::string_view hex, std::uint64_t count) {
  if (hex.size() != (count + 3) / 4) {
    return std::nullopt;
  }
  std::vector<bool> bits(count);
  for (std::size_t i = 0; i < hex.size(); ++i) {
    const std::size_t digit = std::string_view(kDigits).find(hex[i]);
    for (std::size_t k = 0; k < 4; ++k) {
      const bool set = digit != std::string_view::npos && (digit >> k & 1U) != 0;
      if (digit == std::string_view::npos || (set && i * 4 + k >= count)) {
        return std::nullopt;
      }
      if (i * 4 + k < count) {
        bits[i * 4 + k] = set;
      }
    }
  }
  return bits;
}

}  // namespace

std::uint64_t ChunkCount(std::uint64_t size, std::uint64_t chunk_bytes) {
  return size / chunk_bytes + (size % chunk_bytes == 0 ? 0 : 1);
}

std::string FormatPartState(const PartState& state) {
  const nlohmann::ordered_json object = {{"format", kFormat},
                                         {"path", state.path},
                                         {"size", state.size},
                                         {"identity", state.identity},
                                         {"chunk_bytes", state.chunk_bytes},
                                         {"done", Hex(state.done)}};
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::optional<PartState> ParsePartState(std::string_view text) {
  const nlohmann::json object = nlohmann::json::parse(text, nullptr, false);
  if (!object.is_object()) {
    return std::nullopt;
  }
  for (const char* key : {"format", "size", "chunk_bytes"}) {
    if (!object.contains(key) || !object[key].is_number_unsigned()) {
      return std::nullopt;
    }
  }
  for (const char* key : {"path", "identity", "done"}) {
    if (!object.contains(key) || !object[key].is_string()) {
      return std::nullopt;
    }
  }
  PartState state;
  state.path = object["path"].get<std::string>();
  state.identity = object["identity"].get<std::string>();
  state.size = object["size"].get<std::uint64_t>();
  state.chunk_bytes = object["chunk_bytes"].get<std::uint64_t>();
  if (object["format"] != kFormat || state.chunk_bytes == 0 || state.size > kFileBytesMax ||
      ChunkCount(state.size, state.chunk_bytes) > kChunksMax) {
    return std::nullopt;
  }
  auto bits =
      Bits(object["done"].get_ref<const std::string&>(), ChunkCount(state.size, state.chunk_bytes));
  if (!bits) {
    return std::nullopt;
  }
  state.done = std::move(*bits);
  return state;
}

}  // namespace safeguard::apps::pull
