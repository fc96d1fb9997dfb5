// Small byte-level vocabularies for tests, in the spelling of tokenizer.json and GGUF.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/bpe.h"
#include "engine/special_tokens.h"
#include "engine/text/o200k/byte_spelling.h"
#include "engine/text/o200k_split.h"

namespace safeguard::engine::test {

using Merge = std::pair<std::string, std::string>;

// The 256 single bytes, then `merged`, all spelled.
inline std::vector<std::string> Spellings(const std::vector<std::string>& merged) {
  std::vector<std::string> spellings;
  for (int byte = 0; byte < 256; ++byte) {
    spellings.push_back(SpellBytes(std::string(1, static_cast<char>(byte))));
  }
  for (const std::string& token : merged) {
    spellings.push_back(SpellBytes(token));
  }
  return spellings;
}

inline nlohmann::json ControlTokens() {
  nlohmann::json tokens = nlohmann::json::array();
  for (std::uint32_t id = kOrdinaryTokens; id <= special::kEndOfPrompt; ++id) {
    tokens.push_back({{"id", id}, {"content", ControlTokenName(id)}, {"special", true}});
  }
  return tokens;
}

inline nlohmann::json TokenizerJson(const std::vector<std::string>& merged,
                                    const std::vector<Merge>& merges) {
  nlohmann::json file;
  file["normalizer"] = nullptr;
  file["pre_tokenizer"] = {
      {"type", "Sequence"},
      {"pretokenizers",
       {{{"type", "Split"},
         {"pattern", {{"Regex", kO200kPattern}}},
         {"behavior", "Isolated"},
         {"invert", false}},
        {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}}}};
  file["post_processor"] = {{"type", "ByteLevel"}};
  file["decoder"] = {{"type", "ByteLevel"}};
  file["added_tokens"] = ControlTokens();
  nlohmann::json& model = file["model"];
  model["type"] = "BPE";
  model["ignore_merges"] = true;
  model["vocab"] = nlohmann::json::object();
  std::uint32_t id = 0;
  for (const std::string& spelling : Spellings(merged)) {
    model["vocab"][spelling] = id++;
  }
  model["merges"] = nlohmann::json::array();
  for (const auto& [left, right] : merges) {
    model["merges"].push_back({SpellBytes(left), SpellBytes(right)});
  }
  return file;
}

// What GGUF metadata hold.
struct GgufFile {
  std::vector<std::string> token_strings;
  std::vector<std::string> merge_strings;
  std::vector<std::string_view> tokens;
  std::vector<std::string_view> merges;
  std::vector<std::int32_t> types;

  void View() {
    tokens.assign(token_strings.begin(), token_strings.end());
    merges.assign(merge_strings.begin(), merge_strings.end());
  }
  [[nodiscard]] GgufVocabulary vocabulary() const { return {tokens, merges, types}; }
};

// Adds the control tokens and, as converters do, padding up to the rows of the embedding.
inline void AddControlTokens(GgufFile& file) {
  for (std::uint32_t id = kOrdinaryTokens; id < kVocabularyRows; ++id) {
    const bool padding = id > special::kEndOfPrompt;
    file.token_strings.push_back(padding ? "[PAD" + std::to_string(id) + "]"
                                         : ControlTokenName(id));
    file.types.push_back(padding ? 5 : 3);
  }
}

// The 256 single bytes and `merged`, filled up with made-up tokens to 199998.
inline GgufFile MakeGguf(const std::vector<std::string>& merged, const std::vector<Merge>& merges) {
  GgufFile file;
  file.token_strings = Spellings(merged);
  while (file.token_strings.size() < kOrdinaryTokens) {
    file.token_strings.push_back("##" + std::to_string(file.token_strings.size()));
  }
  file.types.assign(kOrdinaryTokens, 1);
  AddControlTokens(file);
  for (const auto& [left, right] : merges) {
    file.merge_strings.push_back(SpellBytes(left) + " " + SpellBytes(right));
  }
  file.View();
  return file;
}

}  // namespace safeguard::engine::test
