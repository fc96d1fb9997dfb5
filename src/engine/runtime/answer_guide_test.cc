// The guide with the real o200k vocabulary: for every answer that the grammar accepts, the
// tokenizer's own ids are allowed one by one, and what is forced is exactly them.
#include "engine/runtime/answer_guide.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <random>

#include "engine/bpe.h"
#include "engine/runtime/test_vocabulary.h"

namespace safeguard::engine {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSchema = R"({"type":"object","properties":{
  "violation":{"enum":[0,1]},
  "policy_category":{"anyOf":[{"enum":["SP2","SP3","hate/threat"]},{"type":"null"}]},
  "rule_ids":{"type":"array","items":{"enum":["SP2.a","SP2.b","SP3"]},"maxItems":3},
  "confidence":{"enum":["low","medium","high"]},
  "rationale":{"type":"string","maxLength":120}},
  "required":["violation","policy_category","rule_ids","confidence","rationale"]})";

class AnswerGuideTest : public testing::Test {
 protected:
  void SetUp() override {
    bpe_ = test::RealBpe();
    if (bpe_ == nullptr) {
      GTEST_SKIP() << "NOT TESTED: no o200k ranks under $SAFEGUARD_MODELS or build/models";
    }
    vocabulary_ = MakeVocabulary(*bpe_, 201'088);
    trie_ = std::make_unique<TokenTrie>(*vocabulary_);
    request_.grammar = Grammar::FromJsonSchema(kSchema).value();
    masks_ = std::make_shared<MaskCache>(request_.grammar->automaton(), *trie_);
  }

  std::string RandomAnswer(std::mt19937& random) const {
    static const char* const kWords[] = {"The",  " content", " sells",  "\"quoted\"", ", ", ". ",
                                         "\n",   "- ",       "SP2.a",   "don't",      "é",  " 12",
                                         "(see", ")",        " rule's", "中文",       "\\", "/",
                                         "🙂",   "\t",       "!!",      " ",          ":",  "'"};
    const auto pick = [&](std::initializer_list<Json> values) {
      return *(values.begin() + random() % values.size());
    };
    Json answer;
    answer["violation"] = random() % 2;
    answer["policy_category"] = pick({"SP2", "SP3", "hate/threat", nullptr});
    answer["rule_ids"] = Json::array();
    for (std::size_t i = random() % 4; i > 0; --i) {
      answer["rule_ids"].push_back(pick({"SP2.a", "SP2.b", "SP3"}));
    }
    answer["confidence"] = pick({"low", "medium", "high"});
    std::string rationale;
    for (std::size_t i = random() % 14; i > 0; --i) {
      rationale += kWords[random() % std::size(kWords)];
    }
    answer["rationale"] = rationale;
    return answer.dump();
  }

  std::unique_ptr<Bpe> bpe_;
  std::unique_ptr<Vocabulary> vocabulary_;
  std::unique_ptr<TokenTrie> trie_;
  GenerationRequest request_;
  std::shared_ptr<MaskCache> masks_;
};

TEST_F(AnswerGuideTest, NaturalTokensAreAllowedAndForcedOnesAreNatural) {
  std::mt19937 random(31);  // NOLINT(cert-msc*)
  std::size_t forced_count = 0;
  std::size_t all = 0;
  for (int round = 0; round < 400; ++round) {
    const std::string text = RandomAnswer(random);
    ASSERT_TRUE(request_.grammar->Matches(text).value()) << text;
    const std::vector<std::uint32_t> natural = vocabulary_->Encode(text);
    AnswerGuide guide(request_, *vocabulary_, masks_);
    std::size_t at = 0;
    while (at < natural.size()) {
      const auto forced = guide.Forced();
      if (forced.empty()) {
        ASSERT_TRUE(guide.filter()->Allows(natural[at])) << text << " token " << at;
        guide.Commit(natural[at++]);
        continue;
      }
      for (const std::uint32_t id : forced) {
        ASSERT_LT(at, natural.size());
        ASSERT_EQ(id, natural[at]) << text << " token " << at;
        guide.Commit(natural[at++]);
        ++forced_count;
      }
    }
    all += natural.size();
    EXPECT_TRUE(guide.complete()) << text;
    EXPECT_TRUE(guide.status().has_value());
  }
  std::printf("forced: %zu of %zu tokens\n", forced_count, all);
  EXPECT_GT(forced_count * 5, all) << "at least a fifth of such an answer is certain";
}

TEST_F(AnswerGuideTest, MasksAgreeWithTheTokenByTokenAnswer) {
  std::mt19937 random(32);  // NOLINT(cert-msc*)
  const std::string text = RandomAnswer(random);
  AnswerGuide guide(request_, *vocabulary_, masks_);
  double slowest_ms = 0;
  for (const std::uint32_t id : vocabulary_->Encode(text)) {
    const auto start = std::chrono::steady_clock::now();
    const TokenMask& mask = guide.filter()->Mask();
    slowest_ms =
        std::max(slowest_ms,
                 std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
                     .count());
    for (std::uint32_t other = 0; other < vocabulary_->size(); other += 211) {
      ASSERT_EQ(mask.Allows(other), guide.filter()->Allows(other)) << other;
    }
    for (std::uint32_t control = 199'998; control < vocabulary_->size(); ++control) {
      ASSERT_FALSE(mask.Allows(control)) << "a control token inside the answer";
    }
    guide.Commit(id);
  }
  for (const std::uint32_t stop : request_.stop_tokens) {
    EXPECT_TRUE(guide.filter()->Mask().Allows(stop));
  }
  std::printf("slowest mask over the vocabulary: %.1f ms\n", slowest_ms);
  EXPECT_LT(slowest_ms, 2000);
}

}  // namespace
}  // namespace safeguard::engine
