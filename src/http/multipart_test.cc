#include "http/multipart.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace safeguard::http {
namespace {

constexpr const char* kType = "multipart/form-data; boundary=----x-1";
const std::string kForm =
    "------x-1\r\n"
    "Content-Disposition: form-data; name=\"purpose\"\r\n\r\n"
    "batch\r\n"
    "------x-1\r\n"
    "content-type: application/octet-stream\r\n"
    "Content-Disposition: form-data; name=\"file\"; filename=\"a \\\"b\\\".jsonl\"\r\n\r\n"
    "{\"a\": 1}\r\n--not the mark\r\n\r\n"
    "------x-1--\r\n";

// A file, and a field behind it.
std::string FormWith(const std::string& file) {
  return "------x-1\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n" +
         file + "\r\n------x-1\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\n" +
         "batch\r\n------x-1--\r\n";
}

TEST(Multipart, FieldsAndFilesComeOutAsTheyWentIn) {
  const auto parts = ReadForm(kType, kForm);
  ASSERT_TRUE(parts) << parts.error().detail;
  ASSERT_EQ(parts->size(), 2U);
  EXPECT_EQ((*parts)[0].name, "purpose");
  EXPECT_EQ((*parts)[0].file_name, "");
  EXPECT_EQ((*parts)[0].bytes, "batch");
  EXPECT_EQ((*parts)[1].name, "file");
  EXPECT_EQ((*parts)[1].file_name, "a \"b\".jsonl");
  EXPECT_EQ((*parts)[1].bytes, "{\"a\": 1}\r\n--not the mark\r\n") << "byte for byte";
}

TEST(Multipart, BoundariesAreReadQuotedAndBehindAPreamble) {
  EXPECT_EQ(ReadForm("multipart/form-data; charset=utf-8; Boundary=\"----x-1\"", kForm)->size(),
            2U);
  EXPECT_EQ(ReadForm(kType, "to be ignored\r\n" + kForm)->size(), 2U);
  EXPECT_EQ(ReadForm(kType, "------x-1--")->size(), 0U);
}

// Of every length about the pieces in which a body is read, with a file that looks like the mark.
TEST(Multipart, ALongFormIsReadInPiecesWhereverTheyAreCut) {
  const std::string mark = "\r\n------x-1";
  for (const std::size_t about : {std::size_t{8192}, moderation::kFilePieceBytes}) {
    for (std::size_t bytes = about - 120; bytes < about + 20; ++bytes) {
      std::string file(bytes, 'x');
      file.replace(file.size() / 2, mark.size() - 1, mark.substr(0, mark.size() - 1));
      const std::string form = FormWith(file);
      std::size_t largest = 0;
      const moderation::ByteSource source{
          form.size(), [&](std::size_t from, std::size_t count) -> Result<std::string> {
            largest = std::max(largest, count);
            return form.substr(std::min(from, form.size()), count);
          }};
      const auto parts = FindParts(kType, source);
      ASSERT_TRUE(parts) << parts.error().detail;
      ASSERT_EQ(parts->size(), 2U) << bytes;
      EXPECT_EQ(form.substr((*parts)[0].begin, (*parts)[0].size), file);
      EXPECT_EQ(form.substr((*parts)[1].begin, (*parts)[1].size), "batch");
      EXPECT_LT(largest, moderation::kFilePieceBytes + 100);
    }
  }
}

TEST(Multipart, ABodyThatCannotBeReadIsNoFault) {
  const std::string form = FormWith(std::string(100'000, 'x'));
  for (std::size_t good = 0; good < 6; ++good) {
    std::size_t reads = 0;
    const moderation::ByteSource source{
        form.size(), [&](std::size_t from, std::size_t count) -> Result<std::string> {
          return ++reads > good ? Fail(ErrorCode::kUnavailable, "the disk")
                                : Result<std::string>(form.substr(from, count));
        }};
    const auto parts = FindParts(kType, source);
    ASSERT_FALSE(parts);
    EXPECT_EQ(parts.error().status, 503) << "after " << good;
  }
}

TEST(Multipart, WhatIsNoFormSaysSo) {
  for (const char* type : {"multipart/form-data",
                           "multipart/form-data; boundary=", "multipart/form-data; boundary", ""}) {
    EXPECT_FALSE(ReadForm(type, kForm)) << type;
  }
  for (std::size_t cut = 0; cut + 4 < kForm.size(); ++cut) {
    EXPECT_FALSE(ReadForm(kType, kForm.substr(0, cut))) << "cut off at " << cut;
  }
  EXPECT_FALSE(ReadForm(kType, "------x-1\r\nContent-Type: text/plain\r\n\r\nx\r\n------x-1--"))
      << "a part without a name";
  const std::string part = "------x-1\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n";
  EXPECT_FALSE(ReadForm(kType, part + part + "------x-1--")) << "a name twice";
}

TEST(Multipart, ThereIsALimitOnPartsAndTheirHeaders) {
  std::string many;
  for (std::size_t p = 0; p <= kFormPartsMax; ++p) {
    many += "------x-1\r\nContent-Disposition: form-data; name=\"" + std::to_string(p) +
            "\"\r\n\r\nx\r\n";
  }
  EXPECT_FALSE(ReadForm(kType, many + "------x-1--"));
  const std::string padding(kFormHeaderBytesMax, 'x');
  EXPECT_FALSE(ReadForm(kType, "------x-1\r\nX: " + padding +
                                   "\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n"
                                   "------x-1--"));
}

}  // namespace
}  // namespace safeguard::http
