// What comes from outside: bodies, queries, keys.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "base/random_bytes.h"
#include "http/idempotency.h"
#include "http/json_fields.h"
#include "http/json_input.h"
#include "http/keys.h"

namespace safeguard::http {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(JudgeQuestionTest, ReadsATextWithAllThatCanBeSaidAboutIt) {
  const auto question = ReadJudgeQuestion(
      R"({"text": "hi", "role": "assistant", "id": "p1", "surface": "dm", "language": "pt-BR",
          "policies": ["spam", "hate@3"], "account": "a", "timeout_ms": 250,
          "include_reasoning": true})");
  ASSERT_TRUE(question) << question.error().detail;
  const moderation::Content& content = question->contents.at(0);
  EXPECT_EQ(content.kind, moderation::ContentKind::kCompletion);
  EXPECT_EQ(content.messages.at(0).text, "hi");
  EXPECT_EQ(content.id + content.surface + content.language, "p1dmpt-BR");
  EXPECT_THAT(question->policies, ElementsAre("spam", "hate@3"));
  EXPECT_EQ(question->account, "a");
  EXPECT_EQ(question->timeout, std::chrono::milliseconds(250));
  EXPECT_TRUE(question->include_reasoning);
}

TEST(JudgeQuestionTest, ReadsAConversation) {
  const auto question = ReadJudgeQuestion(
      R"({"messages": [{"role": "system", "content": ""}, {"role": "user", "content": "x"}]})");
  ASSERT_TRUE(question) << question.error().detail;
  EXPECT_EQ(question->contents.at(0).kind, moderation::ContentKind::kConversation);
  EXPECT_EQ(question->contents.at(0).messages.size(), 2U);
}

struct Wrong {
  const char* body;
  const char* pointer;
};

TEST(JudgeQuestionTest, SaysWhichFieldIsWrong) {
  for (const Wrong& wrong : std::vector<Wrong>{
           {R"({})", "/text"},
           {R"({"text": 3})", "/text"},
           {R"({"text": null})", "/text"},
           {R"({"text": "a", "messages": []})", "/text"},
           {R"({"messages": []})", "/messages"},
           {R"({"messages": [3]})", "/messages/0"},
           {R"({"messages": [{"role": "user"}]})", "/messages/0/content"},
           {R"({"messages": [{"role": "king", "content": "a"}]})", "/messages/0/role"},
           {R"({"messages": [{"role": "user", "content": "a", "x": 1}]})", "/messages/0/x"},
           {R"({"text": "a", "role": "system"})", "/role"},
           {R"({"text": "a", "policies": []})", "/policies"},
           {R"({"text": "a", "policies": ["spam", "spam"]})", "/policies"},
           {R"({"text": "a", "policies": [1]})", "/policies"},
           {R"({"text": "a", "timeout_ms": 0})", "/timeout_ms"},
           {R"({"text": "a", "timeout_ms": 1e9})", "/timeout_ms"},
           {R"({"text": "a", "polices": ["spam"]})", "/polices"},
           {R"({"text": "a", "include_reasoning": "yes"})", "/include_reasoning"}}) {
    const auto question = ReadJudgeQuestion(wrong.body);
    ASSERT_FALSE(question) << wrong.body;
    EXPECT_EQ(question.error().pointer, wrong.pointer) << wrong.body;
    EXPECT_EQ(question.error().status, 400);
    EXPECT_FALSE(question.error().hint.empty()) << wrong.body;
  }
}

