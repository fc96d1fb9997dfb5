#include "eval/dataset/check_dataset.h"

#include <algorithm>
#include <string>
#include <unordered_map>

#include "eval/runner.h"

namespace safeguard::eval {
namespace {

using moderation::Outcome;

// Of all records: more than this many in a hundred with foreign bytes are another encoding.
constexpr std::size_t kForeignPercentMax = 1;

Status CheckIds(const Dataset& dataset) {
  std::unordered_map<std::string, std::size_t> lines;
  std::size_t twice = 0;
  std::string first;
  for (const Record& record : dataset.records) {
    const std::string& id = record.content.id;
    if (id.empty()) {
      continue;
    }
    const auto [place, fresh] = lines.try_emplace(id, record.line);
    if (!fresh && ++twice == 1) {
      first = "the id \"" + id.substr(0, 80) + "\" stands on line " +
              std::to_string(place->second) + " and on line " + std::to_string(record.line);
    }
  }
  if (twice == 0) {
    return {};
  }
  return Fail(ErrorCode::kInvalidInput,
              dataset.path + ": " + first +
                  (twice > 1 ? " (" + std::to_string(twice) + " records repeat an id)" : ""),
              "give each record its own id, or name another field with --map id=NAME (id=- for "
              "none)");
}

Status CheckLabels(const ColumnMapping& mapping, const Dataset& dataset) {
  const bool any = std::ranges::any_of(dataset.records, [](const Record& record) {
    return record.expected.has_value() ||
           std::ranges::any_of(record.labels,
                               [](const LabelValue& label) { return label.positive.has_value(); });
  });
  if (any || !mapping.read_labels) {
    return {};
  }
  const std::string what = mapping.label.empty()
                               ? "no record has a label"
                               : "no record has a label in the field \"" + mapping.label + "\"";
  return Fail(ErrorCode::kInvalidInput, dataset.path + ": " + what,
              "name its field with --map label=NAME" +
                  (dataset.fields.empty() ? std::string() : "; the fields are " + dataset.fields));
}

Status CheckEncoding(Dataset& dataset) {
  std::size_t foreign = 0;
  std::string first;
  for (const Record& record : dataset.records) {
    for (const std::string& note : record.notes) {
      if (note.starts_with(kInvalidUtf8Note)) {
        ++foreign;
        first = first.empty() ? "line " + std::to_string(record.line) + ": " + note : first;
        break;
      }
    }
  }
  if (foreign == 0) {
    return {};
  }
  const std::string count = std::to_string(foreign) + " of " +
                            std::to_string(dataset.records.size()) +
                            " records are not valid UTF-8 (" + first + ")";
  if (foreign * 100 > dataset.records.size() * kForeignPercentMax) {
    return Fail(ErrorCode::kInvalidInput, dataset.path + ": " + count,
                "convert it, for example with: iconv -f WINDOWS-1252 -t UTF-8");
  }
  dataset.notes.push_back(count + "; they were judged with U+FFFD there");
  return {};
}

void NoteTexts(Dataset& dataset) {
  struct Seen {
    bool violation = false;
    bool safe = false;
  };
  std::unordered_map<std::string, Seen> texts;
  std::size_t repeats = 0;
  for (const Record& record : dataset.records) {
    const auto [place, fresh] = texts.try_emplace(NormalText(record.content));
    repeats += fresh ? 0 : 1;
    place->second.violation |= record.expected == Outcome::kViolation;
    place->second.safe |= record.expected == Outcome::kSafe;
  }
  const auto both = std::ranges::count_if(
      texts, [](const auto& text) { return text.second.violation && text.second.safe; });
  if (repeats > 0) {
    dataset.notes.push_back(
        std::to_string(repeats) + " records repeat the text of another" +
        (both > 0 ? "; " + std::to_string(both) + " texts are labelled both violation and safe"
                  : ""));
  }
}

}  // namespace

Status CheckDataset(const ColumnMapping& mapping, Dataset& dataset) {
  if (dataset.records.empty()) {
    return Fail(ErrorCode::kInvalidInput, dataset.path + " holds no record that could be read",
                dataset.errors.empty() ? "" : Describe(dataset.errors.front()));
  }
  Status status = CheckEncoding(dataset);
  if (status) {
    status = CheckIds(dataset);
  }
  if (status) {
    status = CheckLabels(mapping, dataset);
  }
  if (!status) {
    return status;
  }
  NoteTexts(dataset);
  return {};
}

}  // namespace safeguard::eval
