// The audit log against those who would change it, against kill -9, and against a full disk.
#include "storage/audit_log.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/signature.h"
#include "storage/audit/entries.h"

namespace safeguard::storage {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class AuditLogTest : public ::testing::Test {
 protected:
  AuditLogTest() {
    const bool in_memory = ::access("/dev/shm", W_OK) == 0;
    std::string pattern = std::string(in_memory ? "/dev/shm" : "/tmp") + "/audit.XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~AuditLogTest() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string PathOf(const std::string& name) const {
    return folder_ + "/audit/" + name;
  }
  [[nodiscard]] std::string ReadBytes(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(PathOf(name), std::ios::binary).rdbuf();
    return text.str();
  }
  void WriteBytes(const std::string& name, const std::string& bytes) const {
    std::ofstream(PathOf(name), std::ios::binary | std::ios::trunc) << bytes;
  }
  [[nodiscard]] std::unique_ptr<AuditLog> Open() const {
    Result<std::unique_ptr<AuditLog>> log = OpenAuditLog(folder_, true);
    EXPECT_TRUE(log) << Describe(log.error());
    return log ? std::move(*log) : nullptr;
  }
  [[nodiscard]] AuditReport Verify(const AuditVerification& verification = {}) const {
    const Result<AuditReport> report = VerifyAuditLog(folder_, verification);
    EXPECT_TRUE(report) << Describe(report.error());
    return report.value_or(AuditReport{});
  }
  // A begin and its checkpoint, then two appends of 2 and 1 verdicts with theirs: 7 entries.
  void MakeSmallLog() const {
    const std::unique_ptr<AuditLog> log = Open();
    EXPECT_TRUE(log->Append(Records(2)));
    EXPECT_TRUE(log->Append(Records(1, "b")));
  }

  static std::vector<moderation::VerdictRecord> Records(int count, const std::string& id = "a") {
    std::vector<moderation::VerdictRecord> records;
    for (int i = 0; i < count; ++i) {
      moderation::VerdictRecord record;
      record.when = 1'000'000;
      record.content_hash = std::string(64, static_cast<char>('0' + i % 10));
      record.content_id = id + std::to_string(i);
      record.policy = {"spam", "3", std::string(64, 'e')};
      record.outcome = moderation::Outcome::kViolation;
      record.reason = moderation::UndeterminedReason::kNone;
      record.score = 0.75;
      record.rule_ids = {"S1.a"};
      record.layer = "screen";
      record.model = "minilm";
      records.push_back(std::move(record));
    }
    return records;
  }

  std::string folder_;
};

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    lines.push_back(line + "\n");
  }
  return lines;
}

std::string Join(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    text += line;
  }
  return text;
}

TEST_F(AuditLogTest, AWholeLogVerifiesAndNamesNoContent) {
  MakeSmallLog();
  const AuditReport report = Verify();
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_EQ(report.entries, 7U);
  EXPECT_EQ(report.verdicts, 3U);
  EXPECT_EQ(report.checkpoints, 3U);
  EXPECT_EQ(report.openings, 3U);
  EXPECT_EQ(report.unacknowledged, 0U);
  const std::string log = ReadBytes("log");
  EXPECT_THAT(log, HasSubstr("\"policy\":\"spam\""));
  EXPECT_THAT(log, Not(HasSubstr(std::string(64, '0') + "\",")));
  EXPECT_THAT(log, Not(HasSubstr("\"a0\"")));
  EXPECT_EQ(report.public_key + "\n", ReadBytes("public_key"));
}

