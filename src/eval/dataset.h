// Datasets: records with content and labels, streamed out of JSONL and CSV files of any size.
//
// Used by `eval` (labelled sets) and by `batch` (contents only). A malformed line never ends the
// reading: it comes out as an Error that names the line, and the caller counts it. What a label
// means is never guessed: a value that is not known to stand on one side is an error that says how
// to map it, and an absent label is unknown, never safe.
//
// Not thread-safe; one reader for each thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <istream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "moderation/content.h"
#include "moderation/golden.h"
#include "moderation/verdict.h"

namespace safeguard::eval {

inline constexpr std::size_t kLineBytesMax = std::size_t{16} << 20;  // a JSONL line or a CSV row
inline constexpr std::size_t kColumnsMax = 4096;                     // cells in a CSV row
inline constexpr std::size_t kMessagesMax = 10'000;                  // messages in a conversation
inline constexpr std::size_t kJsonDepthMax = 64;                     // nesting of a JSONL line

// One label of a record that carries several, e.g. {"H", true}. Empty: unknown.
struct LabelValue {
  std::string name;
  std::optional<bool> positive;
};

// What one line of a dataset says.
struct Record {
  std::size_t line = 0;         // 1-based line of the file on which the record begins
  moderation::Content content;  // valid UTF-8; content.id is empty when the file gives none
  std::optional<moderation::Outcome> expected;  // kViolation or kSafe; empty: unknown
  std::string label;                            // the raw label as written, e.g. "SP2"
  std::optional<int>
      level;  // severity of the label (severity.h), e.g. 2 of "SP2"; empty: it has none
  std::vector<std::string> rule_ids;
  std::vector<std::string> tags;   // "functionality:slur_h" and the like for slices of a suite
  std::vector<LabelValue> labels;  // of multi-label sets, in the order of the mapping; else empty
  std::vector<std::string> notes;  // e.g. "invalid UTF-8 at byte 12 of the line was replaced"
};

// The record as a golden case; nothing when its outcome is unknown.
std::optional<moderation::GoldenCase> ToGoldenCase(const Record& record);
Record FromGoldenCase(const moderation::GoldenCase& golden);

// The record's name in reports: its id, else "line N".
std::string RecordName(const Record& record);

// As ColumnMapping::id: there is none, even if a field looks like one.
inline constexpr const char* kNoField = "-";

// Which field (JSON key or CSV column) holds what. An empty name is looked for among the usual ones
// (dataset/field_names.h). Names compare without case, and "-" and " " are read as "_".
struct ColumnMapping {
  std::string text;      // a plain text
  std::string messages;  // [{role, content}], in a CSV cell as JSON
  std::string prompt;    // with `response`: a conversation of two messages
  std::string response;  // alone: a completion
  std::string label;
  std::string id;
  std::string rules;
  std::string surface;
  std::string language;
  std::string tags;
  // Each of these fields that is not empty becomes a tag "FIELD:value", for figures by slice.
  std::vector<std::string> tag_columns;

  // Values of the label, without case. Both empty: the usual ones are known (1, true, violation,
  // INVALID, spam ... against 0, false, safe, VALID, ham ...; level labels such as SP0 and SP2 are
  // safe at 0 and violations above). Only one given: every other labelled value is the other side.
  std::vector<std::string> positive_values;
  std::vector<std::string> negative_values;
  // For labels that are numbers: at or above is a violation.
  std::optional<double> label_threshold;

  // For multi-label sets: one field for each label. The record is a violation when any label is
  // positive, safe when all are known and negative, else unknown.
  std::vector<std::string> label_columns;
  // Counts a missing label of `label_columns` as negative for the record's outcome (never in
  // Record::labels). Only for sets whose published figures are computed so.
  bool missing_label_is_negative = false;

  bool read_labels = true;  // false: labels are not looked at and cannot cause errors (`batch`)
};

enum class DataFormat { kAuto, kJsonl, kCsv };

struct ReadOptions {
  DataFormat format = DataFormat::kAuto;  // kAuto: by the file's first byte: '{' is JSONL
  ColumnMapping mapping{};
  char delimiter = '\0';      // of CSV; NUL: ',' ';' or tab, whichever the header has most of
  std::size_t skip_rows = 0;  // CSV rows before the header, e.g. a disclaimer
  bool has_header = true;     // CSV; without: columns are named "1", "2", ... for the mapping
};

// One record, or why there is none.
struct Entry {
  std::size_t line = 0;          // 1-based line on which it begins; grows from entry to entry
  std::uint64_t end_offset = 0;  // byte offset in the file just after it
  Result<Record> record;         // an error's message begins with "line N: "
};

class RecordReader {
 public:
  virtual ~RecordReader() = default;
  // The next entry; nothing at the end. Blank lines are no entries. A read error of the disk is a
  // last entry with kUnavailable.
  virtual std::optional<Entry> Next() = 0;
  // The fields of the header, or of the first record read so far, as error messages list them;
  // empty where there are none.
  [[nodiscard]] virtual std::string fields() const { return {}; }
};

// Opens a file; a gzip file is read as what is in it. Fails when it is missing, a directory, packed
// in another way, UTF-16 (with a mark or without) or binary, or when a CSV
// header has no column that could hold the content (the message lists the columns it has).
Result<std::unique_ptr<RecordReader>> OpenRecords(const std::string& path,
                                                  const ReadOptions& options);

// How notes on bytes that are not UTF-8 begin; they go on by naming what the bytes look like.
inline constexpr const char* kInvalidUtf8Note = "invalid UTF-8 at byte ";

// The same over a stream (standard input, a string), which must outlive the reader. `name` is how
// errors call it.
Result<std::unique_ptr<RecordReader>> ReadRecords(std::istream& in, const std::string& name,
                                                  const ReadOptions& options);

}  // namespace safeguard::eval