TEST(JsonTest, RefusesWhatParsersDisagreeOn) {
  EXPECT_THAT(ReadJudgeQuestion(R"({"text": "a", "text": "b"})").error().detail,
              HasSubstr("twice"));
  EXPECT_THAT(ReadJudgeQuestion("{\"text\": \"\xC3\x28\"}").error().detail,
              HasSubstr("not UTF-8 at byte 10"));
  EXPECT_THAT(ReadJudgeQuestion(std::string(100'000, '[')).error().detail, HasSubstr("deeper"));
  EXPECT_EQ(ReadJudgeQuestion(R"({"text": "\ud800"})").error().code, "invalid-json");
  EXPECT_EQ(ReadJudgeQuestion("{\"text\": \"a\"} x").error().code, "invalid-json");
  EXPECT_EQ(ReadJudgeQuestion("").error().code, "invalid-json");
  EXPECT_EQ(ReadJudgeQuestion("[1]").error().code, "invalid-request");
  // Brackets in strings do not nest.
  EXPECT_TRUE(ReadJudgeQuestion(R"({"text": "[[[[[[[[[[[[[[[[[[[[\"[[[["})"));
}

TEST(JsonTest, SaysWhereItStopsBeingJson) {
  const auto detail = [](const char* body) { return ReadJudgeQuestion(body).error().detail; };
  EXPECT_THAT(detail("{\"text\": \"a\",\n  policies: 1}"),
              HasSubstr("line 2, column 3: invalid literal"));
  EXPECT_THAT(detail("{\"text\": \"a\""), HasSubstr("line 1, column 13: unexpected end of input"));
  const std::string secret = "{\"text\": \"" + std::string(5000, 's');
  EXPECT_LT(detail(secret.c_str()).size(), 300U) << "what was read is not told";
  EXPECT_THAT(detail(R"({"text": 1e999})"), HasSubstr("out of range"));
}

TEST(JsonTest, SaysWhatIsAllowedWithoutSayingItTwice) {
  const Problem unknown = ReadJudgeQuestion(R"({"text": "a", "polices": []})").error();
  EXPECT_EQ(unknown.detail, "\"polices\" is not a field of this request");
  EXPECT_EQ(unknown.hint.find("text"), unknown.hint.rfind("text")) << unknown.hint;
  const Problem range = ReadJudgeQuestion(R"({"text": "a", "timeout_ms": 0})").error();
  EXPECT_EQ(range.detail, "\"timeout_ms\" is not from 1 to 60000");
  EXPECT_EQ(ReadJudgeQuestion(R"({"text": "a", "timeout_ms": "1"})").error().detail,
            "\"timeout_ms\" is not a number");
  EXPECT_THAT(ReadPromoteQuestion(R"({"to": "canary"})").error().hint,
              HasSubstr("\"percent\": 10"));
}

TEST(BatchQuestionTest, NamesTheContentThatIsWrong) {
  EXPECT_TRUE(ReadBatchQuestion(R"({"contents": [{"text": "a"}, {"text": "b", "id": "2"}]})"));
  EXPECT_EQ(ReadBatchQuestion(R"({"contents": [{"text": "a"}, {"txt": "b"}]})").error().pointer,
            "/contents/1/text");
  EXPECT_EQ(ReadBatchQuestion(R"({"contents": []})").error().pointer, "/contents");
  std::string many = R"({"contents": [)";
  for (std::size_t c = 0; c <= kContentsMax; ++c) {
    many += std::string(c == 0 ? "" : ",") + R"({"text": "a"})";
  }
  EXPECT_EQ(ReadBatchQuestion(many + "]}").error().pointer, "/contents");
}

TEST(ModerationQuestionTest, TakesOpenAisThreeShapes) {
  EXPECT_EQ(ReadModerationQuestion(R"({"input": "a", "model": "m"})")->contents.size(), 1U);
  EXPECT_EQ(ReadModerationQuestion(R"({"input": ["a", "b"]})")->contents.size(), 2U);
  const auto parts = ReadModerationQuestion(
      R"({"input": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]})");
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->contents.size(), 1U);
  EXPECT_EQ(parts->contents[0].messages[0].text, "a\nb");
}

TEST(ModerationQuestionTest, DoesNotPassOverAnImage) {
  const auto question = ReadModerationQuestion(
      R"({"input": [{"type": "image_url", "image_url": {"url": "https://a.example/x.png"}}]})");
  ASSERT_FALSE(question);
  EXPECT_THAT(question.error().detail, HasSubstr("image"));
  EXPECT_FALSE(ReadModerationQuestion(R"({"input": ["a", {"type": "text", "text": "b"}]})"));
  EXPECT_FALSE(ReadModerationQuestion(R"({"input": []})"));
  EXPECT_FALSE(ReadModerationQuestion(R"({"input": 3})"));
  EXPECT_FALSE(ReadModerationQuestion(R"({"input": "a", "safety": {"on_undetermined": "x"}})"));
}

TEST(QueryTest, DecodesKnownNamesOnce) {
  const auto query = ReadQuery("policy=a%20b&limit=3", {"policy", "limit"});
  ASSERT_TRUE(query);
  EXPECT_EQ(query->at("policy"), "a b");
  EXPECT_FALSE(ReadQuery("policy=a&policy=b", {"policy"}));
  EXPECT_FALSE(ReadQuery("polcy=a", {"policy"}));
  EXPECT_FALSE(ReadQuery("policy=%zz", {"policy"}));
  EXPECT_FALSE(ReadQuery("policy=%00", {"policy"}));
  EXPECT_FALSE(ReadQuery("policy=%ff", {"policy"}));
  EXPECT_TRUE(ReadQuery("", {}));
}

TEST(PercentDecodeTest, UndoesEveryEncoding) {
  rc::check([](const std::string& text) {
    std::string encoded;
    for (const char c : text) {
      constexpr const char* kDigits = "0123456789ABCDEF";
      const auto byte = static_cast<unsigned char>(c);
      encoded += {'%', kDigits[byte >> 4U], kDigits[byte & 15U]};
    }
    const auto decoded = PercentDecode(encoded, true);
    if (decoded) {
      RC_ASSERT(*decoded == text);
    }
  });
}

class KeysTest : public ::testing::Test {
 protected:
  NewKey Make(const std::string& name, std::set<Scope> scopes) {
    return MakeKey(name, std::move(scopes), 1000, RandomBytes(38));
  }
  int StatusOf(const std::string& secret, std::int64_t now, std::size_t tokens = 0) {
    const auto key = ring.Admit("Bearer " + secret, "", tokens, now);
    return key ? 200 : key.error().status;
  }
  KeyRing ring;
};

TEST_F(KeysTest, AdmitsWhoHasTheKeyUntilItEnds) {
  NewKey made = Make("gateway", {Scope::kJudge});
  made.key.expires = 5000;
  ring.Set({made.key});
  EXPECT_EQ(StatusOf(made.secret, 4999), 200);
  EXPECT_EQ(StatusOf(made.secret, 5000), 401);
  EXPECT_EQ(StatusOf(made.secret + "0", 2000), 401);
  EXPECT_EQ(StatusOf("", 2000), 401);
  EXPECT_EQ(StatusOf(std::string(10'000, 'a'), 2000), 401);
  EXPECT_TRUE(ring.Admit("", made.secret, 0, 2000)) << "X-API-Key";
}

TEST_F(KeysTest, TheFileOpensNothing) {
  const NewKey made = Make("gateway", {Scope::kJudge, Scope::kReview});
  const std::string file = WriteKeys({made.key});
  EXPECT_EQ(file.find(made.secret.substr(16)), std::string::npos);
  ring.Set({made.key});
  EXPECT_EQ(StatusOf(made.key.hash, 2000), 401) << "the hash is no key";
  const auto read = ReadKeys(file);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, std::vector{made.key});
  EXPECT_FALSE(ReadKeys(file.substr(0, file.size() / 2)));
  EXPECT_FALSE(ReadKeys("{}"));
  EXPECT_FALSE(ReadKeys(R"({"format": "safeguard-keys-1", "keys": [{"id": "a"}]})"));
}

TEST_F(KeysTest, AdminMayEverythingAndOthersWhatTheirScopesSay) {
  const ApiKey admin = Make("root", {Scope::kAdmin}).key;
  const ApiKey judge = Make("gateway", {Scope::kJudge}).key;
  EXPECT_TRUE(admin.Has(Scope::kPolicyWrite));
  EXPECT_TRUE(judge.Has(Scope::kJudge));
  EXPECT_FALSE(judge.Has(Scope::kReview));
}

TEST_F(KeysTest, AQuotaRefillsWithTime) {
  NewKey made = Make("gateway", {Scope::kJudge});
  made.key.requests_per_minute = 2;
  ring.Set({made.key});
  EXPECT_EQ(StatusOf(made.secret, 10'000), 200);
  EXPECT_EQ(StatusOf(made.secret, 10'000), 200);
  const auto third = ring.Admit("Bearer " + made.secret, "", 0, 10'000);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().status, 429);
  EXPECT_EQ(third.error().retry_after, 30);
  ring.Set({made.key});
  EXPECT_EQ(StatusOf(made.secret, 10'000), 429) << "reading the keys again refills nothing";
  EXPECT_EQ(StatusOf(made.secret, 40'000), 200);
}

TEST_F(KeysTest, AQuotaOfTokensIsPaidForByWhatIsSentAndWhatIsWritten) {
  NewKey made = Make("gateway", {Scope::kJudge});
  made.key.tokens_per_minute = 600;
  ring.Set({made.key});
  const auto first = ring.Admit("Bearer " + made.secret, "", 150, 10'000);
  ASSERT_TRUE(first);
  EXPECT_EQ(FindHeader(first->quota, "x-ratelimit-limit-tokens"), "600");
  EXPECT_EQ(FindHeader(first->quota, "x-ratelimit-remaining-tokens"), "450");
  EXPECT_EQ(FindHeader(first->quota, "x-ratelimit-reset-tokens"), "15s");
  EXPECT_EQ(FindHeader(first->quota, "x-ratelimit-limit-requests"), "") << "it has no such quota";
  ring.Charge(made.key.id, 400, 10'000);
  const auto second = ring.Admit("Bearer " + made.secret, "", 100, 10'000);
  ASSERT_FALSE(second) << "50 are left";
  EXPECT_EQ(second.error().status, 429);
  EXPECT_EQ(second.error().retry_after, 5);
  EXPECT_EQ(FindHeader(second.error().headers, "x-ratelimit-remaining-tokens"), "50");
  EXPECT_EQ(StatusOf(made.secret, 15'000, 100), 200);
}

TEST_F(KeysTest, WhatNoMinuteHoldsIsLetInOnceAndPaidForAfterwards) {
  NewKey made = Make("gateway", {Scope::kJudge});
  made.key.tokens_per_minute = 600;
  ring.Set({made.key});
  EXPECT_EQ(StatusOf(made.secret, 0, 1200), 200);
  EXPECT_EQ(StatusOf(made.secret, 60'000, 1), 429);
  EXPECT_EQ(StatusOf(made.secret, 61'000, 1), 200);
  EXPECT_EQ(StatusOf(made.secret, 61'000, 1200), 429) << "not before a whole minute is there";
}

TEST_F(KeysTest, ATenantIsKeptWithTheKeyAndNoOlderProgramReadsOverIt) {
  NewKey plain = Make("a", {Scope::kJudge});
  NewKey acme = Make("b", {Scope::kAdmin});
  acme.key.tenant = "acme";
  acme.key.tokens_per_minute = 5;
  EXPECT_NE(WriteKeys({plain.key}).find("safeguard-keys-1"), std::string::npos);
  const std::string file = WriteKeys({plain.key, acme.key});
  EXPECT_NE(file.find("safeguard-keys-2"), std::string::npos);
  EXPECT_EQ(*ReadKeys(file), (std::vector{plain.key, acme.key}));
  ring.Set({plain.key, acme.key});
  EXPECT_THAT(ring.tenants(), ElementsAre("acme"));
  EXPECT_FALSE(CheckTenant("Acme"));
  EXPECT_FALSE(CheckTenant("../x"));
  EXPECT_FALSE(CheckTenant(""));
  EXPECT_TRUE(CheckTenant("*"));
  std::string bad = file;
  bad.replace(bad.find("\"acme\""), 6, "\"a/me\"");
  EXPECT_FALSE(ReadKeys(bad));
}

TEST(IdempotencyTest, OneNameIsOneBodyAndOneAnswer) {
  std::int64_t now = 0;
  Idempotency kept([&] { return now; });
  EXPECT_FALSE(kept.Begin("k", "body").response);
  EXPECT_EQ(kept.Begin("k", "body").problem->status, 409) << "still at work";
  EXPECT_EQ(kept.Begin("k", "other").problem->status, 422);
  Response answer;
  answer.body = "first";
  kept.End("k", answer);
  EXPECT_EQ(kept.Begin("k", "body").response->body, "first");
  now = Idempotency::kKeptMs + 1;
  EXPECT_FALSE(kept.Begin("k", "other").problem) << "a day later it is forgotten";
}

TEST(IdempotencyTest, AnAnswerThatAsksToTryAgainIsNotKept) {
  Idempotency kept([] { return 0; });
  EXPECT_FALSE(kept.Begin("k", "body").problem);
  Response overloaded;
  overloaded.status = 429;
  kept.End("k", overloaded);
  const auto again = kept.Begin("k", "body");
  EXPECT_FALSE(again.response || again.problem);
}

TEST(IdempotencyTest, NeverKeepsMoreThanItMay) {
  Idempotency kept([] { return 0; });
  for (std::size_t i = 0; i <= Idempotency::kKeptMax; ++i) {
    kept.Begin(std::to_string(i), "body");
  }
  kept.Begin("one more", "body");
  EXPECT_FALSE(kept.Begin("0", "other").problem) << "the oldest went";
}

}  // namespace
}  // namespace safeguard::http