TEST_F(AuditLogTest, TheSecretKeyIsForItsOwnerAlone) {
  MakeSmallLog();
  struct stat status{};
  ASSERT_EQ(::stat(PathOf("key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  ASSERT_EQ(::stat((folder_ + "/audit").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
}

TEST_F(AuditLogTest, EveryChangedByteIsFound) {
  ASSERT_TRUE(Open()->Append(Records(1)));
  const std::string log = ReadBytes("log");
  for (std::size_t at = 0; at < log.size(); ++at) {
    std::string changed = log;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    WriteBytes("log", changed);
    ASSERT_THAT(Verify().findings, Not(IsEmpty())) << "byte " << at;
  }
}

TEST_F(AuditLogTest, EveryRemovedLineIsFound) {
  MakeSmallLog();
  const std::vector<std::string> lines = Lines(ReadBytes("log"));
  for (std::size_t first = 0; first < lines.size(); ++first) {
    for (std::size_t count = 1; first + count <= lines.size(); ++count) {
      std::vector<std::string> fewer = lines;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(first),
                  fewer.begin() + static_cast<std::ptrdiff_t>(first + count));
      WriteBytes("log", Join(fewer));
      ASSERT_THAT(Verify().findings, Not(IsEmpty())) << first << " " << count;
    }
  }
}

TEST_F(AuditLogTest, EverySwapAndRepetitionIsFound) {
  MakeSmallLog();
  const std::vector<std::string> lines = Lines(ReadBytes("log"));
  for (std::size_t i = 0; i < lines.size(); ++i) {
    for (std::size_t j = 0; j < lines.size(); ++j) {
      std::vector<std::string> changed = lines;
      if (i < j) {
        std::swap(changed[i], changed[j]);
      } else {
        changed.insert(changed.begin() + static_cast<std::ptrdiff_t>(j), lines[i]);
      }
      WriteBytes("log", Join(changed));
      ASSERT_THAT(Verify().findings, Not(IsEmpty())) << i << " " << j;
    }
  }
}

TEST_F(AuditLogTest, EveryTailCutIsFound) {
  ASSERT_TRUE(Open()->Append(Records(1)));
  const std::string log = ReadBytes("log");
  for (std::size_t size = 0; size < log.size(); ++size) {
    WriteBytes("log", log.substr(0, size));
    ASSERT_THAT(Verify().findings, Not(IsEmpty())) << size;
  }
}

TEST_F(AuditLogTest, AChainWrittenAnewWithoutTheKeyIsFound) {
  MakeSmallLog();
  const std::vector<std::string> lines = Lines(ReadBytes("log"));
  for (std::size_t changed = 1; changed < lines.size(); ++changed) {
    std::string text;
    std::string hash = audit::FirstHash();
    for (std::size_t i = 0; i < lines.size(); ++i) {
      auto entry = audit::ReadLine(std::string_view(lines[i]).substr(0, lines[i].size() - 1));
      ASSERT_TRUE(entry.has_value());
      if (i == changed) {
        entry->json["outcome"] = "safe";
      }
      const std::string line = audit::Line(hash, entry->json);
      hash = line.substr(0, audit::kHashDigits);
      text += line + "\n";
    }
    WriteBytes("log", text);
    ASSERT_THAT(Verify().findings, Not(IsEmpty())) << changed;
  }
}

TEST_F(AuditLogTest, ALogWrittenAnewWithAnotherKeyIsFoundByTheKeyThatIsTrusted) {
  MakeSmallLog();
  const std::string trusted = Verify().public_key;
  const std::string anchor = *AuditHead(folder_);
  EXPECT_THAT(Verify({trusted, {anchor}}).findings, IsEmpty());
  std::filesystem::remove_all(folder_ + "/audit");
  MakeSmallLog();
  EXPECT_THAT(Verify().findings, IsEmpty());  // the log's own word
  EXPECT_THAT(Verify({trusted, {}}).findings, Not(IsEmpty()));
  EXPECT_THAT(Verify({"", {anchor}}).findings, Not(IsEmpty()));
}

TEST_F(AuditLogTest, AnEarlierStatePutBackWholeIsFoundByAnAnchor) {
  {
    const std::unique_ptr<AuditLog> log = Open();
    ASSERT_TRUE(log->Append(Records(1)));
  }
  const std::string log = ReadBytes("log");
  const std::string head = ReadBytes("head");
  ASSERT_TRUE(Open()->Append(Records(1)));
  const std::string anchor = *AuditHead(folder_);
  WriteBytes("log", log);
  WriteBytes("head", head);
  EXPECT_THAT(Verify().findings, IsEmpty());  // nothing here remembers more
  const AuditReport report = Verify({"", {anchor}});
  ASSERT_THAT(report.findings, Not(IsEmpty()));
  EXPECT_THAT(report.findings[0].what, HasSubstr("its end was cut off"));
}

TEST_F(AuditLogTest, ErasureRemovesWhatACommitmentStandsForAndNothingElse) {
  MakeSmallLog();
  const std::unique_ptr<AuditLog> log = Open();
  const Result<std::size_t> erased =
      log->Erase([](const AuditOpening& opening) { return opening.content_id == "a1"; });
  ASSERT_TRUE(erased);
  EXPECT_EQ(*erased, 1U);
  const AuditReport report = Verify();
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_EQ(report.openings, 2U);
  EXPECT_EQ(report.erased, 1U);
  EXPECT_THAT(ReadBytes("openings"), Not(HasSubstr("\"a1\"")));
  EXPECT_THAT(ReadBytes("log"), HasSubstr("\"kind\":\"erased\",\"entries\":[4]"));
  EXPECT_EQ(*log->Erase([](const AuditOpening&) { return false; }), 0U);
}

TEST_F(AuditLogTest, AnOpeningThatWasChangedIsFound) {
  MakeSmallLog();
  std::string openings = ReadBytes("openings");
  openings.replace(openings.find("\"a1\""), 4, "\"zz\"");
  WriteBytes("openings", openings);
  const AuditReport report = Verify();
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_THAT(report.findings[0].what, HasSubstr("entry 4"));
}

TEST_F(AuditLogTest, AKeyIsRotatedByTheOneBefore) {
  MakeSmallLog();
  const std::string first = Verify().public_key;
  const std::unique_ptr<AuditLog> log = Open();
  ASSERT_TRUE(log->RotateKey());
  ASSERT_TRUE(log->Append(Records(1)));
  const AuditReport report = Verify({first, {}});
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_EQ(report.keys, 2U);
  EXPECT_NE(report.public_key, first);
  EXPECT_EQ(report.public_key + "\n", ReadBytes("public_key"));
  EXPECT_FALSE(std::filesystem::exists(PathOf("key.next")));
  ASSERT_TRUE(Open()->Append(Records(1)));  // the new key is found again
  EXPECT_THAT(Verify().findings, IsEmpty());
}

TEST_F(AuditLogTest, ReceiptsAreSignedWithTheKeyOfNow) {
  EXPECT_FALSE(SignWithAuditKey(folder_, "text")->has_value()) << "no audit log, no key";
  MakeSmallLog();
  const std::string first = Verify().public_key;
  const auto signature = SignWithAuditKey(folder_, "text").value();
  ASSERT_TRUE(signature);
  EXPECT_EQ(signature->key, first);
  EXPECT_TRUE(IsSignedBy(first, "text", signature->value));
  EXPECT_FALSE(IsSignedBy(first, "other", signature->value));
  ASSERT_TRUE(Open()->RotateKey());
  EXPECT_EQ(SignWithAuditKey(folder_, "text").value()->key, Verify().public_key);
  std::ofstream(PathOf("key")) << "no key";
  EXPECT_THAT(SignWithAuditKey(folder_, "text").error().message, HasSubstr("cannot be signed"));
  std::filesystem::remove(PathOf("key"));
  EXPECT_FALSE(SignWithAuditKey(folder_, "text")) << "an audit log without its key is no folder "
                                                     "without one";
}

TEST_F(AuditLogTest, NothingIsAppendedToALogThatIsNotItsOwn) {
  MakeSmallLog();
  const std::string log = ReadBytes("log");
  WriteBytes("log", log.substr(0, log.size() / 2));
  const Result<std::unique_ptr<AuditLog>> cut = OpenAuditLog(folder_, true);
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, ErrorCode::kCorruptFile);
  std::string changed = log;
  changed[changed.size() - 20] = '#';
  WriteBytes("log", changed);
  EXPECT_FALSE(OpenAuditLog(folder_, true));
  WriteBytes("log", log);
  EXPECT_TRUE(OpenAuditLog(folder_, true));
  std::filesystem::remove(PathOf("head"));
  EXPECT_FALSE(OpenAuditLog(folder_, true));
}

TEST_F(AuditLogTest, TwoWritersShareOneChain) {
  const std::unique_ptr<AuditLog> one = Open();
  const std::unique_ptr<AuditLog> two = Open();
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(one->Append(Records(1)));
    ASSERT_TRUE(two->Append(Records(2)));
  }
  const AuditReport report = Verify();
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_EQ(report.verdicts, 15U);
}

