#include "apps/pull/pull_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/pull/http_fields.h"
#include "apps/pull/url.h"

namespace safeguard::apps::pull {
namespace {

constexpr const char* kHub = "https://hub.example";

PullSource Parse(const std::string& name, const std::string& revision = "") {
  const auto source = ParsePullSource(name, revision, kHub);
  EXPECT_TRUE(source) << name << ": " << Describe(source.error());
  return source.value_or(PullSource());
}

TEST(PullSource, ShortNamesAreOurModels) {
  for (const char* name : {"20b", "safeguard-20b", "gpt-oss-safeguard-20b", "Safeguard-20B",
                           "openai/gpt-oss-safeguard-20b"}) {
    EXPECT_EQ(Parse(name).repository, "openai/gpt-oss-safeguard-20b") << name;
  }
  EXPECT_EQ(Parse("120b").repository, "openai/gpt-oss-safeguard-120b");
  EXPECT_EQ(Parse("gpt-oss-20b").repository, "openai/gpt-oss-20b");
  EXPECT_EQ(Parse("gpt-oss-120b").repository, "openai/gpt-oss-120b");
  EXPECT_EQ(Parse("20b").FolderName(), "gpt-oss-safeguard-20b");
  EXPECT_EQ(Parse("20b").endpoint, kHub);
  EXPECT_EQ(Parse("20b").revision, "main");
}

TEST(PullSource, RevisionsComeFromEitherPlace) {
  EXPECT_EQ(Parse("a/b@refs/pr/1").revision, "refs/pr/1");
  EXPECT_EQ(Parse("a/b", "v2").revision, "v2");
  EXPECT_EQ(Parse("a/b@v2", "v2").revision, "v2");
  EXPECT_FALSE(ParsePullSource("a/b@v1", "v2", kHub));
  for (const char* bad : {"a/b@", "a/b@../x", "a/b@x y", "a/b@/x"}) {
    EXPECT_FALSE(ParsePullSource(bad, "", kHub)) << bad;
  }
}

TEST(PullSource, PagesOfRepositoriesAreRepositories) {
  const PullSource page = Parse("https://other.example:8443/a/b-1.5");
  EXPECT_EQ(page.repository, "a/b-1.5");
  EXPECT_EQ(page.endpoint, "https://other.example:8443");
  EXPECT_EQ(Parse("https://other.example/a/b/").repository, "a/b");
  EXPECT_EQ(Parse("https://other.example/a/b/tree/dev?x=1#y").revision, "dev");
  const PullSource file = Parse("https://other.example/a/b/blob/refs%2Fpr%2F1/sub/m.gguf");
  EXPECT_EQ(file.repository, "a/b");
  EXPECT_EQ(file.revision, "refs/pr/1");
  EXPECT_EQ(file.file, "sub/m.gguf");
  const auto below = ParsePullSource("http://mirror/hf/a/b", "", "http://mirror/hf/");
  ASSERT_TRUE(below);
  EXPECT_EQ(below->endpoint, "http://mirror/hf");
  EXPECT_EQ(below->repository, "a/b");
}

TEST(PullSource, OtherUrlsAreFiles) {
  const PullSource file = Parse("https://other.example/models/m%20x.gguf?sig=1");
  EXPECT_EQ(file.repository, "");
  EXPECT_EQ(file.file, "m x.gguf");
  EXPECT_EQ(file.url, "https://other.example/models/m%20x.gguf?sig=1");
  EXPECT_EQ(file.FolderName(), "m x");
  EXPECT_EQ(Parse("https://other.example/x/y/...gguf").FolderName(), "...gguf-pulled");
  EXPECT_EQ(Parse("https://other.example/x/y/model").FolderName(), "model-pulled");
}

TEST(PullSource, WhatIsNeitherIsRefused) {
  for (const char* bad :
       {"", "x", "a/b/c", "a/..", "../b", "a/b c", "a/", "/b", "ftp://h/a/b", "https://",
        "https://h", "https://h/", "https://user:secret@h/a/b", "https://h/x/%2e%2e",
        "https://h/x/y/%2F", "https://h/x/y/a%00b.gguf", "file:///etc/passwd"}) {
    const auto source = ParsePullSource(bad, "", kHub);
    ASSERT_FALSE(source) << bad;
    EXPECT_EQ(source.error().code, ErrorCode::kInvalidInput) << bad;
    EXPECT_FALSE(source.error().hint.empty()) << bad;
  }
}

TEST(HttpFields, ContentRange) {
  const auto range = ParseContentRange("bytes 5-9/20");
  ASSERT_TRUE(range);
  EXPECT_EQ(range->range.begin, 5U);
  EXPECT_EQ(range->range.end, 10U);
  EXPECT_EQ(range->total, 20U);
  EXPECT_EQ(ParseContentRange("bytes 0-0/*")->total, std::nullopt);
  for (const char* bad : {"", "bytes", "bytes */20", "bytes 9-5/20", "bytes 5-20/20", "bytes 5-9",
                          "bytes -5-9/20", "bytes 5-9/20x", "items 5-9/20", "bytes 5/9-20",
                          "bytes 0-18446744073709551615/*", "bytes 0-99999999999999999999/*"}) {
    EXPECT_FALSE(ParseContentRange(bad)) << bad;
  }
}

TEST(HttpFields, NextLink) {
  EXPECT_EQ(ParseNextLink("<https://h/x?c=1>; rel=\"next\""), "https://h/x?c=1");
  EXPECT_EQ(ParseNextLink("</a>; rel=\"prev\", </b>; title=\"x\"; rel=next"), "/b");
  EXPECT_EQ(ParseNextLink("</a>; rel=\"prev\""), std::nullopt);
  EXPECT_EQ(ParseNextLink("<"), std::nullopt);
  EXPECT_EQ(ParseNextLink(""), std::nullopt);
}

TEST(HttpFields, RetryAfter) {
  EXPECT_EQ(ParseRetryAfter("120", 0), std::chrono::seconds(120));
  EXPECT_EQ(ParseRetryAfter("Thu, 01 Jan 1970 00:01:40 GMT", 40), std::chrono::seconds(60));
  EXPECT_EQ(ParseRetryAfter("Thu, 01 Jan 1970 00:01:40 GMT", 400), std::chrono::seconds(0));
  EXPECT_EQ(ParseRetryAfter("soon", 0), std::nullopt);
  EXPECT_EQ(ParseRetryAfter("", 0), std::nullopt);
  EXPECT_LT(ParseRetryAfter("18446744073709551615", 0), std::chrono::hours(24 * 367));
}

TEST(Url, RelativeReferencesAndOrigins) {
  EXPECT_EQ(ResolveUrl("https://h/a/b", "/c d")->text, "https://h/c%20d");
  EXPECT_EQ(ResolveUrl("https://h/a/b", "https://H:443/x")->Origin(), "https://h:443");
  EXPECT_NE(ParseUrl("http://h/")->Origin(), ParseUrl("https://h/")->Origin());
  EXPECT_NE(ParseUrl("https://h/")->Origin(), ParseUrl("https://h:444/")->Origin());
  EXPECT_FALSE(ResolveUrl("https://h/a", "https://u:p@h/"));
  EXPECT_EQ(EscapeSegment("refs/pr 1"), "refs%2Fpr%201");
  EXPECT_EQ(EscapePath("a b/c#?"), "a%20b/c%23%3F");
}

}  // namespace
}  // namespace safeguard::apps::pull
