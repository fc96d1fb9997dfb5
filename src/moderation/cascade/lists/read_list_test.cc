#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/utc_time.h"
#include "moderation/lists.h"

namespace safeguard::moderation {
namespace {

using ::testing::HasSubstr;

const std::string kWho = R"("reason": "known scam", "added_by": "ada")";

Result<List> Read(const std::string& bytes) {
  return ReadList(bytes, "scams");
}

std::string ErrorOf(const std::string& fields) {
  const Result<List> list = Read("{" + fields + "}");
  return list ? "" : Describe(list.error());
}

TEST(ReadList, TakesEveryKindOfEntry) {
  const std::string hash(64, 'a');
  const List list =
      Read(R"({"id": "t1", "term": "Free Money", "match": "prefix", "action": "violation",)"
           R"( "policy": "spam", "rules": ["SP2.a"], "category": "SP2", "added": "2026-11-01",)"
           R"( "expires": "2027-01-01", )" +
           kWho + "}\n\n" + R"({"id": "a1", "allow": "free money advice", )" + kWho + "}\r\n" +
           R"({"id": "h1", "exact": ")" + hash + R"(", "action": "safe", )" + kWho + "}\n" +
           R"({"id": "n1", "near": "mh1:50:)" + std::string(256, '0') +
           R"(", "similarity": 0.9, "action": "review", )" + kWho + "}")
          .value();
  ASSERT_EQ(list.entries.size(), 4U);
  const ListEntry& term = list.entries[0];
  EXPECT_EQ(term.value, "Free Money");
  EXPECT_EQ(term.match, TermMatch::kPrefix);
  EXPECT_EQ(term.policy, "spam");
  EXPECT_EQ(term.expires, ParseUtc("2027-01-01").value());
  EXPECT_EQ(list.entries[1].kind, ListKind::kAllow);
  EXPECT_EQ(list.entries[1].policy, "*");
  EXPECT_EQ(list.entries[2].action, ListEffect::kSafe);
  EXPECT_EQ(list.entries[3].similarity, 0.9);
  EXPECT_EQ(list.entries[3].action, ListEffect::kSuspect);
  EXPECT_EQ(list.entries[3].line, 5U);
}

TEST(ReadList, SaysWhatIsWrongAndWhere) {
  EXPECT_THAT(Describe(Read("\n\nnonsense").error()), HasSubstr("scams.jsonl:3: the line is not"));
  EXPECT_THAT(ErrorOf(R"("id": "t", "term": "x", "action": "violation", "added_by": "ada")"),
              HasSubstr("reason is missing"));
  EXPECT_THAT(ErrorOf(R"("id": "t", "term": "x", "action": "block", )" + kWho),
              HasSubstr("violation, safe or review"));
  EXPECT_THAT(
      ErrorOf(R"("id": "t", "term": "x", "action": "violation", "expire": "2026-01-01", )" + kWho),
      HasSubstr("there is no field \"expire\""));
  EXPECT_THAT(
      ErrorOf(R"("id": "t", "term": "x", "action": "violation", "expires": "next week", )" + kWho),
      HasSubstr("expires is no time"));
  EXPECT_THAT(ErrorOf(R"("id": "t", "term": "x", "allow": "y", "action": "violation", )" + kWho),
              HasSubstr("lists several things"));
  EXPECT_THAT(ErrorOf(R"("id": "t", "term": " ", "action": "violation", )" + kWho),
              HasSubstr("1 to 256 bytes"));
  EXPECT_THAT(ErrorOf(R"("id": "t", "exact": "abc", "action": "violation", )" + kWho),
              HasSubstr("64 hexadecimal digits"));
  EXPECT_THAT(ErrorOf(R"("id": "t", "term": "x", "action": "violation", "rules": ["R1"], )" + kWho),
              HasSubstr("rules belong to a policy"));
}

TEST(ReadList, ATermClearsNoContent) {
  EXPECT_THAT(ErrorOf(R"("id": "t", "term": "hello", "action": "safe", )" + kWho),
              HasSubstr("only exact may call a content safe"));
}

TEST(ReadList, AnIdStandsOnce) {
  const std::string line = R"({"id": "t1", "term": "x", "action": "violation", )" + kWho + "}\n";
  EXPECT_THAT(Describe(Read(line + line).error()), HasSubstr(":2: the id t1 stands in line 1"));
}

TEST(ReadList, HasLimits) {
  const std::string long_line(kListLineBytesMax + 1, 'x');
  EXPECT_THAT(Describe(Read(long_line + "\n" + long_line).error()),
              HasSubstr(":1: the line is longer than 16 KiB (and 1 more)"));
}

TEST(EntryLine, IsReadBackAsTheSame) {
  ListEntry entry;
  entry.id = "n1";
  entry.kind = ListKind::kNear;
  entry.value = "mh1:60:" + std::string(256, 'f');
  entry.similarity = 0.85;
  entry.policy = "spam";
  entry.rules = {"SP2.a", "SP3"};
  entry.reason = "a \"quoted\" reason,\nwith a line";
  entry.added_by = "ada";
  entry.expires = ParseUtc("2027-01-01T12:00:00.5Z").value_or(1798804800000);
  const List list = Read(EntryLine(entry)).value();
  ASSERT_EQ(list.entries.size(), 1U);
  EXPECT_EQ(EntryLine(list.entries[0]), EntryLine(entry));
  EXPECT_EQ(list.entries[0].similarity, 0.85);
}

TEST(LintList, PointsAtWhatIsLikelyNotMeant) {
  const List list =
      Read(R"({"id": "old", "term": "x ray", "action": "review", "expires": "2020-01-01", )" +
           kWho + "}\n" + R"({"id": "ass", "term": "ass", "match": "anywhere", "policy": "p",)" +
           R"( "rules": ["R"], "action": "violation", )" + kWho + "}\n" +
           R"({"id": "twin", "term": "ASS", "policy": "p", "action": "violation", )" + kWho +
           "}\n" + R"({"id": "well", "allow": "X  ray", )" + kWho + "}\n")
          .value();
  std::string all;
  for (const ListProblem& problem : LintList(list, ParseUtc("2026-11-28").value())) {
    EXPECT_FALSE(problem.error);
    all += std::to_string(problem.line) + " " + problem.message + "\n";
  }
  EXPECT_EQ(all,
            "1 old: expired on 2020-01-01 and never hits\n"
            "1 old: is allowed as a whole by well and never hits\n"
            "2 ass: \"ass\" is short and hits inside many words\n"
            "3 twin: is a violation of no rule\n"
            "3 twin: lists what ass lists\n");
}

}  // namespace
}  // namespace safeguard::moderation
