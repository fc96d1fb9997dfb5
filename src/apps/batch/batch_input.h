// The input of a batch: records of a file or of standard input, with what is needed to go on later.
#pragma once

#include <cstddef>
#include <cstdint>
#include <istream>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "eval/dataset.h"

namespace safeguard::apps {

struct BatchInputOptions {
  std::string path;             // "-": standard input
  std::string format = "auto";  // auto (by the name, else by the first byte), jsonl, csv, txt
  std::string text_field;
  std::string id_field;
};

class BatchInput {
 public:
  static Result<std::unique_ptr<BatchInput>> Open(const BatchInputOptions& options);
  // For tests and standard input: `in` must outlive it.
  static Result<std::unique_ptr<BatchInput>> Read(std::istream& in, const std::string& name,
                                                  const BatchInputOptions& options);

  // The next entry; nothing at the end.
  std::optional<eval::Entry> Next();

  // Of all entries so far: a hash chained over what each of them says, so that going on can check
  // that it stands behind the same entries.
  [[nodiscard]] const std::string& hash() const { return hash_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint64_t bytes_read() const { return bytes_read_; }
  // Of the file; 0 when not known.
  [[nodiscard]] std::uint64_t bytes_total() const { return bytes_total_; }

 private:
  BatchInput() = default;

  std::string name_;
  std::unique_ptr<std::istream> file_;  // for plain text files
  std::unique_ptr<eval::RecordReader> reader_;
  std::string hash_;
  std::uint64_t bytes_read_ = 0;
  std::uint64_t bytes_total_ = 0;
};

}  // namespace safeguard::apps
