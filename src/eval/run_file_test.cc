#include "eval/run_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "eval/fake_judge.h"

namespace safeguard::eval {
namespace {

using moderation::Outcome;
using ::testing::HasSubstr;

class RunFile : public testing::Test {
 protected:
  RunFile() {
    for (std::size_t i = 0; i < 20; ++i) {
      Record record;
      record.line = i + 1;
      record.content = moderation::UserMessage("text " + std::to_string(i));
      record.content.id = i % 2 == 0 ? "id" + std::to_string(i) : "";
      record.content.language = "en";
      record.expected = i % 3 == 0 ? Outcome::kViolation : Outcome::kSafe;
      record.label = i % 3 == 0 ? "SP2" : "SP0";
      record.level = i % 3 == 0 ? 2 : 0;
      record.tags = {"functionality:x"};
      record.labels = {{"S", true}, {"H", std::nullopt}};
      data_.records.push_back(std::move(record));
    }
    data_.name = "generic";
    data_.path = "data.jsonl";
    data_.hash = std::string(64, 'd');
    policies_ = {FakePolicy()};
  }
  ~RunFile() override { std::filesystem::remove(path_); }

  RunHeader Header() const {
    RunHeader header = MakeHeader(data_, policies_);
    header.tool = "safeguard test";
    header.judge = "screen";
    header.judge_identity = "f00d";
    return header;
  }
  Result<std::unique_ptr<RunWriter>> Open(bool restart = false) {
    return RunWriter::Open(path_, Header(), data_.records, restart);
  }
  // Judges with a judge that counts; stops after `stop_after` batches.
  EvaluationRun Run(RunJournal& journal, std::size_t stop_after = 1000) {
    FakeJudge judge([this](const FakePrepared&, const moderation::Content& content) {
      ++judged_[content.messages.front().text];
      moderation::Verdict verdict = FakeVerdict(Outcome::kViolation, 0.75);
      verdict.policy = policies_[0].Reference();
      verdict.rule_ids = {"SP2.a"};
      verdict.tokens = {10, 5, 3, 2};
      return verdict;
    });
    auto prepared = judge.Prepare(policies_[0], {});
    std::atomic<bool> cancel = false;
    RunOptions options{.batch_size = 3,
                       .progress = [&](const Progress& p) { cancel = p.done >= 3 * stop_after; },
                       .cancel = &cancel,
                       .journal = &journal};
    return RunEvaluation(judge, *prepared, data_.records, options);
  }
  std::string Bytes() const {
    std::ostringstream text;
    text << std::ifstream(path_, std::ios::binary).rdbuf();
    return text.str();
  }
  void Write(const std::string& bytes) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
  }

