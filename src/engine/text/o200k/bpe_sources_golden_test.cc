// The three files that carry the real o200k give the same ids: for the goldens, for random text and
// for text chosen to merge in disputed ways.
#include <gtest/gtest.h>

#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "base/utf8.h"
#include "engine/text/byte_pair_merge.h"
#include "engine/text/o200k/bpe_sources.h"
#include "engine/text/o200k/test_vocabulary.h"
#include "engine/text/test_models.h"
#include "engine/text/tokenizer_json.h"

namespace safeguard::engine {
namespace {

using Json = nlohmann::json;

std::optional<std::string> ReadGoldens(const std::string& name) {
  const char* shared = std::getenv("SAFEGUARD_SHARED");
  const std::string folder = shared != nullptr ? shared : SAFEGUARD_SOURCE_DIR "/../shared";
  Result<std::string> bytes = ReadFile(folder + "/goldens/" + name, std::size_t{64} << 20);
  return bytes ? std::optional(std::move(*bytes)) : std::nullopt;
}

// As a converter writes GGUF from this tokenizer.json.
test::GgufFile ToGguf(const TokenizerDocument& document) {
  test::GgufFile file;
  file.token_strings.resize(document.vocabulary.size());
  for (std::size_t i = 0; i < document.vocabulary.size(); ++i) {
    file.token_strings[document.vocabulary.id(i)] = document.vocabulary.bytes(i);
  }
  file.types.assign(file.token_strings.size(), 1);
  test::AddControlTokens(file);
  for (std::size_t i = 0; i < document.merges.size(); ++i) {
    file.merge_strings.emplace_back(document.merges.bytes(i));
  }
  file.View();
  return file;
}

struct Sources {
  std::unique_ptr<Bpe> ranks;
  std::unique_ptr<Bpe> json;
  std::unique_ptr<Bpe> gguf;
  std::unique_ptr<Bpe> ollama;  // tokens alone
};

class O200kSources : public testing::Test {
 protected:
  void SetUp() override {
    SAFEGUARD_NEED_MODEL(ranks, "o200k/o200k_base.tiktoken");
    SAFEGUARD_NEED_MODEL(json, "gpt-oss/tokenizer.json");
    auto document = ParseTokenizerDocument(*json);
    ASSERT_TRUE(document.has_value()) << Describe(document.error());
    EXPECT_EQ(document->merges.size(), 446'189U);
    test::GgufFile file = ToGguf(*document);
    const auto take = [](Result<std::unique_ptr<Bpe>> loaded) {
      EXPECT_TRUE(loaded.has_value()) << Describe(loaded.error());
      return std::move(loaded.value());
    };
    sources_.ranks = take(Bpe::LoadRanks(*ranks));
    const std::clock_t start = std::clock();
    sources_.json = take(Bpe::LoadJson(*json));
    std::printf("tokenizer.json read in %.0f ms\n",
                1000.0 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
    sources_.gguf = take(Bpe::LoadGguf(file.vocabulary()));
    file.merges.clear();
    file.types.clear();
    sources_.ollama = take(Bpe::LoadGguf(file.vocabulary()));
    json_ = *json;
  }

  void ExpectSame(const std::string& text) const {
    const auto ids = sources_.ranks->Encode(text);
    ASSERT_EQ(sources_.json->Encode(text), ids) << Json(text).dump();
    ASSERT_EQ(sources_.gguf->Encode(text), ids) << Json(text).dump();
    ASSERT_EQ(sources_.ollama->Encode(text), ids) << Json(text).dump();
  }

  Sources sources_;
  std::string json_;
};

std::string RandomText(std::mt19937& random, std::size_t characters) {
  // Few letters in a text make many repeats, and repeats make many merges.
  const std::uint32_t limits[] = {3, 26, 0x80, 0x250, 0x3000, 0x10000, 0x110000};
  const std::uint32_t limit = limits[random() % std::size(limits)];
  std::string text;
  for (std::size_t i = 0; i < characters; ++i) {
    const auto drawn = static_cast<std::uint32_t>(random() % limit);
    const std::uint32_t c = limit <= 26 ? 'a' + drawn : drawn;
    AppendUtf8(c >= 0xD800 && c <= 0xDFFF ? U' ' : c, text);
  }
  return text;
}

TEST_F(O200kSources, SameTokensAtTheSameIds) {
  ASSERT_EQ(sources_.ranks->size(), kOrdinaryTokens);
  for (const Bpe* other : {sources_.json.get(), sources_.gguf.get(), sources_.ollama.get()}) {
    ASSERT_EQ(other->size(), kOrdinaryTokens);
    for (std::uint32_t id = 0; id < kOrdinaryTokens; ++id) {
      ASSERT_EQ(other->Bytes(id), sources_.ranks->Bytes(id)) << id;
    }
  }
}

TEST_F(O200kSources, SameIdsForTheGoldens) {
  const auto goldens = ReadGoldens("tokenizer.jsonl");
  if (!goldens) {
    GTEST_SKIP() << "NOT TESTED: no goldens/tokenizer.jsonl under $SAFEGUARD_SHARED or ../shared";
  }
  std::istringstream in(*goldens);
  std::size_t count = 0;
  for (std::string line; std::getline(in, line); ++count) {
    const Json golden = Json::parse(line);
    const auto text = golden["text"].get<std::string>();
    for (const Bpe* bpe : {sources_.json.get(), sources_.gguf.get(), sources_.ollama.get()}) {
      const auto ids = bpe->Encode(text);
      EXPECT_EQ(Json(ids), golden["tokens"]) << line;
      EXPECT_EQ(bpe->Decode(ids), text);
    }
  }
  EXPECT_GE(count, 480U);
}

TEST_F(O200kSources, SameIdsForRandomText) {
  std::mt19937 random(11);  // NOLINT(cert-msc*): the same texts each run
  for (int i = 0; i < 3000; ++i) {
    ExpectSame(RandomText(random, random() % 300));
  }
}

// The file's own merges in their own order, without the proof that they follow the ids.
TEST_F(O200kSources, MergesInTheirOwnOrderAgreeWithRanks) {
  const auto document = ParseTokenizerDocument(json_);
  auto parts = ReadBpeJson(json_);
  ASSERT_TRUE(document && parts);
  EXPECT_FALSE(parts->merges.has_value()) << "the published merges follow the ids";
  const auto merges = MergeTable::Build(parts->tokens, document->merges.size(),
                                        [&](std::size_t i) { return document->merges.bytes(i); });
  ASSERT_TRUE(merges.has_value());
  BytePairMerger by_rank(parts->tokens);
  BytePairMerger by_merge(parts->tokens, *merges, true);
  std::mt19937 random(12);  // NOLINT(cert-msc*): the same pieces each run
  for (int i = 0; i < 20'000; ++i) {
    std::string piece = RandomText(random, 1 + random() % 6);
    const std::size_t period = piece.size();
    while (i % 2 == 0 && piece.size() < period * (2 + random() % 40)) {
      piece += piece.substr(0, period);  // periodic: ties between ways to cut a token
    }
    std::vector<std::uint32_t> ids;
    std::vector<std::uint32_t> own;
    by_rank.Append(piece, ids);
    by_merge.Append(piece, own);
    ASSERT_EQ(ids, own) << Json(piece).dump();
  }
  std::size_t unreachable = 0;
  BytePairMerger without_shortcut(parts->tokens, *merges, false);
  for (std::uint32_t id = 0; id < kOrdinaryTokens; ++id) {
    std::vector<std::uint32_t> ids;
    without_shortcut.Append(parts->tokens.tokens().bytes(id), ids);
    unreachable += ids == std::vector<std::uint32_t>{id} ? 0 : 1;
  }
  std::printf("%zu tokens come only from a whole piece\n", unreachable);
}

}  // namespace
}  // namespace safeguard::engine
