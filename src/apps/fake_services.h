// Stand-ins for tests: a judge that calls whatever holds "bad" a violation, a console in memory and
// two shipped policies.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "apps/output/console.h"
#include "apps/services.h"
#include "base/hash.h"
#include "moderation/receipt.h"

namespace safeguard::apps {

class FakePrepared final : public moderation::PreparedPolicy {
 public:
  FakePrepared(moderation::Policy policy, std::size_t golden)
      : policy_(std::move(policy)), golden_(golden) {}
  [[nodiscard]] const moderation::Policy& policy() const override { return policy_; }
  [[nodiscard]] std::size_t golden() const { return golden_; }

 private:
  moderation::Policy policy_;
  std::size_t golden_;
};

class FakeJudge final : public moderation::Judge {
 public:
  // `joint`: as a reasoner that is asked about all policies in one prompt.
  explicit FakeJudge(std::function<void()> before_decide = {}, bool joint = false)
      : before_decide_(std::move(before_decide)), joint_(joint) {}

  Result<std::shared_ptr<const moderation::PreparedPolicy>> Prepare(
      const moderation::Policy& policy, std::span<const moderation::GoldenCase> golden) override {
    return std::make_shared<FakePrepared>(policy, golden.size());
  }

  std::vector<moderation::Verdict> Decide(
      std::span<const std::shared_ptr<const moderation::PreparedPolicy>> policies,
      std::span<const moderation::Content> contents) override {
    if (before_decide_) {
      before_decide_();
    }
    std::vector<moderation::Verdict> verdicts;
    for (const moderation::Content& content : contents) {
      for (const auto& policy : policies) {
        verdicts.push_back(DecideOne(policy->policy(), content));
        if (joint_ && policies.size() > 1) {
          Join(policies, verdicts.back());
        }
      }
    }
    return verdicts;
  }

 private:
  // The answer depends on all policies of the prompt and on their order.
  static void Join(std::span<const std::shared_ptr<const moderation::PreparedPolicy>> policies,
                   moderation::Verdict& verdict) {
    std::vector<const moderation::Policy*> asked;
    std::string prompt;
    for (const auto& policy : policies) {
      asked.push_back(&policy->policy());
      prompt += policy->policy().id + ' ' + policy->policy().hash + ' ';
    }
    verdict.decided_by.settings.insert(moderation::JointPoliciesSetting(asked));
    verdict.decided_by.settings["prompt_ids"] = Blake2bHex(prompt);
  }

  static moderation::Verdict DecideOne(const moderation::Policy& policy,
                                       const moderation::Content& content) {
    if (moderation::IsBlank(content)) {
      return moderation::Undetermined(policy.Reference(),
                                      moderation::UndeterminedReason::kEmptyContent,
                                      "there is nothing to judge");
    }
    moderation::Verdict verdict;
    verdict.policy = policy.Reference();
    verdict.outcome = moderation::Outcome::kSafe;
    verdict.reason = moderation::UndeterminedReason::kNone;
    verdict.score = 0.125;
    verdict.rationale = "nothing bad in it";
    verdict.decided_by = {"screen", "fake", ""};
    verdict.view = "original";
    verdict.timings_ms["total"] = 1.5;
    for (std::size_t m = 0; m < content.messages.size(); ++m) {
      const std::size_t at = content.messages[m].text.find("bad");
      if (at != std::string::npos) {
        verdict.outcome = moderation::Outcome::kViolation;
        verdict.score = 0.875;
        verdict.category = "X1";
        verdict.rule_ids = {"X1.a"};
        verdict.rationale = "breaks X1.a";
        verdict.evidence.push_back({m, at, at + 3, "bad"});
      }
    }
    return verdict;
  }

