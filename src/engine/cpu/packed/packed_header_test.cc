#include "engine/cpu/packed/packed_header.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace safeguard::engine::cpu {
namespace {

PackedHeader Example() {
  PackedHeader header;
  header.key = std::string(64, 'a');
  header.times = "1700000000\n1700000001\n";
  header.data_bytes = kPackedChunk + 100;
  header.packed = {1, 0, 1};
  header.chunks = {7, 0xFFFFFFFFFFFFFFFFU};
  return header;
}

std::span<const std::byte> Bytes(const std::string& text) {
  return std::as_bytes(std::span(text));
}

TEST(PackedHeader, IsReadBack) {
  const std::string written = WritePackedHeader(Example());
  const auto read = ReadPackedHeader(Bytes(written));
  ASSERT_TRUE(read) << Describe(read.error());
  EXPECT_EQ(*read, Example());
  EXPECT_EQ(PackedHeaderBytes(Bytes(written)).value(), written.size());
  EXPECT_EQ(PackedDataBegin(written.size()), kPackedDataAlign);
}

TEST(PackedHeader, EveryCutAndEveryFlippedBitIsNoticed) {
  const std::string written = WritePackedHeader(Example());
  for (std::size_t size = 0; size < written.size(); ++size) {
    EXPECT_FALSE(ReadPackedHeader(Bytes(written.substr(0, size)))) << size;
  }
  for (std::size_t bit = 0; bit < written.size() * 8; ++bit) {
    std::string damaged = written;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const auto read = ReadPackedHeader(Bytes(damaged));
    ASSERT_FALSE(read) << bit;
    EXPECT_EQ(read.error().code, ErrorCode::kCorruptFile);
  }
  EXPECT_FALSE(ReadPackedHeader(Bytes(written + "x")));
}

RC_GTEST_PROP(PackedSum, AChangedByteChangesIt, ()) {
  const auto size = *rc::gen::inRange<std::size_t>(1, 300);
  auto bytes =
      *rc::gen::container<std::vector<std::uint8_t>>(size, rc::gen::arbitrary<std::uint8_t>());
  const std::uint64_t sum = PackedSum(std::as_bytes(std::span(bytes)));
  const auto at = *rc::gen::inRange<std::size_t>(0, size);
  bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ *rc::gen::inRange(1, 256));
  RC_ASSERT(PackedSum(std::as_bytes(std::span(bytes))) != sum);
}

TEST(PackedSum, ALengthCounts) {
  const std::vector<std::byte> zeros(130);
  EXPECT_NE(PackedSum(std::span(zeros).first(64)), PackedSum(std::span(zeros).first(128)));
  EXPECT_NE(PackedSum(std::span(zeros).first(129)), PackedSum(zeros));
  EXPECT_EQ(PackedSum(std::span(zeros).first(128)), PackedSum(std::span(zeros).last(128)));
}

}  // namespace
}  // namespace safeguard::engine::cpu
