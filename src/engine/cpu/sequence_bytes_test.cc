// Bytes that carry a right digest but wrong contents, and the limits of memory and of going back.
#include "engine/cpu/sequence_bytes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "engine/cpu/cpu_forward.h"
#include "engine/cpu/random_model.h"
#include "engine/model/forward_contract.h"

namespace safeguard::engine::cpu {
namespace {

using testing::HasSubstr;

class SequenceBytesTest : public testing::Test {
 protected:
  SequenceBytesTest() {
    config_.sliding = AlternatingLayers(config_.layers);
    SequenceState sequence{200, std::vector<LayerPages>(config_.layers)};
    for (LayerPages& layer : sequence.layers) {
      layer.Extend(0, 200, pages_);
      for (std::size_t at = 0; at < 200; at += kPagePositions) {
        std::memset(layer.PageOf(at), 0x11, pages_.shape().PageBytes());
      }
    }
    good_ = bytes_.Write(sequence);
  }
  // The error of `good_` with the 8 bytes at `at` replaced.
  std::string Changed(std::size_t at, std::uint64_t word) const {
    std::vector<std::byte> bytes = good_;
    std::memcpy(bytes.data() + at, &word, sizeof word);
    const auto pages = bytes_.PagesIn(bytes);
    return pages ? "" : pages.error().message;
  }

  GptOssConfig config_ = SmallConfig();
  PagePool pages_{{2, 16, KvType::kF32}};
  ThreadPool threads_{1};
  SequenceBytes bytes_{config_, "avx2", pages_, threads_};
  std::vector<std::byte> good_;
};

TEST_F(SequenceBytesTest, SlidingLayersKeepWindowAndRewindOnly) {
  // One full layer with 4 pages; two that slide over 40 keys, from 200 + 1 - 40 - 64 = 97 on.
  const auto pages = bytes_.PagesIn(good_);
  ASSERT_TRUE(pages) << Describe(pages.error());
  EXPECT_EQ(*pages, 4U + 2 * 3);
  EXPECT_TRUE(bytes_.Read(good_));
}

TEST_F(SequenceBytesTest, WhatWasNotWrittenGoesOutAsZeros) {
  std::size_t zeros = 0;
  for (const std::byte b : std::span(good_).last(pages_.shape().PageBytes())) {
    zeros += b == std::byte{0} ? 1 : 0;
  }
  EXPECT_EQ(zeros, (256 - 200) * 2 * (16 + 16) * 4U);
}

TEST_F(SequenceBytesTest, EveryNumberOfTheHeadIsChecked) {
  EXPECT_THAT(Changed(0, 0), HasSubstr("not ours"));
  EXPECT_THAT(Changed(8, 2), HasSubstr("another model, version"));
  EXPECT_THAT(Changed(40, 300), HasSubstr("size"));
  EXPECT_THAT(Changed(40, ~std::uint64_t{0}), HasSubstr("longer than the model's context"));
  EXPECT_THAT(Changed(48, 0), HasSubstr("kernels"));
  EXPECT_THAT(Changed(128, 1), HasSubstr("layer 0 lacks keys"));  // does not say that it slides
  EXPECT_THAT(Changed(128, (std::uint64_t{1} << 63) + 3), HasSubstr("layer 0 lacks keys"));
  EXPECT_THAT(Changed(136, 1), HasSubstr("layer 1 lacks keys"));
}

TEST_F(SequenceBytesTest, AChangedNumberIsFoundByTheDigestUntilSealed) {
  std::vector<std::byte> bytes = good_;
  bytes[bytes.size() / 2] ^= std::byte{1};
  const auto damaged = bytes_.Read(bytes);
  ASSERT_FALSE(damaged);
  EXPECT_THAT(damaged.error().message, HasSubstr("damaged"));
  EXPECT_EQ(pages_.in_use(), 0U);
  bytes_.Seal(bytes);
  EXPECT_TRUE(bytes_.Read(bytes));
}

TEST(CpuForwardImport, KeepsToTheLimitOfMemory) {
  const RandomModel model = NewRandomModel(SmallConfig(), WeightType::kBF16, {}, 1);
  ThreadPool pool(1);
  CpuForwardOptions options;
  options.precision = CpuPrecision::kF32;
  options.cache_bytes_max = std::size_t{9} * 2 * 64 * 32 * 4;  // 9 pages
  const auto forward = *NewCpuForward(model.config, model.weights, options, pool);
  const SequenceId sequence = forward->NewSequence();
  test::StepAll(*forward, sequence, test::TokensFor(*forward, 100, 1));
  const auto bytes = *forward->Export(sequence);
  const auto second = forward->Import(bytes);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kLimit);
  forward->Drop(sequence);
  EXPECT_TRUE(forward->Import(bytes));
}

TEST(CpuForwardTruncate, FurtherBackThanSlidingLayersReachIsRefused) {
  const RandomModel model = NewRandomModel(SmallConfig(), WeightType::kBF16, {}, 1);
  ThreadPool pool(1);
  const auto forward = *NewCpuForward(model.config, model.weights, {}, pool);
  const SequenceId sequence = forward->NewSequence();
  test::StepAll(*forward, sequence, test::TokensFor(*forward, 640, 1));
  const Status status = forward->Truncate(sequence, 100);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(forward->Length(sequence), 640U);
  EXPECT_TRUE(forward->Truncate(sequence, 640 - kRewindMax));
}

}  // namespace
}  // namespace safeguard::engine::cpu
