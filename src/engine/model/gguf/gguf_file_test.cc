#include "engine/model/gguf/gguf_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "engine/model/gguf/gguf_text.h"

namespace safeguard::engine {
namespace {

using testing::HasSubstr;

std::string ErrorOf(const std::string& file) {
  const auto read = GgufFile::Read("x.gguf", BytesOf(file));
  return read ? "" : read.error().message;
}

TEST(GgufFile, ReadsValuesOfEveryType) {
  GgufText text;
  text.Set("u8", GgufType::kU8, "\xFE");
  text.Set("i8", GgufType::kI8, "\xFE");
  text.Set("u16", GgufType::kU16, "\xFE\xFF");
  text.Set("i16", GgufType::kI16, "\xFE\xFF");
  text.Set("u32", 4'000'000'000U);
  text.Set("i32", GgufType::kI32, "\xFE\xFF\xFF\xFF");
  text.SetNumber("f32", 1.5F);
  text.Set("bool", GgufType::kBool, "\x01");
  text.Set("string", "hello");
  text.Set("u64", GgufType::kU64, GgufText::U64(~0ULL));
  text.Set("i64", GgufType::kI64, GgufText::U64(~0ULL));
  text.Set("f64", GgufType::kF64, GgufText::U64(0x4004000000000000));
  text.SetTexts("texts", {"a", "", "bc"});
  text.Set("wholes", GgufType::kArray,
           GgufText::U32(5) + GgufText::U64(2) + GgufText::U32(7) + GgufText::U32(~0U));
  text.Set("nested", GgufType::kArray,
           GgufText::U32(9) + GgufText::U64(1) + GgufText::U32(0) + GgufText::U64(3) + "abc");
  const std::string bytes = text.File(0);
  const auto file = GgufFile::Read("x", BytesOf(bytes));
  ASSERT_TRUE(file) << Describe(file.error());
  const auto value = [&file](const char* key) -> const GgufValue& { return *(*file)->Find(key); };
  EXPECT_EQ(WholeOf(value("u8")), 254);
  EXPECT_EQ(WholeOf(value("i8")), -2);
  EXPECT_EQ(WholeOf(value("u16")), 65'534);
  EXPECT_EQ(WholeOf(value("i16")), -2);
  EXPECT_EQ(WholeOf(value("u32")), 4'000'000'000);
  EXPECT_EQ(WholeOf(value("i32")), -2);
  EXPECT_EQ(WholeOf(value("u64")), std::nullopt);
  EXPECT_EQ(WholeOf(value("i64")), -1);
  EXPECT_EQ(WholeOf(value("f32")), std::nullopt);
  EXPECT_EQ(NumberOf(value("f32")), 1.5);
  EXPECT_EQ(NumberOf(value("f64")), 2.5);
  EXPECT_EQ(NumberOf(value("i8")), -2);
  EXPECT_EQ(NumberOf(value("string")), std::nullopt);
  EXPECT_EQ(FlagOf(value("bool")), true);
  EXPECT_EQ(FlagOf(value("u8")), std::nullopt);
  EXPECT_EQ(TextOf(value("string")), "hello");
  EXPECT_EQ(TextsOf(value("texts")), (std::vector<std::string_view>{"a", "", "bc"}));
  EXPECT_EQ(TextsOf(value("wholes")), std::nullopt);
  EXPECT_EQ(WholesOf(value("wholes")), (std::vector<std::int64_t>{7, -1}));
  EXPECT_EQ(WholesOf(value("nested")), std::nullopt);
  EXPECT_EQ((*file)->Find("absent"), nullptr);
}

TEST(GgufFile, ReadsTensorsOfBothVersions) {
  GgufText text;
  text.Set("general.alignment", 64U);
  text.Tensor("a", {32, 2}, 39, 0);  // 34 bytes
  text.Tensor("b", {3}, 0, 64);
  text.Tensor("c", {256}, 12, 64);  // Q4_K: its size is not known, so neither is its overlap
  for (const std::uint32_t version : {2U, 3U}) {
    const std::string bytes = text.File(76, 64, version);
    const auto file = GgufFile::Read("x", BytesOf(bytes));
    ASSERT_TRUE(file) << Describe(file.error());
    const auto tensors = (*file)->tensors();
    ASSERT_EQ(tensors.size(), 3U);
    EXPECT_EQ(tensors[0].shape, (std::vector<std::uint64_t>{2, 32}));
    EXPECT_EQ(tensors[0].type, StoredType::kMxfp4);
    EXPECT_EQ(tensors[0].bytes.size(), 34U);
    EXPECT_EQ(tensors[0].bytes[1], std::byte{1});
    EXPECT_EQ(tensors[1].bytes[0], std::byte{64});
    EXPECT_EQ(tensors[2].type, StoredType::kOther);
    EXPECT_EQ(tensors[2].type_name, "Q4_K");
  }
}

TEST(GgufFile, HeadersThatLieAreRefused) {
  GgufText good;
  good.Tensor("a", {8}, 0, 0);
  EXPECT_EQ(ErrorOf(good.File(32)), "");
  EXPECT_THAT(ErrorOf(good.File(31)), HasSubstr("cut off: tensor 'a' takes 32 bytes"));
  EXPECT_THAT(ErrorOf("GGML" + good.File(32).substr(4)), HasSubstr("not a GGUF file"));
  EXPECT_THAT(ErrorOf(""), HasSubstr("not a GGUF file"));
  EXPECT_THAT(ErrorOf(good.File(32, 32, 1)), HasSubstr("version 1"));
  EXPECT_THAT(ErrorOf(good.File(32, 32, 0x03000000)), HasSubstr("big-endian"));
  std::string counts = good.File(32);
  counts[8 + 3] = '\x7F';
  EXPECT_THAT(ErrorOf(counts), HasSubstr("more than the limits"));
  counts[8 + 3] = '\0';
  counts[8 + 1] = '\x10';
  EXPECT_THAT(ErrorOf(counts), HasSubstr("cut off: the header counts 4097 tensors"));
}

TEST(GgufFile, TensorsThatCannotBeAreRefused) {
  const auto error = [](const std::vector<std::uint64_t>& dimensions, std::uint32_t type,
                        std::uint64_t offset) {
    GgufText text;
    text.Tensor("a", dimensions, type, offset);
    return ErrorOf(text.File(64));
  };
  EXPECT_THAT(error({}, 0, 0), HasSubstr("0 dimensions"));
  EXPECT_THAT(error({1, 1, 1, 1, 1}, 0, 0), HasSubstr("5 dimensions"));
  EXPECT_THAT(error({1ULL << 40, 1ULL << 40}, 0, 0), HasSubstr("too large"));
  EXPECT_THAT(error({1ULL << 63}, 0, 0), HasSubstr("too large"));
  EXPECT_THAT(error({1}, 0, 33), HasSubstr("not aligned"));
  EXPECT_THAT(error({1}, 0, 1ULL << 62), HasSubstr("cut off"));
  EXPECT_THAT(error({33}, 39, 0), HasSubstr("no whole MXFP4 blocks"));
  EXPECT_EQ(error({1}, 77, 0), "") << "an unknown type is refused by the one who needs it";
  GgufText overlap;
  overlap.Tensor("a", {16}, 0, 0);
  overlap.Tensor("b", {1}, 0, 32);
  EXPECT_THAT(ErrorOf(overlap.File(64)), HasSubstr("'b' overlaps 'a'"));
}

TEST(GgufFile, MetadataThatCannotBeIsRefused) {
  const auto error = [](GgufType type, const std::string& value) {
    GgufText text;
    text.Set("key", type, value);
    return ErrorOf(text.File(64));
  };
  const auto array = [](std::uint32_t element, std::uint64_t count) {
    return GgufText::U32(element) + GgufText::U64(count);
  };
  EXPECT_THAT(error(GgufType::kString, GgufText::U64(~0ULL)), HasSubstr("key 'key': cut off"));
  EXPECT_THAT(error(GgufType::kArray, array(6, ~0ULL)), HasSubstr("cut off"));
  EXPECT_THAT(error(GgufType::kArray, array(6, 1ULL << 62)), HasSubstr("cut off"));
  EXPECT_THAT(error(GgufType::kArray, array(8, 1ULL << 40)), HasSubstr("more than the limit"));
  EXPECT_THAT(error(GgufType::kArray, array(8, 100)), HasSubstr("cut off"));
  EXPECT_THAT(error(GgufType::kArray, array(77, 1)), HasSubstr("type 77"));
  EXPECT_THAT(error(static_cast<GgufType>(13), ""), HasSubstr("type 13"));
  std::string deep;
  for (int i = 0; i < 6; ++i) {
    deep += array(9, 1);
  }
  EXPECT_THAT(error(GgufType::kArray, deep), HasSubstr("nested deeper than 4"));
  GgufText twice;
  twice.Set("key", 1U);
  twice.Set("key", 1U);
  EXPECT_THAT(ErrorOf(twice.File(0)), HasSubstr("'key' appears twice"));
  for (const std::uint32_t alignment : {0U, 3U, 1U << 30}) {
    GgufText text;
    text.Set("general.alignment", alignment);
    EXPECT_THAT(ErrorOf(text.File(0)), HasSubstr("power of two"));
  }
  GgufText nameless;
  nameless.Set("", 1U);
  EXPECT_THAT(ErrorOf(nameless.File(64)), HasSubstr("a name of 0 bytes"));
}

}  // namespace
}  // namespace safeguard::engine
