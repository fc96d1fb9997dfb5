#include "eval/dataset/public_sets.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "eval/dataset/json_line.h"
#include "eval/dataset/messages.h"
#include "eval/dataset/set_files.h"
#include "eval/dataset/spam_sheet.h"

namespace safeguard::eval {
namespace {

namespace fs = std::filesystem;

using moderation::Outcome;

// Messages that stand as JSON in a text, as conversation-aware guardrails are given them. A text
// that only looks like it stays a text.
void ReadEmbeddedMessages(Record& record) {
  moderation::Content& content = record.content;
  if (content.messages.size() != 1 || !content.messages.front().text.starts_with('[')) {
    return;
  }
  const Result<nlohmann::json> json = ParseJson(content.messages.front().text);
  if (!json) {
    return;
  }
  Result<std::vector<moderation::Message>> messages = ReadChatMessages(*json);
  if (messages) {
    content.kind = moderation::ContentKind::kConversation;
    content.messages = std::move(*messages);
  }
}

// XSTest of the first publication has no label: prompts of a type "contrast_..." are unsafe.
void LabelByType(Record& record) {
  for (const std::string& tag : record.tags) {
    if (tag.starts_with("type:")) {
      const bool unsafe = tag.starts_with("type:contrast_");
      record.label = unsafe ? "unsafe" : "safe";
      record.expected = unsafe ? Outcome::kViolation : Outcome::kSafe;
    }
  }
}

Status LoadOneCsv(const std::string& path, std::string_view preferred, const ReadOptions& options,
                  const std::function<void(Record&)>& finish, Dataset& dataset) {
  Result<std::string> file = FileAt(path, ".csv", preferred);
  if (!file) {
    return std::unexpected(file.error());
  }
  dataset.path = *file;
  const Status status = ReadInto(*file, options, finish, dataset);
  return status ? HashFiles({*file}, dataset) : status;
}

}  // namespace

Status LoadModeration(const std::string& path, const std::string& label, Dataset& dataset) {
  Result<std::string> file = FileAt(path, ".jsonl");
  if (!file) {
    file = FileAt(path, ".gz");
  }
  if (!file) {
    return std::unexpected(file.error());
  }
  ReadOptions options;
  options.format = DataFormat::kJsonl;
  options.mapping.text = "prompt";
  options.mapping.label_columns = {"S", "H", "V", "HR", "SH", "S3", "H2", "V2"};
  options.mapping.missing_label_is_negative = true;
  dataset.path = *file;
  Status status = ReadInto(*file, options, [](Record&) {}, dataset);
  if (status && !label.empty()) {
    status = ChooseLabel(label, dataset);
  }
  return status ? HashFiles({*file}, dataset) : status;
}

Status LoadGuardrails(const std::string& path, const std::string& label, Dataset& dataset) {
  ReadOptions options;
  options.format = DataFormat::kJsonl;
  options.mapping.text = "data";
  options.mapping.label = "expected_triggers";
  Status status = ReadInto(path, options, ReadEmbeddedMessages, dataset);
  if (status && !label.empty()) {
    status = ChooseLabel(label, dataset);
  }
  return status ? HashFiles({path}, dataset) : status;
}

Status LoadToxicChat(const std::string& path, Dataset& dataset) {
  // The two flags beside the label are read as labels too and become tags.
  ReadOptions options;
  options.mapping.label_columns = {"toxicity", "human_annotation", "jailbreaking"};
  const auto finish = [](Record& record) {
    const std::optional<bool> toxic = record.labels.front().positive;  // of toxicity
    record.expected.reset();
    if (toxic) {
      record.expected = *toxic ? Outcome::kViolation : Outcome::kSafe;
    }
    record.label = toxic ? (*toxic ? "1" : "0") : "";
    for (const LabelValue& label : record.labels) {
      if (label.name != "toxicity" && label.positive.value_or(false)) {
        record.tags.push_back(label.name);
      }
    }
    record.labels.clear();
  };
  const Status status = ReadInto(path, options, finish, dataset);
  return status ? HashFiles({path}, dataset) : status;
}

Status LoadHateCheck(const std::string& path, Dataset& dataset) {
  ReadOptions options;
  options.format = DataFormat::kCsv;
  options.mapping.text = "test_case";
  options.mapping.label = "label_gold";
  options.mapping.positive_values = {"hateful"};
  options.mapping.negative_values = {"non-hateful"};
  options.mapping.id = "case_id";
  options.mapping.tag_columns = {"functionality", "target_ident"};
  return LoadOneCsv(path, "test_suite_cases.csv", options, [](Record&) {}, dataset);
}

Status LoadXsTest(const std::string& path, Dataset& dataset) {
  ReadOptions options;
  options.format = DataFormat::kCsv;
  options.mapping.text = "prompt";
  options.mapping.positive_values = {"unsafe"};
  options.mapping.negative_values = {"safe"};
  options.mapping.tag_columns = {"type"};
  const auto finish = [](Record& record) {
    if (!record.expected) {
      LabelByType(record);
    }
  };
  return LoadOneCsv(path, "xstest_prompts.csv", options, finish, dataset);
}

Status LoadSpam(const std::string& path, bool label_by_section, Dataset& dataset) {
  Result<std::string> file = FileAt(path, ".csv");
  if (!file) {
    return std::unexpected(file.error());
  }
  dataset.path = *file;
  if (const Status status = HashFiles({*file}, dataset); !status) {
    return status;
  }
  return ReadSpamSheet(*file, label_by_section, dataset);
}

Status LoadTeenSafety(const std::string& path, bool prompts_only, Dataset& dataset) {
  Result<std::vector<std::string>> files = FilesAt(path, ".csv");
  if (!files) {
    return std::unexpected(files.error());
  }
  // The sheets have no common column names, but one order: prompt, its level, response, its level.
  ReadOptions options;
  options.format = DataFormat::kCsv;
  options.delimiter = ',';
  options.skip_rows = 2;  // the disclaimer and the header
  options.has_header = false;
  options.mapping.prompt = "1";
  options.mapping.label = prompts_only ? "2" : "4";
  if (!prompts_only) {
    options.mapping.response = "3";
  }
  for (const std::string& file : *files) {
    const std::string set = fs::path(file).stem().string();
    const auto finish = [&set](Record& record) {
      record.content.id = set + ":" + std::to_string(record.line);
      record.tags.push_back("set:" + set);
    };
    if (Status status = ReadInto(file, options, finish, dataset); !status) {
      return status;
    }
  }
  return HashFiles(*files, dataset);
}

}  // namespace safeguard::eval
