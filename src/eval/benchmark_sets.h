// Named data sets, each with its own meaning of labels, and whole files of the generic shape.
//
//   golden                our golden sets (golden_set.h), strict
//   generic               any JSONL or CSV file by ReadOptions
//   openai-moderation     OpenAI Moderation 2022: labels S H V HR SH S3 H2 V2 in Record::labels,
//                         missing ones unknown there; the record is a violation when any is 1 and
//                         safe else (missing counts as 0), as published any-positive figures do.
//                         A .gz is answered with the plain .jsonl beside it.
//   toxicchat             ToxicChat: `toxicity`; tags "human_annotation" and "jailbreaking"
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

struct Dataset {
  std::string name;
  std::string path;
  std::string hash;  // BLAKE2b of the file; of several, of their hashes in order of name
  std::vector<Record> records;
  std::size_t error_count = 0;  // lines that could not be read and were left out
  std::vector<Error> errors;    // the first kErrorsKeptMax of them
};

std::span<const std::string_view> DatasetNames();

// Reads a whole data set into memory. `options` is used by "generic" only. Fails when the name or
// the file is not known, when no record could be read, and over kRecordsMax.
Result<Dataset> LoadDataset(std::string_view name, const std::string& path,
                            const ReadOptions& options = {});

}  // namespace safeguard::eval
