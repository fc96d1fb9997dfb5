// A compiled Vectorscan database with the working memory (scratch) that scans of it need.
// Private to this folder.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "base/result.h"

struct hs_database;  // NOLINT(readability-identifier-naming): Vectorscan names them
struct hs_scratch;   // NOLINT(readability-identifier-naming)

namespace safeguard::patterns {

// Whether this processor has what Vectorscan needs (SSE4.2 on x86-64).
Status PlatformIsFit();

class Database {
 public:
  // Takes over `database`.
  static Result<std::unique_ptr<Database>> Adopt(hs_database* database);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Number of the pattern, where the match begins (0 unless compiled for it) and ends.
  using Hit = std::function<void(unsigned, std::size_t, std::size_t)>;
  // Every match in order of its end. Fails when there is no memory for another concurrent scan.
  // Thread-safe: each scan borrows a scratch of its own. REQUIRES: text of less than 4 GiB.
  Status Scan(std::string_view text, const Hit& hit) const;

 private:
  explicit Database(hs_database* database) : database_(database) {}
  Result<hs_scratch*> Borrow() const;
  void Return(hs_scratch* scratch) const;

  hs_database* database_;
  mutable std::mutex mutex_;
  mutable std::vector<hs_scratch*> idle_;  // by mutex_
};

}  // namespace safeguard::patterns
