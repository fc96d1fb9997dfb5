// Named data sets, each with its own meaning of labels, and whole files of the generic shape.
//
//   golden                our golden sets (golden_set.h), strict
//   generic               any JSONL or CSV file by ReadOptions
//   openai-moderation     OpenAI Moderation 2022: labels S H V HR SH S3 H2 V2 in Record::labels,
//                         missing ones unknown there; the record is a violation when any is 1 and
//                         safe else (missing counts as 0), as published any-positive figures do.
//                         mapping.label names one of them: then a missing one is unknown.
//   toxicchat             ToxicChat: `toxicity`; tags "human_annotation" and "jailbreaking"
//   hatecheck             HateCheck: `label_gold`; tags "functionality:NAME", "target_ident:NAME"
//   xstest                XSTest: safe or unsafe; tags "type:NAME"
//   guardrails            openai-guardrails: expected_triggers in Record::labels, a violation when
//                         any is true; mapping.label names one of them
//   openai-spam           the golden sheet of OpenAI's spam policy: the level in column 10, whose
//                         heading calls it the classification by gpt-oss-safeguard; tag
//                         "section:SP2" names the section the authors put the row in
//   openai-spam-sections  the same rows labelled by the authors' section
//   teen-safety           prompt and response as a conversation, labelled by the response's level
//   teen-safety-prompts   the prompts alone, labelled by the prompt's level
//
// Level 0 is safe, every other a violation. A folder stands for the data files of the set in it
// (teen-safety: all CSV files; each record is tagged "set:NAME" with its file's name).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "eval/dataset.h"

namespace safeguard::eval {

inline constexpr std::size_t kErrorsKeptMax = 1000;
inline constexpr std::size_t kRecordsMax = 5'000'000;  // held in memory by LoadDataset

struct DatasetKind {
  std::string_view name;
  std::string_view what;
  std::string_view shape;   // of the file
  std::string_view labels;  // and what they mean
};

struct Dataset {
  std::string name;
  std::string path;
  std::string hash;  // BLAKE2b of the file; of several, of their hashes in order of name
  std::vector<Record> records;
  std::size_t error_count = 0;     // lines that could not be read and were left out
  std::vector<Error> errors;       // the first kErrorsKeptMax of them
  std::vector<std::string> notes;  // what a reader of figures must know, e.g. repeated texts
  std::string fields;              // of the last file, as error messages list them; may be empty
};

std::span<const DatasetKind> DatasetKinds();
std::span<const std::string_view> DatasetNames();

// Reads a whole data set into memory. `options` is used by "generic" only (its mapping.label also
// by sets of several labels). Fails with one line when figures on it would mislead: the name or the
// file is not known, no record could be read, none has a label, an id stands twice, the file is in
// another encoding than UTF-8; and over kRecordsMax.
Result<Dataset> LoadDataset(std::string_view name, const std::string& path,
                            const ReadOptions& options = {});

}  // namespace safeguard::eval
