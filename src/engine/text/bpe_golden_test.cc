// The real o200k ranks: goldens, round trips and long runs.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "base/utf8.h"
#include "engine/bpe.h"
#include "engine/text/test_models.h"
#include "engine/text/test_runs.h"

namespace safeguard::engine {
namespace {

using Json = nlohmann::json;

class O200k : public testing::Test {
 protected:
  void SetUp() override {
    SAFEGUARD_NEED_MODEL(ranks, "o200k/o200k_base.tiktoken");
    auto loaded = Bpe::LoadRanks(*ranks);
    ASSERT_TRUE(loaded.has_value()) << Describe(loaded.error());
    bpe_ = std::move(*loaded);
  }

  void ExpectGoldens(const std::string& path, std::size_t count_min) {
    const Result<std::string> bytes = ReadFile(path, std::size_t{1} << 30);
    ASSERT_TRUE(bytes.has_value()) << Describe(bytes.error());
    std::istringstream in(*bytes);
    std::size_t count = 0;
    std::size_t wrong = 0;
    for (std::string line; std::getline(in, line); ++count) {
      const Json golden = Json::parse(line);
      const auto text = golden["text"].get<std::string>();
      const auto ids = bpe_->Encode(text);
      if (Json(ids) != golden["tokens"] && ++wrong <= 5) {
        ADD_FAILURE() << line << "\n  ours: " << Json(ids).dump();
      }
      EXPECT_EQ(bpe_->Decode(ids), text);
    }
    EXPECT_EQ(wrong, 0U) << "of " << count;
    EXPECT_GE(count, count_min);
  }

  std::unique_ptr<Bpe> bpe_;
};

TEST_F(O200k, Goldens) {
  const char* shared = std::getenv("SAFEGUARD_SHARED");
  const std::string path =
      std::string(shared != nullptr ? shared : SAFEGUARD_SOURCE_DIR "/../shared") +
      "/goldens/tokenizer.jsonl";
  if (!ReadFile(path, std::size_t{1} << 30)) {
    GTEST_SKIP() << "NOT TESTED: no goldens/tokenizer.jsonl under $SAFEGUARD_SHARED or ../shared";
  }
  ExpectGoldens(path, 480);
}

// For differential runs over large files of random text, which are not kept.
TEST_F(O200k, GoldensOfTheFileInTheEnvironment) {
  const char* path = std::getenv("SAFEGUARD_O200K_GOLDEN");
  if (path == nullptr) {
    GTEST_SKIP() << "set SAFEGUARD_O200K_GOLDEN to a file of {\"text\", \"tokens\"} lines";
  }
  ExpectGoldens(path, 1);
}

TEST_F(O200k, KnownTokens) {
  EXPECT_EQ(bpe_->Encode("Hello world"), (std::vector<std::uint32_t>{13225, 2375}));
  EXPECT_EQ(bpe_->Encode("hello  world"), (std::vector<std::uint32_t>{24912, 220, 2375}));
  EXPECT_EQ(bpe_->Encode("<|start|>"), (std::vector<std::uint32_t>{27, 91, 5236, 91, 29}))
      << "text never becomes a control token";
  EXPECT_FALSE(bpe_->Decode({199'998}).has_value());
}

TEST_F(O200k, RoundTripsAndStaysBelowControlTokens) {
  EXPECT_TRUE(rc::check([&](const std::vector<std::uint32_t>& numbers) {
    std::string text;
    for (const std::uint32_t number : numbers) {
      const std::uint32_t c = number % (number % 3 == 0 ? 0x110000 : 0x80);
      AppendUtf8(c >= 0xD800 && c <= 0xDFFF ? U' ' : c, text);
    }
    const auto ids = bpe_->Encode(text);
    for (const std::uint32_t id : ids) {
      RC_ASSERT(id < 199'998U);
    }
    RC_ASSERT(bpe_->Decode(ids).value() == text);
  }));
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr double kSecondsMax = 30;
#else
constexpr double kSecondsMax = 1;
#endif

TEST_F(O200k, AMegabyteOfAnything) {
  std::mt19937 random(7);  // NOLINT(cert-msc*): the same letters each run
  std::string letters;
  std::string bytes;
  for (std::size_t i = 0; i < 1'000'000 / test::kRunScale; ++i) {
    letters += static_cast<char>('a' + random() % 26);
    bytes += static_cast<char>(random());
  }
  std::vector<std::pair<std::string, std::string>> texts{{"letters", letters}, {"bytes", bytes}};
  for (const std::string unit :
       {"a",      "A",          "z",          " ",  "\t",     "\n",     "\r\n",   "!",
        "-",      "'",          "/",          "0",  "\u0660", "\u00E9", "\u4E2D", "\u0301",
        "\u3000", "\U0001F642", "\U0001E4D0", "ab", "aA",     "\xFF"}) {
    const std::string text = test::Run(unit, 1'000'000);
    texts.emplace_back(Json(unit).dump(-1, ' ', true, Json::error_handler_t::replace), text);
  }
  for (const auto& [name, text] : texts) {
    const std::clock_t start = std::clock();  // of the processor: the machine may be busy
    const auto ids = bpe_->Encode(text);
    const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    std::printf("%8zu tokens, %5.0f ms: %s\n", ids.size(), 1000 * seconds, name.c_str());
    EXPECT_EQ(bpe_->Decode(ids), text);
    EXPECT_LT(seconds, kSecondsMax) << name;
  }
}

}  // namespace
}  // namespace safeguard::engine
