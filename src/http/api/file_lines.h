// The lines of a kept file, read a piece at a time: a file of any size takes the memory of one
// piece and of one line.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "moderation/file_store.h"

namespace safeguard::http {

struct FileLine {
  std::size_t number = 0;  // from 1
  std::string text;        // without its newline; of a too long one the beginning
  bool too_long = false;
};

// One thread at a time.
class FileLines {
 public:
  // Lines of more than `line_bytes_max` are cut. The store must outlive it.
  FileLines(moderation::FileStore& files, std::string owner, std::string id,
            std::size_t line_bytes_max)
      : files_(files),
        owner_(std::move(owner)),
        id_(std::move(id)),
        line_bytes_max_(line_bytes_max) {}

  // Nothing at the end. Errors as FileStore's.
  Result<std::optional<FileLine>> Next();

 private:
  // What is read and not given yet; empty at the end of the file.
  Result<std::string_view> Rest();

  moderation::FileStore& files_;
  std::string owner_;
  std::string id_;
  std::size_t line_bytes_max_;
  std::string piece_;
  std::size_t given_ = 0;  // of the piece
  std::size_t read_ = 0;   // of the file
  std::size_t number_ = 0;
};

}  // namespace safeguard::http
