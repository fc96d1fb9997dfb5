// The names that people give to fields, and finding a field by them.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace safeguard::eval {

// Lower case (ASCII), outer white space removed, "-" and inner spaces as "_".
std::string NormalFieldName(std::string_view name);

// Usual names, normal form, most telling first.
std::span<const std::string_view> TextNames();      // plain texts that come before prompts
std::span<const std::string_view> LateTextNames();  // plain texts that come after prompts
std::span<const std::string_view> MessagesNames();
std::span<const std::string_view> PromptNames();
std::span<const std::string_view> ResponseNames();
std::span<const std::string_view> LabelNames();
std::span<const std::string_view> SafeLabelNames();  // true means safe: "is_safe"
std::span<const std::string_view> IdNames();
std::span<const std::string_view> RuleNames();
std::span<const std::string_view> SurfaceNames();
std::span<const std::string_view> LanguageNames();
std::span<const std::string_view> TagNames();

struct Field {
  std::string name;  // normal form
  const nlohmann::json* value = nullptr;
};

// The fields of one JSON object, which must outlive them.
class Fields {
 public:
  explicit Fields(const nlohmann::json& object);

  // The field of that name; nothing (nullptr) when it is not there. Any value, null included.
  [[nodiscard]] const nlohmann::json* Find(std::string_view name) const;
  // The first of `names` that is there and not null.
  [[nodiscard]] const Field* FindFirst(std::span<const std::string_view> names) const;
  // The only string field one of whose words is a word for content, as in "Comment Text".
  [[nodiscard]] const Field* FindOnlyTextLike() const;

  // The names as the author wrote them, for error messages; bounded.
  [[nodiscard]] std::string Describe() const;

 private:
  std::vector<Field> fields_;
  std::vector<std::string> written_;
};

}  // namespace safeguard::eval
