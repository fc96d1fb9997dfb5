#include "apps/batch/batch_output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/fake_services.h"

namespace safeguard::apps {
namespace {

using ::testing::HasSubstr;

const nlohmann::json kIdentity = {{"model", "m"}, {"policies", {"p"}}};

Result<std::unique_ptr<BatchOutput>> Open(const TestFolder& folder, bool restart = false,
                                          const nlohmann::json& identity = kIdentity) {
  return BatchOutput::Open({folder.Path("out"), identity, restart});
}

std::string Line(int i) {
  return "line " + std::to_string(i) + std::string(static_cast<std::size_t>(i % 7), '.') + "\n";
}

// Writes lines from where it stands to `end`, a checkpoint after every third.
void WriteLines(BatchOutput& output, int end) {
  Checkpoint position = output.start();
  while (position.entries < static_cast<std::uint64_t>(end)) {
    ASSERT_TRUE(output.Append(Line(static_cast<int>(position.entries))));
    ++position.entries;
    position.complete = position.entries == static_cast<std::uint64_t>(end);
    if (position.entries % 3 == 0 || position.complete) {
      ASSERT_TRUE(output.Commit(position));
    }
  }
}

TEST(BatchOutputTest, GoesOnFromEveryPlaceWhereItCanBeKilled) {
  constexpr int kLines = 12;
  const TestFolder whole;
  WriteLines(**Open(whole), kLines);
  const std::string output = whole.Read("out");
  const std::string journal = whole.Read("out.resume");
  // Killed when `j` bytes of the journal had been written: the output held at least what the last
  // whole checkpoint says, and at most what the next one would have said.
  for (std::size_t j = journal.find('\n') + 1; j <= journal.size(); j += 5) {
    const std::string journal_part = journal.substr(0, j);
    const std::size_t last_line = journal_part.rfind("\"output_bytes\":", journal_part.rfind('\n'));
    const std::size_t least =
        last_line == std::string::npos ? 0 : std::stoul(journal_part.substr(last_line + 15));
    for (std::size_t o = least; o <= std::min(output.size(), least + 40); o += 7) {
      const TestFolder folder;
      ASSERT_EQ(folder.Write("out", output.substr(0, o)), folder.Path("out"));
      ASSERT_EQ(folder.Write("out.resume", journal_part), folder.Path("out.resume"));
      const auto resumed = Open(folder);
      ASSERT_TRUE(resumed) << Describe(resumed.error());
      EXPECT_LE((*resumed)->start().output_bytes, o);
      WriteLines(**resumed, kLines);
      ASSERT_EQ(folder.Read("out"), output) << j << " " << o;
    }
  }
}

TEST(BatchOutputTest, RefusesToGoOnWithSomethingElse) {
  const TestFolder folder;
  WriteLines(**Open(folder), 4);
  const auto other = Open(folder, false, {{"model", "n"}, {"policies", {"p"}}});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::kInvalidInput);
  EXPECT_THAT(other.error().message, HasSubstr("(model)"));
  EXPECT_THAT(other.error().hint, HasSubstr("--restart"));
  EXPECT_EQ(folder.Read("out"), Line(0) + Line(1) + Line(2) + Line(3)) << "nothing was touched";
  ASSERT_TRUE(Open(folder, true, {{"model", "n"}, {"policies", {"p"}}}));
  EXPECT_EQ(folder.Read("out"), "");
}

TEST(BatchOutputTest, RefusesToOverwriteWhatItDidNotWrite) {
  const TestFolder folder;
  ASSERT_EQ(folder.Write("out", "precious\n"), folder.Path("out"));
  const auto output = Open(folder);
  ASSERT_FALSE(output);
  EXPECT_THAT(output.error().message, HasSubstr("is already there"));
  EXPECT_EQ(folder.Read("out"), "precious\n");
  ASSERT_EQ(folder.Write("out.resume", "nonsense\n"), folder.Path("out.resume"));
  EXPECT_EQ(Open(folder).error().code, ErrorCode::kCorruptFile);
}

TEST(BatchOutputTest, OneWriterAtATime) {
  const TestFolder folder;
  const auto first = Open(folder);
  ASSERT_TRUE(first);
  const auto second = Open(folder);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("another batch is writing"));
}

TEST(BatchOutputTest, AFullDiskIsSaidAndCanBeGoneOnFrom) {
  const auto full = BatchOutput::Open({"/dev/full", kIdentity, false});
  ASSERT_TRUE(full);
  EXPECT_FALSE((*full)->resumable());
  const Status written = (*full)->Append("line\n");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(written.error().hint, HasSubstr("make room"));
}

TEST(BatchOutputTest, AnOutputCutByHandGoesOnFromAnEarlierCheckpoint) {
  const TestFolder folder;
  WriteLines(**Open(folder), 9);
  const std::string output = folder.Read("out");
  ASSERT_EQ(folder.Write("out", output.substr(0, output.size() - 5)), folder.Path("out"));
  const auto resumed = Open(folder);
  ASSERT_TRUE(resumed);
  EXPECT_EQ((*resumed)->start().entries, 6U);
  WriteLines(**resumed, 9);
  EXPECT_EQ(folder.Read("out"), output);
}

}  // namespace
}  // namespace safeguard::apps
