// One JSON object (a JSONL line, or a CSV row as {column: cell}) to one Record.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "eval/dataset.h"
#include "eval/dataset/field_names.h"

namespace safeguard::eval {

class RecordBuilder {
 public:
  explicit RecordBuilder(const ColumnMapping& mapping) : mapping_(mapping) {}

  // `object` must be a JSON object. Errors begin with "line N: ".
  [[nodiscard]] Result<Record> Build(const nlohmann::json& object, std::size_t line) const;

  // Whether a CSV header has what the records need: the content, and every field that the mapping
  // names.
  [[nodiscard]] Status CheckColumns(const std::vector<std::string>& columns,
                                    std::size_t line) const;

 private:
  Status ReadContent(const Fields& fields, Record& record) const;
  Status ReadMessages(const nlohmann::json& value, Record& record) const;
  Status ReadPair(const Fields& fields, Record& record) const;
  [[nodiscard]] bool UseMessages(const Fields& fields, const nlohmann::json** value) const;
  Status ReadLabels(const Fields& fields, Record& record) const;
  Status ReadLabelColumns(const Fields& fields, Record& record) const;

  ColumnMapping mapping_;
};

// "line N: " and the error.
Error AtLine(std::size_t line, Error error);

}  // namespace safeguard::eval
