// Forced runs against the real tokenizer: whatever follows, the forced ids are those of the whole.
#include "engine/runtime/token_joints.h"

#include <gtest/gtest.h>

#include <random>

#include "engine/bpe.h"
#include "engine/runtime/test_vocabulary.h"

namespace safeguard::engine {
namespace {

const char* const kParts[] = {"a",    "violation", "SP2", "DON",    "'",   "s",     "'re",
                              "t",    "{\"",       "\"",  ":",      "\":", "\",\"", "[",
                              "]}",   " ",         "  ",  "\n",     "\t",  "1",     "23",
                              "4567", "/",         "é",   "\u0301", "中",  ".",     "!\n",
                              "_",    "-",         "(",   "\\\"",   "🙂",  "\r\n",  "%"};

std::string RandomText(std::mt19937& random, std::size_t parts) {
  std::string text;
  for (std::size_t i = random() % (parts + 1); i > 0; --i) {
    text += kParts[random() % std::size(kParts)];
  }
  return text;
}

class TokenJointsTest : public testing::Test {
 protected:
  void SetUp() override {
    bpe_ = test::RealBpe();
    if (bpe_ == nullptr) {
      GTEST_SKIP() << "NOT TESTED: no o200k ranks under $SAFEGUARD_MODELS or build/models";
    }
    vocabulary_ = MakeVocabulary(*bpe_, 201'088);
  }

  std::unique_ptr<Bpe> bpe_;
  std::unique_ptr<Vocabulary> vocabulary_;
};

TEST_F(TokenJointsTest, ASureBreakIsOneWhateverFollows) {
  std::mt19937 random(21);  // NOLINT(cert-msc*)
  int sure = 0;
  for (int i = 0; i < 60'000; ++i) {
    const std::string head = RandomText(random, 6);
    const std::string tail = RandomText(random, 5);
    ByteSet next;
    if (!tail.empty()) {
      next.set(static_cast<unsigned char>(tail[0]));
    }
    if (!SurelyBreaks(head, head.size(), next)) {
      continue;
    }
    ++sure;
    std::vector<std::uint32_t> joined = bpe_->Encode(head);
    const auto rest = bpe_->Encode(tail);
    joined.insert(joined.end(), rest.begin(), rest.end());
    ASSERT_EQ(joined, bpe_->Encode(head + tail)) << "[" << head << "][" << tail << "]";
  }
  EXPECT_GT(sure, 10'000);
}

TEST_F(TokenJointsTest, ForcedIdsAreThoseOfTheWholeText) {
  std::mt19937 random(22);  // NOLINT(cert-msc*)
  int forced_count = 0;
  for (int i = 0; i < 30'000; ++i) {
    // Written canonically as part of some whole, then a run, then a tail that nobody knows.
    const std::string before = RandomText(random, 5);
    const std::string run = RandomText(random, 5);
    const std::string tail = RandomText(random, 4);
    if (run.empty()) {
      continue;
    }
    const std::vector<std::uint32_t> whole = bpe_->Encode(before + run + tail);
    // What is written: the whole's tokens that end inside `before`.
    std::vector<std::uint32_t> ids;
    std::vector<std::size_t> ends;
    std::string text;
    for (const std::uint32_t id : whole) {
      if (text.size() + vocabulary_->Bytes(id).size() > before.size()) {
        break;
      }
      ids.push_back(id);
      text += vocabulary_->Bytes(id);
      ends.push_back(text.size());
    }
    ByteSet next;
    if (!tail.empty()) {
      next.set(static_cast<unsigned char>(tail[0]));
    }
    const std::string forced_run = (before + run).substr(text.size());
    const auto forced = ForcedTokens(*vocabulary_, {text, ids, ends}, forced_run, next);
    ids.insert(ids.end(), forced.begin(), forced.end());
    ASSERT_LE(ids.size(), whole.size());
    ASSERT_TRUE(std::equal(ids.begin(), ids.end(), whole.begin()))
        << "[" << text << "][" << forced_run << "][" << tail << "]";
    forced_count += forced.empty() ? 0 : 1;
  }
  EXPECT_GT(forced_count, 5'000);
}

TEST_F(TokenJointsTest, JsonKeys) {
  ByteSet digits;
  digits.set('0');
  digits.set('1');
  // {"  violation  ":  and then a digit: all of it is sure.
  EXPECT_EQ(ForcedTokens(*vocabulary_, {}, "{\"violation\":", digits),
            bpe_->Encode("{\"violation\":"));
  // Free text may begin with a sign that joins `":"`.
  ByteSet free;
  free.set();
  const auto forced = ForcedTokens(*vocabulary_, {}, "{\"label\":\"", free);
  EXPECT_EQ(forced, bpe_->Encode("{\"label"));
  // A run that ends the message is sure to its end.
  EXPECT_EQ(ForcedTokens(*vocabulary_, {}, "{\"a\":\"b\"}", {}), bpe_->Encode("{\"a\":\"b\"}"));
}

TEST_F(TokenJointsTest, NothingIsForcedAfterUnnaturalTokens) {
  // "vio" + "lation": not how the tokenizer writes it, and no sure break between.
  std::vector<std::uint32_t> ids{bpe_->Encode("v")};
  const std::vector<std::size_t> ends{1};
  ByteSet quote;
  quote.set(' ');
  EXPECT_TRUE(ForcedTokens(*vocabulary_, {"v", ids, ends}, "iolation", quote).empty());
}

}  // namespace
}  // namespace safeguard::engine
