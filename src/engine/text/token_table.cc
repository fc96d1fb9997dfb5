#include "engine/text/token_table.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/check.h"

namespace safeguard::engine {
namespace {

// A half-full table of ordinary tokens has runs of some tens; only chosen bytes make longer ones.
constexpr std::size_t kProbesMax = 4096;

std::uint64_t HashOf(std::string_view bytes) {
  std::uint64_t hash = TokenTable::kEmptyHash;
  for (const char byte : bytes) {
    hash = TokenTable::Extend(hash, byte);
  }
  return hash;
}

}  // namespace

void TokenList::Add(std::string_view bytes, std::uint32_t id) {
  CHECK(bytes_.size() + bytes.size() < 0xFFFFFFFFU);
  entries_.push_back(
      {static_cast<std::uint32_t>(bytes_.size()), static_cast<std::uint32_t>(bytes.size()), id});
  bytes_.append(bytes);
}

TokenTable::TokenTable(TokenList tokens) : tokens_(std::move(tokens)) {
  const std::size_t size = std::bit_ceil(std::max<std::size_t>(2 * tokens_.size(), 16));
  slots_.resize(size);
  shift_ = 64 - std::countr_zero(size);
}

Result<TokenTable> TokenTable::Build(TokenList tokens) {
  TokenTable table(std::move(tokens));
  for (std::size_t i = 0; i < table.tokens_.size(); ++i) {
    if (Status status = table.Insert(i); !status) {
      return std::unexpected(std::move(status.error()));
    }
    table.longest_ = std::max(table.longest_, table.tokens_.bytes(i).size());
  }
  return table;
}

Status TokenTable::Insert(std::size_t entry) {
  const std::string_view bytes = tokens_.bytes(entry);
  const std::uint64_t hash = HashOf(bytes);
  std::size_t at = Home(hash);
  for (std::size_t probe = 0; probe < kProbesMax; ++probe) {
    Slot& slot = slots_[at];
    if (slot.entry == 0) {
      slot = {Tag(hash), static_cast<std::uint32_t>(entry + 1)};
      return {};
    }
    if (slot.tag == Tag(hash) && tokens_.bytes(slot.entry - 1) == bytes) {
      return Fail(ErrorCode::kCorruptFile, "vocabulary entries " + std::to_string(slot.entry - 1) +
                                               " and " + std::to_string(entry) +
                                               " are the same token");
    }
    at = (at + 1) & (slots_.size() - 1);
  }
  return Fail(ErrorCode::kCorruptFile,
              "vocabulary entry " + std::to_string(entry) + " collides with thousands of others",
              "no tokenizer that was trained on text looks like this one");
}

std::optional<std::uint32_t> TokenTable::Find(std::string_view bytes, std::uint64_t hash) const {
  for (std::size_t at = Home(hash); slots_[at].entry != 0; at = (at + 1) & (slots_.size() - 1)) {
    const Slot& slot = slots_[at];
    if (slot.tag == Tag(hash) && tokens_.bytes(slot.entry - 1) == bytes) {
      return tokens_.id(slot.entry - 1);
    }
  }
  return std::nullopt;
}

std::optional<std::uint32_t> TokenTable::Find(std::string_view bytes) const {
  return Find(bytes, HashOf(bytes));
}

}  // namespace safeguard::engine
