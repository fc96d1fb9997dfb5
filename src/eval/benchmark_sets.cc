#include "eval/benchmark_sets.h"

#include <algorithm>
#include <array>
#include <utility>

#include "eval/dataset/check_dataset.h"
#include "eval/dataset/public_sets.h"
#include "eval/dataset/set_files.h"
#include "eval/golden_set.h"

namespace safeguard::eval {
namespace {

constexpr auto kKinds = std::to_array<DatasetKind>({
    {"golden", "a policy's labelled cases, as this project writes them",
     "JSONL: id, text or messages, expected (violation, safe), rules, label, surface, language, "
     "tags",
     "strict: every case labelled, ids unique"},
    {"generic", "any labelled file",
     "JSONL or CSV, also gzip; columns by --map, labels by --positive",
     "an absent label is unknown, never safe; an unknown value is an error"},
    {"openai-moderation", "OpenAI Moderation evaluation set, 2022: 1680 prompts (MIT)",
     "JSONL(.gz): prompt, S H V HR SH S3 H2 V2",
     "missing is unknown; for \"any\" (522 of 1680) it counts as 0, as published; 755 rows know "
     "all 8"},
    {"toxicchat", "ToxicChat 0124 test: 5083 prompts, 362 toxic (CC BY-NC)",
     "JSONL or CSV: user_input, toxicity, human_annotation, jailbreaking",
     "toxicity; tags human_annotation (2853 rows) and jailbreaking"},
    {"hatecheck", "HateCheck: 3728 functional tests, 2563 hateful (CC BY)",
     "CSV: test_case, label_gold, functionality, target_ident",
     "tags functionality:NAME (29) and target_ident:NAME"},
    {"xstest", "XSTest: 450 prompts, 250 safe ones that look unsafe (CC BY)",
     "CSV: id, prompt, type, label, focus, note",
     "safe or unsafe; tags type:NAME (18); without a label column by type contrast_*"},
    {"guardrails", "openai-guardrails evaluation files",
     "JSONL: id, data, expected_triggers {NAME: true|false}",
     "a violation when any trigger is expected; --map label=NAME for one; an unnamed one is "
     "unknown"},
    {"openai-spam", "the golden sheet of OpenAI's spam policy: 40 rows (Apache-2.0)",
     "CSV sheet: text in column 2, level in column 10",
     "SP0 safe, SP2 to SP4 violations: what gpt-oss-safeguard answered"},
    {"openai-spam-sections", "the same rows", "the same",
     "labelled by the section the authors chose"},
    {"teen-safety", "teen-safety policy pack: 184 prompts with responses (Apache-2.0)",
     "CSV: prompt, its level, response, its level; a folder: all its sheets",
     "the conversation by the response's level: XX0 safe; tags set:NAME"},
    {"teen-safety-prompts", "the same rows", "the same", "the prompt alone by its level"},
});

constexpr auto kNames = [] {
  std::array<std::string_view, kKinds.size()> names{};
  std::ranges::transform(kKinds, names.begin(), &DatasetKind::name);
  return names;
}();

Status LoadGolden(const std::string& path, Dataset& dataset) {
  // The strict reader checks the set; the records keep their lines.
  if (const auto cases = ReadGoldenSet(path); !cases) {
    return std::unexpected(cases.error());
  }
  ReadOptions options;
  options.format = DataFormat::kJsonl;
  const Status status = ReadInto(path, options, [](Record&) {}, dataset);
  return status ? HashFiles({path}, dataset) : status;
}

Status Load(std::string_view name, const std::string& path, const ReadOptions& options,
            Dataset& dataset) {
  if (name == "golden") {
    return LoadGolden(path, dataset);
  }
  if (name == "openai-moderation") {
    return LoadModeration(path, options.mapping.label, dataset);
  }
  if (name == "guardrails") {
    return LoadGuardrails(path, options.mapping.label, dataset);
  }
  if (name == "toxicchat") {
    return LoadToxicChat(path, dataset);
  }
  if (name == "hatecheck") {
    return LoadHateCheck(path, dataset);
  }
  if (name == "xstest") {
    return LoadXsTest(path, dataset);
  }
  if (name == "openai-spam" || name == "openai-spam-sections") {
    return LoadSpam(path, name == "openai-spam-sections", dataset);
  }
  if (name == "teen-safety" || name == "teen-safety-prompts") {
    return LoadTeenSafety(path, name == "teen-safety-prompts", dataset);
  }
  const Status status = ReadInto(path, options, [](Record&) {}, dataset);
  return status ? HashFiles({path}, dataset) : status;
}

}  // namespace

std::span<const DatasetKind> DatasetKinds() {
  return kKinds;
}

std::span<const std::string_view> DatasetNames() {
  return kNames;
}

Result<Dataset> LoadDataset(std::string_view name, const std::string& path,
                            const ReadOptions& options) {
  if (std::ranges::find(kNames, name) == kNames.end()) {
    std::string known;
    for (const std::string_view each : kNames) {
      known += (known.empty() ? "" : ", ") + std::string(each);
    }
    return Fail(ErrorCode::kNotFound, "there is no data set named \"" + std::string(name) + "\"",
                "the names are " + known);
  }
  Dataset dataset;
  dataset.name = name;
  dataset.path = path;
  if (Status status = Load(name, path, options, dataset); !status) {
    return std::unexpected(status.error());
  }
  if (Status status = CheckDataset(options.mapping, dataset); !status) {
    return std::unexpected(status.error());
  }
  return dataset;
}

}  // namespace safeguard::eval
