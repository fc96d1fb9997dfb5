#include "engine/model/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "engine/model/safetensors_header.h"

namespace safeguard::engine {
namespace {

using testing::HasSubstr;

std::vector<std::byte> File(const std::string& header, std::size_t data_bytes) {
  std::vector<std::byte> file(8 + header.size() + data_bytes);
  for (std::size_t i = 0; i < 8; ++i) {
    file[i] = static_cast<std::byte>(header.size() >> (8 * i));
  }
  std::memcpy(file.data() + 8, header.data(), header.size());
  for (std::size_t i = 0; i < data_bytes; ++i) {
    file[8 + header.size() + i] = static_cast<std::byte>(i);
  }
  return file;
}

std::string ErrorOf(const std::string& header, std::size_t data_bytes) {
  const std::vector<std::byte> file = File(header, data_bytes);
  const auto read = Safetensors::Read("x.safetensors", file);
  return read ? "" : read.error().message;
}

const char* const kTwo =
    R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F16","shape":[2,3],"data_offsets":[0,12]},)"
    R"("b":{"dtype":"I64","shape":[],"data_offsets":[12,20]}}   )";

TEST(Safetensors, ReadsTensorsWithTypesShapesAndBytes) {
  const std::vector<std::byte> file = File(kTwo, 20);
  const auto read = Safetensors::Read("x", file);
  ASSERT_TRUE(read) << read.error().message;
  const auto a = (*read)->Find("a", {Dtype::kF32, Dtype::kF16}, {2, 3});
  ASSERT_TRUE(a);
  EXPECT_EQ(a->bytes.size(), 12U);
  EXPECT_EQ(a->bytes[5], std::byte{5});
  const auto b = (*read)->Find("b", {Dtype::kI64}, {});
  ASSERT_TRUE(b);
  EXPECT_EQ(b->bytes[0], std::byte{12});
  EXPECT_EQ((*read)->entries().size(), 2U);
}

TEST(Safetensors, LookUpErrorsNameTheFileAndTheTensor) {
  const std::vector<std::byte> file = File(kTwo, 20);
  const auto read = Safetensors::Read("m.safetensors", file);
  ASSERT_TRUE(read);
  const auto missing = (*read)->Find("c", {Dtype::kF16}, {1});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "m.safetensors: tensor 'c' is missing");
  const auto type = (*read)->Find("a", {Dtype::kF32, Dtype::kBF16}, {2, 3});
  ASSERT_FALSE(type);
  EXPECT_EQ(type.error().message, "m.safetensors: tensor 'a' is F16, wanted F32, BF16");
  const auto shape = (*read)->Find("a", {Dtype::kF16}, {3, 2});
  ASSERT_FALSE(shape);
  EXPECT_EQ(shape.error().message, "m.safetensors: tensor 'a' has shape [2, 3], wanted [3, 2]");
}

TEST(Safetensors, RefusesWhatTheFormatForbids) {
  const auto one = [](const std::string& body) { return "{\"a\":{" + body + "}}"; };
  EXPECT_THAT(ErrorOf(one(R"("dtype":"F16","shape":[2],"data_offsets":[0,6])"), 6),
              HasSubstr("does not take its 6 bytes"));
  EXPECT_THAT(ErrorOf(one(R"("dtype":"F16","shape":[3],"data_offsets":[0,6])"), 5),
              HasSubstr("cut off: tensor 'a'"));
  EXPECT_THAT(ErrorOf(one(R"("dtype":"F16","shape":[3],"data_offsets":[6,0])"), 6),
              HasSubstr("outside the file"));
  EXPECT_THAT(ErrorOf(one(R"("dtype":"F16","shape":[3],"data_offsets":[0,6])"), 7),
              HasSubstr("belong to none"));
  EXPECT_THAT(
      ErrorOf(one(R"("dtype":"U8","shape":[4294967296,4294967296,0],"data_offsets":[0,0])"), 0),
      HasSubstr("does not take its 0 bytes"));
  EXPECT_THAT(ErrorOf(one(R"("dtype":"Q4","shape":[3],"data_offsets":[0,6])"), 6),
              HasSubstr("unknown dtype 'Q4'"));
  EXPECT_THAT(ErrorOf(one(R"("dtype":"U8","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,1])"), 1),
              HasSubstr("more than 8 dimensions"));
  EXPECT_THAT(ErrorOf(one(R"("dtype":"U8","shape":[-1],"data_offsets":[0,1])"), 1),
              HasSubstr("negative"));
  EXPECT_THAT(ErrorOf(one(R"("dtype":"U8","shape":[1],"data_offsets":[0])"), 1),
              HasSubstr("fewer than two"));
  EXPECT_THAT(ErrorOf(one(R"("dtype":"U8","shape":[1])"), 0), HasSubstr("lacks"));
  EXPECT_THAT(ErrorOf(one(R"("dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1])"), 1),
              HasSubstr("dtype twice"));
  EXPECT_THAT(ErrorOf("[]", 0), HasSubstr("begin with '{'"));
  EXPECT_THAT(ErrorOf("{\"a\":", 0), HasSubstr("not JSON"));
  EXPECT_EQ(ErrorOf("{}", 0), "");
}

TEST(Safetensors, RefusesGapsOverlapsAndDuplicates) {
  const auto two = [](const std::string& second, const std::string& place) {
    return R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},")" + second +
           R"(":{"dtype":"U8","shape":[2],"data_offsets":)" + place + "}}";
  };
  EXPECT_EQ(ErrorOf(two("b", "[2,4]"), 4), "");
  EXPECT_THAT(ErrorOf(two("b", "[1,3]"), 3), HasSubstr("'b' overlaps"));
  EXPECT_THAT(ErrorOf(two("b", "[3,5]"), 5), HasSubstr("'b' leaves a gap"));
  EXPECT_THAT(ErrorOf(two("a", "[2,4]"), 4), HasSubstr("'a' appears twice"));
}

