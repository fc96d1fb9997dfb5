#include "base/patterns/database.h"

#include <hs/hs.h>

#include <limits>
#include <string>

#include "base/check.h"

namespace safeguard::patterns {
namespace {

int OnMatch(unsigned id, unsigned long long from, unsigned long long to, unsigned /*flags*/,
            void* context) {
  (*static_cast<const Database::Hit*>(context))(id, from, to);
  return 0;
}

}  // namespace

Status PlatformIsFit() {
  if (hs_valid_platform() != HS_SUCCESS) {
    return Fail(ErrorCode::kUnavailable, "this processor cannot scan for terms",
                "Vectorscan needs SSE4.2 on x86-64");
  }
  return {};
}

Result<std::unique_ptr<Database>> Database::Adopt(hs_database* database) {
  std::unique_ptr<Database> adopted(new Database(database));
  const Result<hs_scratch*> scratch = adopted->Borrow();
  if (!scratch) {
    return std::unexpected(scratch.error());
  }
  adopted->Return(*scratch);
  return adopted;
}

Database::~Database() {
  for (hs_scratch* scratch : idle_) {
    hs_free_scratch(scratch);
  }
  hs_free_database(database_);
}

Result<hs_scratch*> Database::Borrow() const {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      hs_scratch* scratch = idle_.back();
      idle_.pop_back();
      return scratch;
    }
  }
  hs_scratch* scratch = nullptr;
  if (hs_alloc_scratch(database_, &scratch) != HS_SUCCESS) {
    return Fail(ErrorCode::kUnavailable, "there is no memory to scan for terms");
  }
  return scratch;
}

void Database::Return(hs_scratch* scratch) const {
  const std::lock_guard lock(mutex_);
  idle_.push_back(scratch);
}

Status Database::Scan(std::string_view text, const Hit& hit) const {
  CHECK(text.size() <= std::numeric_limits<unsigned>::max());
  const Result<hs_scratch*> scratch = Borrow();
  if (!scratch) {
    return std::unexpected(scratch.error());
  }
  Hit on_match = hit;
  const hs_error_t end = hs_scan(database_, text.data(), static_cast<unsigned>(text.size()), 0,
                                 *scratch, OnMatch, &on_match);
  Return(*scratch);
  if (end != HS_SUCCESS) {
    return Fail(ErrorCode::kUnavailable, "a scan for terms failed with " + std::to_string(end));
  }
  return {};
}

}  // namespace safeguard::patterns
