#include "engine/text/o200k/merge_table.h"

#include <algorithm>
#include <string>

#include "base/check.h"
#include "engine/text/o200k/byte_spelling.h"

namespace safeguard::engine {
namespace {

std::uint64_t PairOf(std::uint32_t left, std::uint32_t right) {
  return std::uint64_t{left} << 32 | right;
}

std::unexpected<Error> BadMerge(std::size_t i, const std::string& what) {
  return Fail(ErrorCode::kCorruptFile, "merge " + std::to_string(i) + " " + what,
              "fetch the model's tokenizer again");
}

}  // namespace

Result<MergeTable> MergeTable::Build(const TokenTable& tokens, std::size_t count,
                                     const std::function<std::string_view(std::size_t)>& merge) {
  MergeTable table;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const char text = static_cast<char>(byte);
    const std::optional<std::uint32_t> id = tokens.Find(std::string_view(&text, 1));
    CHECK(id.has_value());
    table.byte_ids_[byte] = *id;
  }
  table.entries_.reserve(count);
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view text = merge(i);
    const std::size_t space = text.find(' ');
    if (space == std::string_view::npos) {
      return BadMerge(i, "is not \"left right\"");
    }
    bytes.clear();
    const bool left_spelled = AppendSpelledBytes(text.substr(0, space), bytes);
    const std::size_t middle = bytes.size();
    if (!left_spelled || !AppendSpelledBytes(text.substr(space + 1), bytes)) {
      return BadMerge(i, "is not \"left right\" in byte-level spelling");
    }
    const std::string_view whole = bytes;
    const auto left = tokens.Find(whole.substr(0, middle));
    const auto right = tokens.Find(whole.substr(middle));
    const auto joined = tokens.Find(whole);
    if (!left || !right || !joined) {
      return BadMerge(i, "speaks of what is no token");
    }
    table.entries_.push_back({PairOf(*left, *right), {static_cast<std::uint32_t>(i), *joined}});
  }
  std::ranges::sort(table.entries_, {}, &Entry::pair);
  const auto twice = std::ranges::adjacent_find(table.entries_, {}, &Entry::pair);
  if (twice != table.entries_.end()) {
    return BadMerge(std::max(twice->join.order, (twice + 1)->join.order), "is there twice");
  }
  return table;
}

std::optional<MergeTable::Join> MergeTable::Find(std::uint32_t left, std::uint32_t right) const {
  const std::uint64_t pair = PairOf(left, right);
  const auto found = std::ranges::lower_bound(entries_, pair, {}, &Entry::pair);
  if (found == entries_.end() || found->pair != pair) {
    return std::nullopt;
  }
  return found->join;
}

bool MergeTable::FollowsIds(const TokenTable& tokens) const {
  std::vector<std::uint32_t> made(entries_.size());
  for (const Entry& entry : entries_) {
    made[entry.join.order] = entry.join.id;
  }
  if (!std::ranges::is_sorted(made)) {
    return false;
  }
  // No merge is there twice and each is a cut of a token into tokens: equal numbers, equal sets.
  std::size_t cuts = 0;
  for (std::size_t i = 0; i < tokens.tokens().size(); ++i) {
    const std::string_view token = tokens.tokens().bytes(i);
    for (std::size_t cut = 1; cut < token.size(); ++cut) {
      cuts += tokens.Find(token.substr(0, cut)) && tokens.Find(token.substr(cut)) ? 1 : 0;
    }
    if (cuts > entries_.size()) {
      return false;
    }
  }
  return cuts == entries_.size();
}

}  // namespace safeguard::engine
