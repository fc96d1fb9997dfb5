// What the command line said, as plain values: the commands know no parser.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/calibration/calibration_choice.h"
#include "apps/input/content_input.h"
#include "apps/judge_choice.h"
#include "apps/output/console.h"
#include "apps/output/report_choice.h"
#include "apps/record_choice.h"
#include "eval/cascade_curve.h"

namespace safeguard::apps {

inline constexpr std::size_t kThreadsMax = 256;
inline constexpr std::size_t kBatchSizeMax = 4096;

// How many threads to use when --threads is not given: the cores this process may use.
std::size_t DefaultThreads();

struct ClassifyArguments {
  ContentRequest content;
  std::vector<std::string> policies;  // empty: all shipped
  std::string golden;                 // for a single policy
  CalibrationChoice calibration;
  std::string data_dir;  // where the store is; empty: $SAFEGUARD_DATA, else no store
  std::string account;   // what the canary's percentage follows; empty: the content
  RecordChoice record;
  JudgeChoice judge{.threads = DefaultThreads()};
  bool show_reasoning = false;
  bool ablation = false;  // ask again without each rule that is cited
  bool json = false;
  ColorMode color = ColorMode::kAuto;
  std::string route;  // a route file: its policies and layers, in place of policies and judge
};

struct BatchArguments {
  std::vector<std::string> policies;  // empty: all shipped
  std::string golden;
  CalibrationChoice calibration;
  std::string data_dir;  // where the store is; empty: $SAFEGUARD_DATA, else no store
  RecordChoice record;
  std::string in;
  std::string out;
  std::string format = "auto";  // auto, jsonl, csv, txt
  std::string text_field;
  std::string id_field;
  std::string surface;   // for records that name none
  std::string language;  // for records that name none
  JudgeChoice judge{.threads = DefaultThreads()};
  std::size_t batch_size = 64;
  bool stats = false;
  bool restart = false;
  std::string route;  // a route file: its policies and layers, in place of policies and judge
};

struct EvalArguments {
  std::vector<std::string> policies;  // several: a violation of any counts
  std::string data_dir;               // where the store is; empty: $SAFEGUARD_DATA, else no store
  std::string golden;  // what the judge learns from; empty: the one beside the policy
  bool no_golden = false;
  std::string data;  // empty: the policy's own golden set, cross-validated
  std::string format = "auto";
  std::string text_field;
  std::string label_field;
  std::vector<std::string> positive_labels;
  std::vector<std::string> map;  // "text=body", several in one with commas
  std::string positive;          // "1,spam"
  std::string negative;
  std::vector<std::string> label_of;  // "POLICY=LABEL"
  CalibrationChoice calibration;
  ReportChoice reports;
  bool any = false;              // several policies as one, also where each has a label of its own
  bool complete_labels = false;  // only records whose every label is known
  std::string prompting;         // separate, joint, both; empty: as the judge says
  std::size_t sample = 0;        // 0: all
  std::uint64_t seed = 1;
  std::string run;  // a run file; empty: nothing is kept
  bool restart = false;
  bool list_datasets = false;
  std::size_t folds = 0;  // 0: no cross-validation
  std::vector<double> thresholds;
  std::size_t errors = 10;
  JudgeChoice judge{.threads = DefaultThreads()};
  bool json = false;
  ColorMode color = ColorMode::kAuto;
};

struct EvalRescoreArguments {
  std::string run;
  std::string policy;               // of a run of several; empty: all of them
  std::optional<double> threshold;  // empty: the outcomes as they were
  std::size_t errors = 10;
  ReportChoice reports;
  bool json = false;
};

struct EvalCompareArguments {
  std::string run_a;
  std::string run_b;
  std::string policy;  // of runs of several policies; empty: the only one
  std::uint64_t seed = 1;
  bool json = false;
};

struct EvalCascadeArguments {
  std::string run;           // of the screen
  std::string reasoner_run;  // empty: a synthetic reasoner
  std::string policy;        // of a run of several policies; empty: the only one
  eval::CurveOptions curve;
  ReportChoice reports;
  bool json = false;
};

struct PolicyShowArguments {
  std::vector<std::string> policies;
  std::string data_dir;
  std::string model;         // whose tokenizer counts for screen_text
  bool screen_text = false;  // print what the trained screen reads instead
  bool json = false;
  ColorMode color = ColorMode::kAuto;
};

struct PolicyLintArguments {
  std::vector<std::string> policies;
  std::string data_dir;
  std::string model;
  bool json = false;
  ColorMode color = ColorMode::kAuto;
};

struct PolicyWarmArguments {
  std::vector<std::string> policies;
  JudgeChoice judge{.judge = "reasoner", .threads = DefaultThreads()};  // joint: in one prompt
  bool json = false;
  ColorMode color = ColorMode::kAuto;
};

struct PolicyListArguments {
  std::string policy;  // its versions; empty: all policies
  std::string data_dir;
  bool json = false;
  bool names = false;  // one a line, for scripts and shell completion
  ColorMode color = ColorMode::kAuto;
};

struct PolicyCalibrateArguments {
  std::string policy;
  std::string data_dir;
  std::string golden;
  std::string out;          // empty: beside the policy's file
  double miss_rate = 0.05;  // 0: no bound
  double confidence = 0.9;
  bool bound_wanted = false;    // --miss-rate or --confidence was given
  std::string method = "auto";  // auto, platt, isotonic
  std::size_t folds = 5;
  JudgeChoice judge{.threads = DefaultThreads()};
  bool json = false;
};

enum class StoreVerb { kPublish, kApprove, kPromote, kRollback, kRetire, kSettings };

// What changes the store.
struct PolicyChangeArguments {
  StoreVerb verb = StoreVerb::kPublish;
  std::string policy;  // "spam", "spam@3", or a file: as the verb takes it
  std::string data_dir;
  std::string who;         // empty: $SAFEGUARD_USER, else the system's user
  std::string note;        // why
  std::string id;          // publish: under this id
  std::string golden;      // publish
  bool no_golden = false;  // publish
  std::string to;          // promote: shadow, canary, active, draft
  double percent = -1;     // promote: of the canary; below 0: not given
  bool whole = false;      // retire: every version
  std::string two_person;  // settings: on, off, store; empty: show
  bool json = false;
};

struct PolicyImportArguments {
  std::vector<std::string> sources;  // folders, or files
  std::string data_dir;
  std::string who;
  std::string note;
  bool json = false;
};

struct PolicyExportArguments {
  std::vector<std::string> policies;  // empty: all
  std::string to;
  std::string data_dir;
  bool overwrite = false;
  bool json = false;
};

struct PolicyLogArguments {
  std::string policy;  // empty: all
  std::string data_dir;
  std::size_t limit = 50;  // 0: all
  bool json = false;
  ColorMode color = ColorMode::kAuto;
};

struct VerdictsArguments {
  std::string policy;  // "spam" or "spam@3"; empty: all
  std::string data_dir;
  std::string channel;  // active, canary, shadow, direct; empty: all
  std::string outcome;  // empty: all
  std::string since;    // empty: from the first
  std::string until;    // empty: to the last
  bool with_content = false;
  bool json = false;
  ColorMode color = ColorMode::kAuto;
};

struct ModelInfoArguments {
  std::string path;
  bool tensors = false;  // list each
  bool hashes = false;
  std::size_t threads = DefaultThreads();
  bool json = false;
  ColorMode color = ColorMode::kAuto;
};

struct ModelVerifyArguments {
  std::string path;
  std::string sha256;  // a list of sums; empty: the published ones, where known
  std::size_t threads = DefaultThreads();
  bool json = false;
  ColorMode color = ColorMode::kAuto;
};

struct ModelPackArguments {
  std::string path;
  std::string precision = "default";  // default, int16, int8
  std::size_t threads = DefaultThreads();
  bool json = false;
};
struct ModelSynthArguments {
  std::string out;
  std::string shape;
  std::uint64_t seed = 1;
  std::string format = "safetensors";  // safetensors, original, gguf
  std::string dense = "q8_0";          // q8_0, bf16, f16
  bool overwrite = false;
  std::string model;  // where the rank file is
  std::size_t threads = DefaultThreads();
  bool json = false;
};

struct ModelTokensArguments {
  std::string path;   // empty: the built-in o200k_harmony
  std::string model;  // where its rank file is
};

struct ModelPullArguments {
  std::string name;  // short name, OWNER/NAME[@REVISION] or URL
  std::string to;    // empty: the repository's name, in the current folder
  std::string revision;
  std::vector<std::string> include;  // globs; empty: what the engine needs
  std::size_t connections = 4;
  bool verify = false;
  bool json = false;
};

struct ModelLogitsArguments {
  std::string path;
  std::string ids;  // "1,2,3" or "@FILE"
  std::size_t last = 1;
  std::string precision = "default";  // default, f32, int16, int8
  bool packed_file = true;
  std::string out;  // a .safetensors file; empty: none
  std::size_t threads = DefaultThreads();
  ColorMode color = ColorMode::kAuto;
};

struct ModelGenerateArguments {
  std::string path;
  std::string ids;
  bool greedy = false;
  std::size_t max_tokens = 64;
  std::string precision = "default";
  bool packed_file = true;
  std::size_t threads = DefaultThreads();
  bool json = false;
};

struct BenchArguments {
  std::string path;
  std::vector<std::string> work = {"prefill", "decode", "items", "instant"};
  std::vector<std::size_t> prefill_tokens = {512, 2048};
  std::vector<std::size_t> batch = {1, 8, 32, 64};  // sequences that decode at once
  std::size_t in_flight = 64;                       // contents at once
  std::size_t policy_tokens = 1500;
  std::size_t content_tokens = 100;
  std::size_t answer_tokens = 150;
  std::size_t runs = 3;
  std::size_t threads = DefaultThreads();
  std::string precision = "default";
  bool packed_file = true;
  bool json = false;
};

struct VersionArguments {
  std::string model;
  bool json = false;
};

struct CompletionArguments {
  std::string shell;
};

}  // namespace safeguard::apps