TEST_F(AuditLogTest, AnAppendThatIsCutShortAnywhereIsUndoneOrWhole) {
  MakeSmallLog();
  const std::string before = ReadBytes("log");
  const std::string head = ReadBytes("head");
  ASSERT_TRUE(Open()->Append(Records(2)));
  const std::string after = ReadBytes("log");
  for (std::size_t size = before.size(); size <= after.size(); size += 13) {
    WriteBytes("log", after.substr(0, size));
    WriteBytes("head", head);
    EXPECT_THAT(Verify().findings, IsEmpty()) << size;  // it was never acknowledged
    ASSERT_TRUE(Open()->Append(Records(1)));
    const AuditReport report = Verify();
    EXPECT_THAT(report.findings, IsEmpty()) << size;
    EXPECT_EQ(report.verdicts, 4U);
  }
  // Whole, and only its head was not written: it is kept.
  WriteBytes("log", after);
  WriteBytes("head", head);
  ASSERT_TRUE(Open()->Append(Records(1)));
  EXPECT_EQ(Verify().verdicts, 6U);
  EXPECT_THAT(Verify().findings, IsEmpty());
}

// A child appends and reports each acknowledged append; it is killed at some moment.
TEST_F(AuditLogTest, KilledAtAnyMomentNothingAcknowledgedIsLost) {
  static_cast<void>(Open());
  std::size_t acknowledged = 0;
  for (int round = 0; round < 12; ++round) {
    int pipes[2];
    ASSERT_EQ(::pipe(pipes), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(pipes[0]);
      const Result<std::unique_ptr<AuditLog>> log = OpenAuditLog(folder_, true);
      while (log && (*log)->Append(Records(1 + round % 3))) {
        const char done = static_cast<char>(1 + round % 3);
        if (::write(pipes[1], &done, 1) != 1) {
          break;
        }
      }
      ::_exit(0);
    }
    ::close(pipes[1]);
    char counts = 0;
    for (int i = 0; i < 2 + round && ::read(pipes[0], &counts, 1) == 1; ++i) {
      acknowledged += static_cast<std::size_t>(counts);
    }
    ::kill(child, SIGKILL);
    while (::read(pipes[0], &counts, 1) == 1) {
      acknowledged += static_cast<std::size_t>(counts);
    }
    ::close(pipes[0]);
    ::waitpid(child, nullptr, 0);
    ASSERT_THAT(Verify().findings, IsEmpty());
  }
  ASSERT_GT(acknowledged, 20U);
  ASSERT_TRUE(Open()->Append(Records(1)));
  const AuditReport report = Verify();
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_GE(report.verdicts, acknowledged + 1);
  EXPECT_LE(report.verdicts, acknowledged + 1 + 12 * 3);
  EXPECT_EQ(report.erased, 0U);
}

// A file-size limit is a full disk for one process.
TEST_F(AuditLogTest, OnAFullDiskAnAppendFailsAndLeavesTheLogAsItWas) {
  MakeSmallLog();
  const std::string before = ReadBytes("log");
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const Result<std::unique_ptr<AuditLog>> log = OpenAuditLog(folder_, true);
    int bad = log ? 0 : 1;
    for (rlim_t room = 0; log && room < 1500; room += 50) {
      const rlimit limit{before.size() + room, RLIM_INFINITY};
      ::setrlimit(RLIMIT_FSIZE, &limit);
      bad += (*log)->Append(Records(3)).has_value() ? 1 : 0;
    }
    const rlimit none{RLIM_INFINITY, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &none);
    bad += log && (*log)->Append(Records(1)) ? 0 : 1;
    ::_exit(bad);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  const AuditReport report = Verify();
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_EQ(report.verdicts, 4U);
  EXPECT_EQ(ReadBytes("log").substr(0, before.size()), before);
}

}  // namespace
}  // namespace safeguard::storage
