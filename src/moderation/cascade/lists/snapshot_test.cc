// Lists at work: what hits, what decides, what has expired, and that lists change while they
// answer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "base/utc_time.h"
#include "moderation/lists.h"

namespace safeguard::moderation {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::int64_t kToday = ParseUtc("2026-11-28").value();

ListEntry Entry(ListKind kind, const std::string& id, const std::string& value,
                ListEffect action = ListEffect::kViolation) {
  ListEntry entry;
  entry.kind = kind;
  entry.id = id;
  entry.value = value;
  entry.action = action;
  entry.reason = "seen before";
  entry.added_by = "ada";
  return entry;
}

std::shared_ptr<const ListSnapshot> Compile(std::vector<ListEntry> entries) {
  return ListSnapshot::Compile({{"scams", std::move(entries)}}).value();
}

std::vector<ListHit> Match(const ListSnapshot& lists, const Content& content,
                           std::int64_t now = kToday, const std::string& policy = "spam") {
  return lists.Match(content, policy, now).value();
}

std::vector<std::string> Ids(const std::vector<ListHit>& hits) {
  std::vector<std::string> ids;
  for (const ListHit& hit : hits) {
    ids.push_back(hit.entry);
  }
  return ids;
}

const std::string kScam =
    "Dear friend, I am the widow of a minister and wish to move eleven million dollars out of the "
    "country. Send me your account number and you will keep a third of the money.";

TEST(ListSnapshot, AHitSaysAllThatAVerdictNeeds) {
  ListEntry entry = Entry(ListKind::kTerm, "t1", "free money");
  entry.policy = "spam";
  entry.rules = {"SP2.a"};
  entry.category = "SP2";
  const std::string text = "Get FREE  money now, free money!";
  const std::vector<ListHit> hits = Match(*Compile({entry}), UserMessage(text));
  ASSERT_EQ(hits.size(), 1U);
  EXPECT_EQ(hits[0].effect, ListEffect::kViolation);
  EXPECT_EQ(hits[0].list, "scams");
  EXPECT_EQ(hits[0].entry, "t1");
  EXPECT_EQ(hits[0].reason, "seen before");
  EXPECT_EQ(hits[0].category, "SP2");
  EXPECT_THAT(hits[0].rule_ids, ElementsAre("SP2.a"));
  ASSERT_EQ(hits[0].evidence.size(), 2U);
  EXPECT_EQ(hits[0].evidence[0].text, "FREE  money");
  EXPECT_EQ(hits[0].evidence[0].start, 4U);
  EXPECT_THAT(Match(*Compile({entry}), UserMessage(text), kToday, "other"), IsEmpty());
}

TEST(ListSnapshot, DisguisesAreSeenThroughAndShownAsTheyStand) {
  const auto lists = Compile({Entry(ListKind::kTerm, "t1", "free money")});
  for (const std::string text : {"get f r e e  m o n e y here", "get fr33 m0n3y here",
                                 "get f\u200bree mon\u00adey here", "get ｆｒｅｅ money here"}) {
    const std::vector<ListHit> hits = Match(*lists, UserMessage(text));
    ASSERT_EQ(hits.size(), 1U) << text;
    ASSERT_EQ(hits[0].evidence.size(), 1U) << text;
    const Evidence& evidence = hits[0].evidence[0];
    EXPECT_EQ(evidence.text, text.substr(4, text.size() - 9)) << text;
    EXPECT_EQ(text.substr(evidence.start, evidence.end - evidence.start), evidence.text);
  }
}

TEST(ListSnapshot, KnownContentIsFoundThroughDisguises) {
  const auto lists =
      Compile({Entry(ListKind::kExact, "h1", ExactHash("Buy my Pills", ListEffect::kViolation))});
  EXPECT_THAT(Ids(Match(*lists, UserMessage(" buy MY\npills "))), ElementsAre("h1"));
  EXPECT_THAT(Ids(Match(*lists, UserMessage("b\u200buy my pi\u200blls"))), ElementsAre("h1"));
  EXPECT_THAT(Match(*lists, UserMessage("buy my pills!")), IsEmpty());
  EXPECT_TRUE(Match(*lists, UserMessage("buy my pills"))[0].evidence.empty()) << "all of it";
}

TEST(ListSnapshot, NothingHidesInWhatWasCleared) {
  const std::string cleared = "our weekly newsletter";
  const auto lists = Compile(
      {Entry(ListKind::kExact, "ok", ExactHash(cleared, ListEffect::kSafe), ListEffect::kSafe)});
  EXPECT_THAT(Ids(Match(*lists, UserMessage("Our weekly  newsletter"))), ElementsAre("ok"));
  EXPECT_THAT(Match(*lists, UserMessage(cleared + "\U000E0069\U000E0067")), IsEmpty())
      << "what a reader does not see, a model reads";
  Content conversation;
  conversation.kind = ContentKind::kConversation;
  conversation.messages = {{Role::kUser, cleared}, {Role::kAssistant, "anything"}};
  EXPECT_THAT(Match(*lists, conversation), IsEmpty());
}

TEST(ListSnapshot, NearDuplicatesHit) {
  const auto lists = Compile({Entry(ListKind::kNear, "n1", NearFingerprint(kScam).value())});
  std::string changed = kScam;
  changed.replace(changed.find("eleven"), 6, "twelve");
  EXPECT_THAT(Ids(Match(*lists, UserMessage(changed))), ElementsAre("n1"));
  EXPECT_THAT(Match(*lists, UserMessage("I am a widow and wish to move to the country.")),
              IsEmpty());
  Content conversation;
  conversation.kind = ContentKind::kConversation;
  conversation.messages = {{Role::kUser, "hello"}, {Role::kUser, changed}};
  const std::vector<ListHit> hits = Match(*lists, conversation);
  ASSERT_EQ(hits.size(), 1U);
  ASSERT_EQ(hits[0].evidence.size(), 1U);
  EXPECT_EQ(hits[0].evidence[0].message, 1U);
}

TEST(ListSnapshot, AnExpiredEntryNeverHits) {
  for (const ListKind kind :
       {ListKind::kTerm, ListKind::kExact, ListKind::kNear, ListKind::kAllow}) {
    const bool allows = kind == ListKind::kAllow;
    ListEntry entry = Entry(kind, "e",
                            kind == ListKind::kExact  ? ExactHash(kScam, ListEffect::kViolation)
                            : kind == ListKind::kNear ? NearFingerprint(kScam).value()
                                                      : "minister");
    entry.expires = kToday;
    const auto lists =
        allows ? Compile({entry, Entry(ListKind::kTerm, "t", "minister")}) : Compile({entry});
    EXPECT_EQ(Match(*lists, UserMessage(kScam), kToday - 1).size(), allows ? 0U : 1U);
    EXPECT_EQ(Match(*lists, UserMessage(kScam), kToday).size(), allows ? 1U : 0U);
  }
}

TEST(ListSnapshot, ViolationsComeFirst) {
  const auto lists = Compile({Entry(ListKind::kTerm, "look", "widow", ListEffect::kSuspect),
                              Entry(ListKind::kTerm, "bad", "account number")});
  EXPECT_THAT(Ids(Match(*lists, UserMessage(kScam))), ElementsAre("bad", "look"));
}

TEST(ListSnapshot, AllowedPhrasesOfOneListHoldForTheTermsOfAnother) {
  const auto lists =
      ListSnapshot::Compile({{"terms", {Entry(ListKind::kTerm, "t", "sex")}},
                             {"allowed", {Entry(ListKind::kAllow, "a", "sex education")}}})
          .value();
  EXPECT_THAT(Match(*lists, UserMessage("Sex education in schools")), IsEmpty());
  EXPECT_EQ(Match(*lists, UserMessage("sex")).size(), 1U);
}

TEST(ListSnapshot, SaysWhatItDoesNotRead) {
  const auto lists = Compile({Entry(ListKind::kTerm, "t", "x")});
  const auto hits =
      lists->Match(UserMessage(std::string(kListMessageBytesMax + 1, 'a')), "spam", kToday);
  EXPECT_EQ(hits.error().code, ErrorCode::kLimit);
  EXPECT_EQ(ListSnapshot::Compile({{"a", {}}, {"a", {}}}).error().code, ErrorCode::kInvalidInput);
}

TEST(ListSnapshot, PlacesLieInTheOriginalAndAllowingNeverAddsAHit) {
  const auto piece =
      rc::gen::element<std::string>("f", "r", "e", "e", "3", " ", "  ", "é", "\u200b", "ｆ", "е",
                                    "free", "freed", "@", "中", "😀");
  const auto text = rc::gen::map(rc::gen::container<std::vector<std::string>>(piece),
                                 [](const std::vector<std::string>& pieces) {
                                   std::string joined;
                                   for (const std::string& each : pieces) {
                                     joined += each;
                                   }
                                   return joined;
                                 });
  EXPECT_TRUE(rc::check([&] {
    std::vector<ListEntry> entries = {Entry(ListKind::kTerm, "word", "free"),
                                      Entry(ListKind::kTerm, "part", "re")};
    entries[1].match = TermMatch::kAnywhere;
    const std::string content = *text;
    const std::vector<ListHit> before = Match(*Compile(entries), UserMessage(content));
    for (const ListHit& hit : before) {
      RC_ASSERT(!hit.evidence.empty());
      for (const Evidence& evidence : hit.evidence) {
        RC_ASSERT(evidence.start < evidence.end && evidence.end <= content.size());
        RC_ASSERT(content.substr(evidence.start, evidence.end - evidence.start) == evidence.text);
      }
    }
    entries.push_back(Entry(ListKind::kAllow, "ok",
                            *rc::gen::element<std::string>("free", "freed", "e", "f r", "中")));
    const std::vector<std::string> after = Ids(Match(*Compile(entries), UserMessage(content)));
    for (const std::string& id : after) {
      const std::vector<std::string> ids = Ids(before);
      RC_ASSERT(std::ranges::find(ids, id) != ids.end());
    }
  }));
}

TEST(LiveLists, AreReplacedWhileTheyAnswer) {
  const auto with = Compile({Entry(ListKind::kTerm, "t", "pills")});
  const auto without = Compile({});
  LiveLists live(with, [] { return kToday; });
  Policy policy;
  policy.id = "spam";
  std::atomic<bool> stop = false;
  std::thread reloads([&] {
    for (int i = 0; i < 500; ++i) {
      live.Replace(i % 2 == 0 ? without : with);
    }
    stop = true;
  });
  while (!stop) {
    const auto hits = live.Match(UserMessage("pills"), policy);
    ASSERT_TRUE(hits);
    EXPECT_LE(hits->size(), 1U);
  }
  reloads.join();
  live.Replace(without);
  EXPECT_THAT(live.Match(UserMessage("pills"), policy).value(), IsEmpty());
}

}  // namespace
}  // namespace safeguard::moderation
