#include "engine/special_tokens.h"

#include <gtest/gtest.h>

namespace safeguard::engine {
namespace {

TEST(SpecialTokens, NamesAndIdsAreOneTable) {
  EXPECT_EQ(ControlTokenName(199'998), "<|startoftext|>");
  EXPECT_EQ(ControlTokenName(200'002), "<|return|>");
  EXPECT_EQ(ControlTokenName(200'008), "<|message|>");
  EXPECT_EQ(ControlTokenName(200'012), "<|call|>");
  EXPECT_EQ(ControlTokenName(200'013), "<|reserved_200013|>");
  EXPECT_EQ(ControlTokenName(201'088), "<|reserved_201088|>");
  EXPECT_EQ(ControlTokenName(199'997), "");
  EXPECT_EQ(ControlTokenName(201'089), "");
  std::size_t named = 0;
  for (std::uint32_t id = kOrdinaryTokens; id < kVocabularyRows; ++id) {
    const std::string name = ControlTokenName(id);
    ASSERT_TRUE(name.starts_with("<|") && name.ends_with("|>")) << id;
    if (const auto back = ControlTokenId(name)) {
      EXPECT_EQ(*back, id);
      ++named;
    }
  }
  EXPECT_EQ(named, 10U);
  EXPECT_FALSE(ControlTokenId("<|reserved_200013|>"));
}

TEST(SpecialTokens, WhatStops) {
  EXPECT_TRUE(StopsSampling(200'002));
  EXPECT_TRUE(StopsSampling(200'012));
  EXPECT_FALSE(StopsSampling(200'007));
  EXPECT_TRUE(EndsMessage(200'007));
  EXPECT_FALSE(EndsMessage(200'006));
}

}  // namespace
}  // namespace safeguard::engine
