// A small vocabulary for tests: the bytes, a few merges, and control tokens behind them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "engine/bpe.h"
#include "engine/generator.h"
#include "engine/text/test_ranks.h"
#include "engine/vocabulary.h"

namespace safeguard::engine::test {

inline constexpr std::size_t kVocabulary = 300;
inline constexpr std::uint32_t kReturn = 290;
inline constexpr ChannelTokens kChannels{
    .start = 291, .end = 292, .message = 293, .channel = 294, .assistant = 265, .final = 266};
inline constexpr std::uint32_t kAnalysis = 'n';

class TestVocabulary {
 public:
  TestVocabulary() {
    auto bpe = Bpe::LoadRanks(RankFile({"in", "ti", "on", "{\"", "\":", "vi", "vio", "lat", "la",
                                        "assist", "final", "ab", "\",", ",\"", "la\""}));
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
