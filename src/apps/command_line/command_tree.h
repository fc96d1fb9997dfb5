// The commands, their options and their help: the only description of the command line. Parsing,
// help, suggestions and shell completion all come from it.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "apps/command_line/arguments.h"
#include "apps/exit_code.h"

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11 names it
class App;
}

namespace safeguard::apps {

// What to print instead of running a command: help or version on success, else the reason.
struct ParseEnd {
  ExitCode code = ExitCode::kSafe;
  std::string out;
  Error error{};  // when code is not kSafe
};

using Invocation =
    std::variant<ParseEnd, ClassifyArguments, BatchArguments, EvalArguments, EvalRescoreArguments,
                 EvalCompareArguments, PolicyShowArguments, PolicyLintArguments,
                 PolicyListArguments, PolicyWarmArguments, ModelInfoArguments, ModelVerifyArguments,
                 ModelSynthArguments, ModelTokensArguments, ModelPullArguments,
                 ModelLogitsArguments, ModelGenerateArguments, BenchArguments, VersionArguments,
                 CompletionArguments>;

class CommandTree {
 public:
  CommandTree();
  ~CommandTree();
  CommandTree(const CommandTree&) = delete;
  CommandTree& operator=(const CommandTree&) = delete;

  // `arguments` without the program's name. To be called once.
  Invocation Parse(const std::vector<std::string>& arguments);

  [[nodiscard]] const CLI::App& app() const { return *app_; }

 private:
  void AddClassify();
  void AddBatch();
  void AddEval();  // eval_commands.cc
  void AddPolicy();
  void AddPolicyWarm(CLI::App& policy);
  void AddModelGroup();  // model_commands.cc
  void AddBench();       // model_commands.cc
  void AddVersion();
  [[nodiscard]] Invocation Selected();

  std::unique_ptr<CLI::App> app_;
  ClassifyArguments classify_;
  BatchArguments batch_;
  EvalArguments eval_;
  EvalRescoreArguments rescore_;
  EvalCompareArguments compare_;
  PolicyShowArguments show_;
  PolicyLintArguments lint_;
  PolicyListArguments list_;
  PolicyWarmArguments warm_;
  ModelInfoArguments model_info_;
  ModelVerifyArguments model_verify_;
  ModelSynthArguments model_synth_;
  ModelTokensArguments model_tokens_;
  ModelPullArguments pull_;
  ModelLogitsArguments model_logits_;
  ModelGenerateArguments model_generate_;
  BenchArguments bench_;
  VersionArguments version_;
  CompletionArguments completion_;
};

}  // namespace safeguard::apps