  std::string path_ = testing::TempDir() + "/run-" + std::to_string(::getpid()) + ".jsonl";
  Dataset data_;
  std::vector<moderation::Policy> policies_;
  std::map<std::string, int> judged_;
};

TEST_F(RunFile, KeepsEverythingThatFiguresAreMadeOf) {
  {
    auto writer = Open();
    ASSERT_TRUE(writer) << Describe(writer.error());
    EXPECT_FALSE(Run(**writer).error);
  }
  const auto run = ReadRun(path_);
  ASSERT_TRUE(run) << Describe(run.error());
  EXPECT_TRUE(run->complete());
  EXPECT_EQ(run->header.dataset_hash, data_.hash);
  const RestoredRun restored = Restore(*run, 0);
  EXPECT_EQ(restored.policy.hash, policies_[0].hash);
  ASSERT_EQ(restored.dataset.records.size(), 20U);
  const Record& record = restored.dataset.records[3];
  EXPECT_EQ(record.expected, Outcome::kViolation);
  EXPECT_EQ(record.level, 2);
  EXPECT_EQ(record.content.language, "en");
  EXPECT_EQ(record.tags, data_.records[3].tags);
  ASSERT_EQ(record.labels.size(), 2U);
  EXPECT_EQ(record.labels[0].positive, true);
  EXPECT_FALSE(record.labels[1].positive);
  const moderation::Verdict& verdict = restored.run.results[3].verdict;
  EXPECT_EQ(verdict.outcome, Outcome::kViolation);
  EXPECT_EQ(verdict.score, 0.75);
  EXPECT_EQ(verdict.rule_ids, std::vector<std::string>{"SP2.a"});
  EXPECT_EQ(verdict.tokens.reasoning, 3U);
  EXPECT_EQ(verdict.policy.id, "spam");
  EXPECT_EQ(restored.run.results[3].latency_ms, 2);
  EXPECT_THAT(Bytes(), testing::Not(HasSubstr("text 3")));  // no content
}

TEST_F(RunFile, GoesOnAfterAKillAtAnyByteAndJudgesNothingTwice) {
  {
    auto writer = Open();
    EXPECT_TRUE(Run(**writer, 2).cancelled);
  }
  const std::string bytes = Bytes();
  std::vector<std::size_t> ends;  // of lines
  for (std::size_t at = bytes.find('\n'); at != std::string::npos; at = bytes.find('\n', at + 1)) {
    ends.push_back(at + 1);
  }
  ASSERT_EQ(ends.size(), 7U);  // the header and 6 cases
  for (std::size_t cut = 0; cut <= bytes.size(); cut += 13) {
    Write(bytes.substr(0, cut));
    const auto whole = static_cast<std::size_t>(
        std::ranges::count_if(ends, [cut](std::size_t end) { return end <= cut; }));
    judged_.clear();
    auto writer = Open();
    ASSERT_TRUE(writer) << cut << " " << Describe(writer.error());
    ASSERT_EQ((*writer)->restored(), whole == 0 ? 0 : whole - 1) << cut;
    const std::size_t before = (*writer)->restored();
    const EvaluationRun run = Run(**writer);
    ASSERT_FALSE(run.cancelled);
    ASSERT_EQ(judged_.size(), 20 - before);
    ASSERT_TRUE(std::ranges::all_of(run.results, &CaseResult::judged));
    writer->reset();
    ASSERT_TRUE(ReadRun(path_)->complete());
  }
}

TEST_F(RunFile, ACrossValidationGoesOnToo) {
  FakeJudge judge([](const FakePrepared& prepared, const moderation::Content& content) {
    EXPECT_FALSE(prepared.seen().contains(content.messages.front().text));
    return FakeVerdict(Outcome::kSafe, 0.25);
  });
  std::atomic<bool> cancel = false;
  const auto validate = [&] {
    auto writer = Open();
    EXPECT_TRUE(writer) << Describe(writer.error());
    RunOptions options;
    options.batch_size = 3;
    options.cancel = &cancel;
    options.journal = writer->get();
    options.progress = [&](const Progress& p) {
      cancel = p.done < 20 && judge.batches.size() == 3;
    };
    auto result = CrossValidate(judge, policies_[0], data_.records, {.folds = 5}, options);
    EXPECT_TRUE(result);
    return std::move(result->run);
  };
  EXPECT_TRUE(validate().cancelled);
  cancel = false;
  const EvaluationRun run = validate();
  EXPECT_TRUE(std::ranges::all_of(run.results, &CaseResult::judged));
  std::size_t judged = 0;
  for (const std::size_t batch : judge.batches) {
    judged += batch;
  }
  EXPECT_EQ(judged, 20U) << "none twice";
  const std::size_t prepared = judge.prepared;
  EXPECT_FALSE(validate().cancelled);
  EXPECT_EQ(judge.prepared, prepared) << "nothing was left to judge";
}

TEST_F(RunFile, RefusesWhatIsNotTheSameRun) {
  {
    auto writer = Open();
    Run(**writer);
    const auto second = Open();
    ASSERT_FALSE(second);
    EXPECT_THAT(Describe(second.error()), HasSubstr("another evaluation is writing"));
  }
  data_.path = "moved.jsonl";
  EXPECT_TRUE(Open()) << "the same data elsewhere";
  data_.hash = std::string(64, 'e');
  EXPECT_THAT(Describe(Open().error()), HasSubstr("the data differed"));
  EXPECT_TRUE(Open(true));
  EXPECT_EQ(ReadRun(path_)->cases.size(), 0U) << "begun again";
  policies_[0].hash = std::string(64, 'b');
  EXPECT_THAT(Describe(Open().error()), HasSubstr("the policies"));
  Write("precious notes\n");
  EXPECT_THAT(Describe(Open(true).error()), HasSubstr("is not a run file"));
  EXPECT_EQ(Bytes(), "precious notes\n");
}

TEST_F(RunFile, NamesTheLineThatIsDamaged) {
  {
    auto writer = Open();
    Run(**writer);
  }
  std::string bytes = Bytes();
  const std::size_t second = bytes.find('\n') + 1;
  std::string damaged = bytes;
  damaged[second] = '#';
  Write(damaged);
  EXPECT_THAT(Describe(ReadRun(path_).error()), HasSubstr("line 2: this is not valid JSON"));
  damaged = bytes.substr(0, second) + "{\"case\":0}\n" + bytes.substr(second);
  Write(damaged);
  EXPECT_THAT(Describe(ReadRun(path_).error()), HasSubstr("line 2: this is no case of the run"));
  Write(bytes + bytes.substr(second, bytes.find('\n', second) + 1 - second));
  EXPECT_THAT(Describe(ReadRun(path_).error()), HasSubstr("twice"));
  Write("{\"safeguard_run\":99}\n");
  EXPECT_THAT(Describe(ReadRun(path_).error()), HasSubstr("newer safeguard"));
  Write("[1]\n");
  EXPECT_THAT(Describe(ReadRun(path_).error()), HasSubstr("not a run file"));
}

TEST_F(RunFile, ScoresAgainAtAnotherThreshold) {
  {
    auto writer = Open();
    Run(**writer);
  }
  Result<RecordedRun> run = ReadRun(path_);
  run->cases[4].judged.results[0].verdict.score.reset();
  run->cases[4].judged.results[0].verdict.outcome = Outcome::kUndetermined;
  ApplyThreshold(0.8, *run);
  EXPECT_EQ(Restore(*run, 0).run.results[0].verdict.outcome, Outcome::kSafe);
  EXPECT_TRUE(Restore(*run, 0).run.results[0].verdict.rule_ids.empty());
  EXPECT_EQ(Restore(*run, 0).run.results[4].verdict.outcome, Outcome::kUndetermined);
  ApplyThreshold(0.75, *run);
  EXPECT_EQ(Restore(*run, 0).run.results[0].verdict.outcome, Outcome::kViolation);
}

}  // namespace
}  // namespace safeguard::eval
