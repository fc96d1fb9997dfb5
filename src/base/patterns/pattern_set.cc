#include "base/patterns/pattern_set.h"

#include <hs/hs.h>

#include <vector>

#include "base/patterns/database.h"

namespace safeguard::patterns {

PatternSet::PatternSet() = default;
PatternSet::~PatternSet() = default;

Result<std::unique_ptr<PatternSet>> PatternSet::Compile(std::span<const std::string> expressions) {
  std::unique_ptr<PatternSet> set(new PatternSet());
  if (expressions.empty()) {
    return set;
  }
  if (const Status fit = PlatformIsFit(); !fit) {
    return std::unexpected(fit.error());
  }
  std::vector<const char*> texts;
  std::vector<unsigned> ids;
  for (const std::string& expression : expressions) {
    ids.push_back(static_cast<unsigned>(texts.size()));
    texts.push_back(expression.c_str());
  }
  const std::vector<unsigned> flags(expressions.size(), HS_FLAG_MULTILINE);
  hs_database_t* database = nullptr;
  hs_compile_error_t* error = nullptr;
  const hs_error_t end =
      hs_compile_multi(texts.data(), flags.data(), ids.data(), static_cast<unsigned>(ids.size()),
                       HS_MODE_BLOCK, nullptr, &database, &error);
  if (end != HS_SUCCESS) {
    const bool named = error != nullptr && error->expression >= 0;
    const std::string which =
        named ? " \"" + expressions[static_cast<std::size_t>(error->expression)] + "\"" : "s";
    const std::string why = error != nullptr && error->message != nullptr ? error->message : "";
    hs_free_compile_error(error);
    return Fail(ErrorCode::kInvalidInput, "pattern" + which + ": " + why);
  }
  Result<std::unique_ptr<Database>> adopted = Database::Adopt(database);
  if (!adopted) {
    return std::unexpected(adopted.error());
  }
  set->database_ = std::move(*adopted);
  return set;
}

Status PatternSet::Scan(std::string_view text, const Hit& hit) const {
  if (database_ == nullptr) {
    return {};
  }
  return database_->Scan(
      text, [&](unsigned id, std::size_t /*begin*/, std::size_t end) { hit(id, end); });
}

}  // namespace safeguard::patterns
