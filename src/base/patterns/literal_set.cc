#include "base/patterns/literal_set.h"

#include <hs/hs.h>

#include <vector>

#include "base/check.h"
#include "base/patterns/database.h"

namespace safeguard::patterns {

LiteralSet::LiteralSet() = default;
LiteralSet::~LiteralSet() = default;

Result<std::unique_ptr<LiteralSet>> LiteralSet::Compile(std::span<const std::string> literals) {
  std::unique_ptr<LiteralSet> set(new LiteralSet());
  if (literals.empty()) {
    return set;
  }
  if (const Status fit = PlatformIsFit(); !fit) {
    return std::unexpected(fit.error());
  }
  std::vector<const char*> texts;
  std::vector<unsigned> ids;
  for (const std::string& literal : literals) {
    CHECK(!literal.empty());
    ids.push_back(static_cast<unsigned>(texts.size()));
    texts.push_back(literal.data());
    set->sizes_.push_back(literal.size());
  }
  const std::vector<unsigned> flags(literals.size(), 0);
  hs_database_t* database = nullptr;
  hs_compile_error_t* error = nullptr;
  const hs_error_t end = hs_compile_lit_multi(texts.data(), flags.data(), ids.data(),
                                              set->sizes_.data(), static_cast<unsigned>(ids.size()),
                                              HS_MODE_BLOCK, nullptr, &database, &error);
  if (end != HS_SUCCESS) {
    const std::string why = error != nullptr && error->message != nullptr ? error->message : "";
    hs_free_compile_error(error);
    return Fail(ErrorCode::kLimit, "the terms cannot be compiled: " + why,
                "give fewer or shorter terms");
  }
  Result<std::unique_ptr<Database>> adopted = Database::Adopt(database);
  if (!adopted) {
    return std::unexpected(adopted.error());
  }
  set->database_ = std::move(*adopted);
  return set;
}

Status LiteralSet::Scan(std::string_view text, const Hit& hit) const {
  if (database_ == nullptr) {
    return {};
  }
  return database_->Scan(text, [&](unsigned id, std::size_t /*begin*/, std::size_t end) {
    hit(id, end - sizes_[id], end);
  });
}

}  // namespace safeguard::patterns
