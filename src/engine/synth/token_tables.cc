#include "engine/synth/token_tables.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/utf8.h"
#include "engine/text/rank_file.h"
#include "engine/text/token_table.h"

namespace safeguard::engine {
namespace {

constexpr std::int32_t kNormal = 1;
constexpr std::int32_t kControl = 3;
constexpr std::int32_t kUnused = 5;
constexpr std::size_t kControlEnd = 200'019;  // behind <|endofprompt|>, the last one with a name

struct Control {
  std::size_t id;
  const char* name;
};
constexpr Control kControls[] = {
    {199'998, "<|startoftext|>"}, {199'999, "<|endoftext|>"}, {200'002, "<|return|>"},
    {200'003, "<|constrain|>"},   {200'005, "<|channel|>"},   {200'006, "<|start|>"},
    {200'007, "<|end|>"},         {200'008, "<|message|>"},   {200'012, "<|call|>"},
    {200'018, "<|endofprompt|>"},
};

// GPT-2's spelling: printable bytes as themselves, the others from U+0100 on.
std::array<std::string, 256> ByteSpellings() {
  std::array<std::string, 256> spellings;
  char32_t next = 0x100;
  for (std::size_t byte = 0; byte < 256; ++byte) {
    const bool printable =
        (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    AppendUtf8(printable ? static_cast<char32_t>(byte) : next++, spellings[byte]);
  }
  return spellings;
}

std::string Spelled(const std::array<std::string, 256>& spellings, std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    text += spellings[static_cast<unsigned char>(c)];
  }
  return text;
}

Result<TokenTable> ReadRanks(std::string_view rank_file) {
  if (rank_file.empty()) {
    TokenList bytes;
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
      const char c = static_cast<char>(byte);
      bytes.Add({&c, 1}, byte);
    }
    return TokenTable::Build(std::move(bytes));
  }
  Result<TokenList> tokens = ReadRankFile(rank_file);
  if (!tokens) {
    return std::unexpected(std::move(tokens.error()));
  }
  return TokenTable::Build(std::move(*tokens));
}

void AddMerges(const TokenTable& ranks, std::size_t count,
               const std::array<std::string, 256>& spellings, std::vector<std::string>& merges) {
  std::vector<std::array<std::uint32_t, 2>> pairs;
  for (std::size_t rank = 0; rank < count; ++rank) {
    const std::string_view bytes = ranks.tokens().bytes(rank);
    pairs.clear();
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
      const auto left = ranks.Find(bytes.substr(0, cut));
      const auto right = ranks.Find(bytes.substr(cut));
      if (left && right && *left < count && *right < count) {
        pairs.push_back({*left, *right});
      }
    }
    std::ranges::sort(pairs);
    for (const auto& [left, right] : pairs) {
      merges.push_back(Spelled(spellings, ranks.tokens().bytes(left)) + " " +
                       Spelled(spellings, ranks.tokens().bytes(right)));
    }
  }
}

}  // namespace

Result<TokenTables> MakeTokenTables(std::string_view rank_file, std::size_t size) {
  const Result<TokenTable> ranks = ReadRanks(rank_file);
  if (!ranks) {
    return std::unexpected(ranks.error());
  }
  const std::array<std::string, 256> spellings = ByteSpellings();
  const std::size_t count = std::min(ranks->tokens().size(), size);
  TokenTables tables;
  for (std::size_t rank = 0; rank < count; ++rank) {
    tables.tokens.push_back(Spelled(spellings, ranks->tokens().bytes(rank)));
    tables.types.push_back(kNormal);
  }
  for (std::size_t id = count; id < size; ++id) {
    const auto* control = std::ranges::find(kControls, id, &Control::id);
    const bool named = control != std::end(kControls);
    const bool reserved = id >= kControls[0].id && id < kControlEnd;
    tables.tokens.push_back(named      ? control->name
                            : reserved ? "<|reserved_" + std::to_string(id) + "|>"
                                       : "[PAD" + std::to_string(id) + "]");
    tables.types.push_back(reserved ? kControl : kUnused);
  }
  AddMerges(*ranks, count, spellings, tables.merges);
  return tables;
}

}  // namespace safeguard::engine