TEST(Safetensors, HeaderLengthIsBounded) {
  std::vector<std::byte> file = File("{}", 0);
  file[7] = std::byte{0xFF};
  const auto huge = Safetensors::Read("x", file);
  ASSERT_FALSE(huge);
  EXPECT_EQ(huge.error().code, ErrorCode::kCorruptFile);
  file[7] = std::byte{0};
  file[0] = std::byte{200};
  const auto cut = Safetensors::Read("x", file);
  ASSERT_FALSE(cut);
  EXPECT_THAT(cut.error().message, HasSubstr("cut off inside the header"));
}

TEST(Safetensors, DeepNestingIsRefusedAtOnce) {
  EXPECT_THAT(ErrorOf("{\"a\":" + std::string(1'000'000, '['), 0),
              HasSubstr("unexpected an array"));
  EXPECT_THAT(ErrorOf("{\"a\":{\"x\":{\"y\":{", 0), HasSubstr("unexpected an object"));
}

TEST(Safetensors, EveryTruncationIsAnError) {
  const std::vector<std::byte> file = File(kTwo, 20);
  for (std::size_t bytes = 0; bytes < file.size(); ++bytes) {
    const std::vector<std::byte> cut(file.begin(),
                                     file.begin() + static_cast<std::ptrdiff_t>(bytes));
    const auto read = Safetensors::Read("x.safetensors", cut);
    ASSERT_FALSE(read) << bytes;
    EXPECT_THAT(read.error().message, HasSubstr("x.safetensors")) << bytes;
  }
}

TEST(Safetensors, EveryFlippedHeaderByteIsAnErrorOrACleanRead) {
  const std::vector<std::byte> file = File(kTwo, 20);
  std::size_t errors = 0;
  for (std::size_t at = 0; at + 20 < file.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      std::vector<std::byte> flipped = file;
      flipped[at] = static_cast<std::byte>(value);
      const auto read = Safetensors::Read("x", flipped);
      if (!read) {
        ++errors;
        EXPECT_FALSE(read.error().message.empty());
        continue;
      }
      for (const TensorEntry& entry : (*read)->entries()) {
        EXPECT_LE(entry.end, 20U);
      }
    }
  }
  EXPECT_GT(errors, file.size() * 100);
}

TEST(Safetensors, MissingFileAndDirectory) {
  const auto missing = Safetensors::Open("/nonexistent/model.safetensors");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(Safetensors::Open("/"));
}

TEST(Safetensors, NamesInMessagesAreCutAndPrintable) {
  EXPECT_EQ(QuoteName("a\nb\xFF"), "'a?b?'");
  EXPECT_EQ(QuoteName(std::string(1000, 'x')).size(), 105U);
}

}  // namespace
}  // namespace safeguard::engine
