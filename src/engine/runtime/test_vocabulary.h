// A small vocabulary for tests: the bytes, a few merges, and control tokens behind them.
#pragma once

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/file.h"
#include "engine/bpe.h"
#include "engine/generator.h"
#include "engine/vocabulary.h"

namespace safeguard::engine::test {

inline constexpr std::size_t kVocabulary = 300;
inline constexpr std::uint32_t kReturn = 290;
inline constexpr ChannelTokens kChannels{
    .start = 291, .end = 292, .message = 293, .channel = 294, .assistant = 265, .final = 266};
inline constexpr std::uint32_t kAnalysis = 'n';

// "base64 rank" of one to three bytes and more, as rank files write tokens.
inline std::string RankLine(const std::string& token, std::size_t rank) {
  constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string line;
  for (std::size_t i = 0; i < token.size(); i += 3) {
    unsigned bits = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (i + k < token.size() ? static_cast<unsigned char>(token[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      line += i + k > token.size() ? '=' : kAlphabet[bits >> (18 - 6 * k) & 63U];
    }
  }
  return line + " " + std::to_string(rank) + "\n";
}

// The real o200k, or null where its rank file is not: tests then skip, and say so.
inline std::unique_ptr<Bpe> RealBpe() {
  const char* models = std::getenv("SAFEGUARD_MODELS");
  const std::string folder = models != nullptr ? models : SAFEGUARD_SOURCE_DIR "/build/models";
  const Result<std::string> ranks =
      ReadFile(folder + "/o200k/o200k_base.tiktoken", std::size_t{64} << 20);
  if (!ranks) {
    return nullptr;
  }
  auto bpe = Bpe::LoadRanks(*ranks);
  CHECK(bpe.has_value());
  return std::move(*bpe);
}

class TestVocabulary {
 public:
  TestVocabulary() {
    std::string file;
    std::size_t rank = 0;
    for (int byte = 0; byte < 256; ++byte) {
      file += RankLine(std::string(1, static_cast<char>(byte)), rank++);
    }
    for (const char* token : {"in", "ti", "on", "{\"", "\":", "vi", "vio", "lat", "la", "assist",
                              "final", "ab", "\",", ",\"", "la\""}) {
      file += RankLine(token, rank++);
    }
    auto bpe = Bpe::LoadRanks(file);
    CHECK(bpe.has_value());
    bpe_ = std::move(*bpe);
    vocabulary_ = MakeVocabulary(*bpe_, kVocabulary);
  }
  const Vocabulary& operator*() const { return *vocabulary_; }
  const Vocabulary* operator->() const { return vocabulary_.get(); }

  [[nodiscard]] std::string Text(const std::vector<std::uint32_t>& ids) const {
    std::string text;
    for (const std::uint32_t id : ids) {
      text += vocabulary_->Bytes(id);
    }
    return text;
  }

 private:
  std::unique_ptr<Bpe> bpe_;
  std::unique_ptr<Vocabulary> vocabulary_;
};

}  // namespace safeguard::engine::test