  std::function<void()> before_decide_;
  bool joint_;
};

class FakeServices final : public Services {
 public:
  Result<std::unique_ptr<moderation::Judge>> OpenJudge(const JudgeChoice& choice) override {
    ++judges_opened;
    last_choice = choice;
    if (!model_there) {
      return Fail(ErrorCode::kNotFound, "the model is not in here", "run ./demo.sh");
    }
    return std::make_unique<FakeJudge>(before_decide, choice.joint);
  }
  Result<std::vector<std::unique_ptr<moderation::Judge>>> OpenReasoners(
      std::span<const JudgeChoice> choices) override {
    std::vector<std::unique_ptr<moderation::Judge>> judges;
    for (const JudgeChoice& choice : choices) {
      auto judge = OpenJudge(choice);
      if (!judge) {
        return std::unexpected(judge.error());
      }
      judges.push_back(std::move(*judge));
    }
    return judges;
  }
  Result<RouteGuards> OpenGuards(const std::vector<std::string>&) override { return RouteGuards{}; }
  Result<std::vector<WarmReport>> WarmPolicies(
      const JudgeChoice& choice, std::span<const moderation::Policy* const> policies) override {
    last_choice = choice;
    if (!model_there) {
      return Fail(ErrorCode::kNotFound, "the model is not in here", "run ./demo.sh");
    }
    std::vector<WarmReport> reports;
    for (const moderation::Policy* policy : policies) {
      reports.push_back({policy->id, policy->text.size(), reports.empty(), 1.5});
    }
    return reports;
  }
  Result<moderation::TokenCounter> OpenTokenCounter(const std::string&) override {
    if (!model_there) {
      return Fail(ErrorCode::kNotFound, "the ranks are not in here", "run ./demo.sh");
    }
    return [](std::string_view text) { return text.size() / 4; };
  }
  Result<moderation::TokenCounter> OpenScreenTokenCounter(const std::string& model) override {
    return OpenTokenCounter(model);
  }
  Result<std::string> JudgeIdentity(const JudgeChoice& choice) override {
    const Result<ModelFile> model = FindModel(choice.model);
    return model ? Result<std::string>(model->sha256) : std::unexpected(model.error());
  }
  Result<ModelFile> FindModel(const std::string&) override {
    if (!model_there) {
      return Fail(ErrorCode::kNotFound, "the model is not in here", "run ./demo.sh");
    }
    return ModelFile{"/models/fake", model_hash};
  }
  std::string ScreenKernels() override { return screen_kernels; }
  std::string ReasonerKernels() override { return "fake too"; }
  std::span<const EmbeddedFile> shipped_policies() override { return kShipped; }

  bool model_there = true;
  int judges_opened = 0;
  JudgeChoice last_choice;
  std::string model_hash = std::string(64, 'a');
  std::string screen_kernels = "fake";
  std::function<void()> before_decide;

 private:
  static constexpr EmbeddedFile kShipped[] = {
      {"alpha/golden.jsonl",
       "{\"id\": \"a1\", \"text\": \"a bad one\", \"expected\": \"violation\"}\n"
       "{\"id\": \"a2\", \"text\": \"a fine one\", \"expected\": \"safe\"}\n"
       "{\"id\": \"a3\", \"text\": \"another bad one\", \"expected\": \"violation\"}\n"
       "{\"id\": \"a4\", \"text\": \"another fine one\", \"expected\": \"safe\"}\n"
       "{\"id\": \"a5\", \"text\": \"bad again\", \"expected\": \"violation\"}\n"
       "{\"id\": \"a6\", \"text\": \"fine again\", \"expected\": \"safe\"}\n"},
      {"alpha/policy.md", "# Alpha\n\n## Violates\n- X1.a Whatever is bad.\n"},
      {"beta/policy.md", "# Beta\n\n## Violates\n- X1.a Whatever is bad.\n"},
  };
};

class FakeConsole final : public Console {
 public:
  void Out(std::string_view text) override { out += text; }
  void Error(std::string_view text) override { error += text; }
  Result<std::string> ReadInput(std::size_t) override { return input; }
  [[nodiscard]] Status out_status() const override { return status; }
  [[nodiscard]] bool in_is_terminal() const override { return input_is_terminal; }
  [[nodiscard]] bool out_is_terminal() const override { return terminal; }
  [[nodiscard]] bool error_is_terminal() const override { return terminal; }
  [[nodiscard]] std::size_t columns() const override { return 100; }
  [[nodiscard]] bool color_unwanted() const override { return no_color; }

  std::string input;
  std::string out;
  std::string error;
  Status status;
  bool input_is_terminal = false;
  bool terminal = false;
  bool no_color = false;
};

// A folder of its own, gone with the test; in memory where that can be had, because these tests
// wait for the disk often.
class TestFolder {
 public:
  TestFolder() {
    const std::filesystem::path memory = "/dev/shm";
    const bool in_memory = ::access(memory.c_str(), W_OK) == 0;
    const std::filesystem::path root = in_memory ? memory : std::filesystem::temp_directory_path();
    std::string pattern = (root / "safeguard.XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  [[nodiscard]] std::string Path(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] std::string Write(const std::string& name, const std::string& bytes) const {
    std::ofstream(Path(name), std::ios::binary) << bytes;
    return Path(name);
  }
  [[nodiscard]] std::string Read(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(Path(name), std::ios::binary).rdbuf();
    return text.str();
  }

 private:
  std::string path_;
};

}  // namespace safeguard::apps
