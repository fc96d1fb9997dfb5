#include "judges/screen/text_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace safeguard::judges {
namespace {

TEST(TextMemory, ComputesOnlyWhatIsMissingAndKeepsTheOrder) {
  TextMemory memory;
  const EmbeddingCache none("", "model");
  std::vector<std::string> computed;
  const auto compute = [&](std::span<const std::string_view> texts) {
    std::vector<EmbeddedText> results;
    for (const std::string_view text : texts) {
      computed.emplace_back(text);
      results.push_back(
          {{{0, static_cast<std::uint32_t>(text.size())}}, {static_cast<float>(text.size())}});
    }
    return results;
  };
  const std::string_view first[] = {"a", "bb"};
  EXPECT_EQ(memory.Get("", first, 1, none, compute)[1].embeddings[0], 2.0F);
  const std::string_view second[] = {"ccc", "bb", "dddd"};
  const auto results = memory.Get("", second, 1, none, compute);
  EXPECT_THAT(computed, testing::ElementsAre("a", "bb", "ccc", "dddd"));
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(results[i].embeddings[0], static_cast<float>(second[i].size()));
  }
  // Another scope knows nothing of it.
  EXPECT_EQ(memory.Get("other", first, 1, none, compute).size(), 2U);
  EXPECT_EQ(computed.size(), 6U);
}

}  // namespace
}  // namespace safeguard::judges
