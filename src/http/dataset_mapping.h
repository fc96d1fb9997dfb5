// Which field of labelled data holds what, and which labels mean a violation: what `safeguard eval`
// takes as --map, --positive and --negative, as one JSON object beside a dataset.
//
//   {"text": "body", "label": "verdict", "id": "post_id", "positive": ["spam"], "negative": ["ok"]}
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "http/problem.h"

namespace safeguard::http {

inline constexpr std::size_t kMappingBytesMax = 8192;  // of its JSON
inline constexpr std::size_t kMappingNamesMax = 64;    // in one list of it

struct DatasetMapping {
  // By what it holds (kMappedFields), the name of a key or column.
  std::map<std::string, std::string> fields;
  std::vector<std::string> labels;    // fields that are a label each
  std::vector<std::string> slices;    // fields whose values figures are told by
  std::vector<std::string> positive;  // values of the label that mean a violation
  std::vector<std::string> negative;  // and those that mean safe

  [[nodiscard]] bool empty() const {
    return fields.empty() && labels.empty() && slices.empty() && positive.empty() &&
           negative.empty();
  }
};

inline constexpr const char* kMappedFields[] = {"text", "messages", "prompt",  "response", "label",
                                                "id",   "rules",    "surface", "language", "tags"};

// Of a form's part "mapping"; empty text: an empty one. Problems point into /mapping.
OrProblem<DatasetMapping> ReadDatasetMapping(std::string_view json);
// Its JSON, for ReadDatasetMapping; empty for an empty one.
std::string DatasetMappingText(const DatasetMapping& mapping);

}  // namespace safeguard::http
