// The words that list files use, and what may stand in an entry.
#include <algorithm>
#include <array>
#include <utility>

#include "base/utf8.h"
#include "moderation/cascade/fold.h"
#include "moderation/cascade/lists/entry_json.h"
#include "moderation/cascade/lists/near_duplicate.h"

namespace safeguard::moderation {
namespace {

constexpr std::array<std::pair<const char*, TermMatch>, 4> kMatches = {
    {{"word", TermMatch::kWord},
     {"prefix", TermMatch::kPrefix},
     {"suffix", TermMatch::kSuffix},
     {"anywhere", TermMatch::kAnywhere}}};
constexpr std::array<std::pair<const char*, ListEffect>, 3> kActions = {
    {{"violation", ListEffect::kViolation},
     {"safe", ListEffect::kSafe},
     {"review", ListEffect::kSuspect}}};

constexpr std::size_t kIdBytesMax = 64;
constexpr std::size_t kTextBytesMax = 1000;  // of a reason, a name, a category, a policy's id
constexpr std::size_t kRulesMax = 16;
constexpr std::size_t kHashDigits = 64;

std::unexpected<Error> Wrong(std::string message, std::string hint) {
  return Fail(ErrorCode::kInvalidInput, std::move(message), std::move(hint));
}

bool IsId(std::string_view text) {
  return !text.empty() && text.size() <= kIdBytesMax && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-' || c == ':';
  });
}

bool IsHash(std::string_view text) {
  return text.size() == kHashDigits && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool IsShortText(const std::string& text) {
  return text.size() <= kTextBytesMax && !FirstInvalidUtf8(text);
}

Status CheckValue(const ListEntry& entry) {
  switch (entry.kind) {
    case ListKind::kTerm:
    case ListKind::kAllow:
      if (entry.value.size() > kListTermBytesMax || FirstInvalidUtf8(entry.value) ||
          FoldedTrimmed(entry.value).empty()) {
        return Wrong("a term or phrase has 1 to " + std::to_string(kListTermBytesMax) + " bytes",
                     "for longer texts use exact or near");
      }
      return {};
    case ListKind::kExact:
      return IsHash(entry.value) ? Status{}
                                 : Status(Wrong("exact is not 64 hexadecimal digits",
                                                "make it with: safeguard lists add --exact"));
    case ListKind::kNear:
      if (!(entry.similarity >= kSimilarityLeast && entry.similarity <= 1)) {
        return Wrong("similarity is not between 0.7 and 1", "0.8 is what was measured");
      }
      return lists::ParseFingerprint(entry.value)
                 ? Status{}
                 : Status(
                       Wrong("near is no fingerprint", "make it with: safeguard lists add --near"));
  }
  return {};
}

}  // namespace

namespace lists {

Status CheckEntry(const ListEntry& entry) {
  if (!IsId(entry.id)) {
    return Wrong("id is missing or not 1 to 64 letters, digits and . _ - :", "as in \"scam-17\"");
  }
  if (const Status value = CheckValue(entry); !value) {
    return value;
  }
  if (entry.action == ListEffect::kSafe && entry.kind != ListKind::kExact) {
    return Wrong("only exact may call a content safe",
                 "a term or a small change would clear whatever stands around it; use allow to "
                 "cancel a term");
  }
  for (const auto& [name, text] : std::array<std::pair<const char*, const std::string*>, 3>{
           {{"reason", &entry.reason}, {"added_by", &entry.added_by}, {"policy", &entry.policy}}}) {
    if (text->empty() || !IsShortText(*text)) {
      return Wrong(std::string(name) + " is missing or longer than 1000 bytes",
                   "whoever finds the entry must know");
    }
  }
  const bool rules_fit = entry.rules.size() <= kRulesMax &&
                         std::ranges::all_of(entry.rules, [](const std::string& rule) {
                           return !rule.empty() && IsShortText(rule);
                         });
  if (!rules_fit || !IsShortText(entry.category)) {
    return Wrong("at most 16 rules and a category of at most 1000 bytes",
                 "name the rules it breaks");
  }
  if (entry.policy == "*" && !entry.rules.empty()) {
    return Wrong("rules belong to a policy", "name it: \"policy\": \"spam\"");
  }
  return {};
}

}  // namespace lists

const char* ToString(ListKind kind) {
  switch (kind) {
    case ListKind::kTerm:
      return "term";
    case ListKind::kAllow:
      return "allow";
    case ListKind::kExact:
      return "exact";
    case ListKind::kNear:
      return "near";
  }
  return "";
}

const char* ToString(TermMatch match) {
  return std::ranges::find(kMatches, match, &std::pair<const char*, TermMatch>::second)->first;
}

const char* ActionName(ListEffect action) {
  return std::ranges::find(kActions, action, &std::pair<const char*, ListEffect>::second)->first;
}

std::optional<ListEffect> ActionFrom(std::string_view name) {
  const auto found = std::ranges::find_if(kActions, [&](const auto& a) { return a.first == name; });
  return found == kActions.end() ? std::nullopt : std::optional(found->second);
}

std::optional<TermMatch> TermMatchFrom(std::string_view name) {
  const auto found = std::ranges::find_if(kMatches, [&](const auto& m) { return m.first == name; });
  return found == kMatches.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace safeguard::moderation
