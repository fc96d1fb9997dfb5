#include "judges/reasoner/quotations.h"

#include <algorithm>
#include <array>
#include <string>

namespace safeguard::judges {
namespace {

constexpr std::size_t kQuotedBytesMin = 4;
constexpr std::size_t kEvidenceMax = 8;

struct Marks {
  std::string_view open;
  std::string_view close;
};
constexpr std::array kMarks = {Marks{"\"", "\""},         Marks{"\u201C", "\u201D"},
                               Marks{"\u2018", "\u2019"}, Marks{"\u00AB", "\u00BB"},
                               Marks{"\u201E", "\u201C"}, Marks{"`", "`"}};

void AddWhereFound(std::string_view quoted, const moderation::Content& content,
                   std::vector<moderation::Evidence>& evidence) {
  for (std::size_t m = 0; m < content.messages.size(); ++m) {
    const std::size_t at = content.messages[m].text.find(quoted);
    if (at == std::string::npos) {
      continue;
    }
    const bool known = std::ranges::any_of(evidence, [&](const moderation::Evidence& e) {
      return e.message == m && e.start == at && e.text == quoted;
    });
    if (!known) {
      evidence.push_back({m, at, at + quoted.size(), std::string(quoted)});
    }
    return;
  }
}

}  // namespace

std::vector<moderation::Evidence> QuotedEvidence(std::string_view rationale,
                                                 const moderation::Content& content) {
  std::vector<moderation::Evidence> evidence;
  for (std::size_t i = 0; i < rationale.size() && evidence.size() < kEvidenceMax; ++i) {
    for (const Marks& marks : kMarks) {
      if (!rationale.substr(i).starts_with(marks.open)) {
        continue;
      }
      const std::size_t begin = i + marks.open.size();
      const std::size_t end = rationale.find(marks.close, begin);
      if (end == std::string_view::npos) {
        continue;
      }
      if (end - begin >= kQuotedBytesMin) {
        AddWhereFound(rationale.substr(begin, end - begin), content, evidence);
      }
      i = end + marks.close.size() - 1;
      break;
    }
  }
  return evidence;
}

}  // namespace safeguard::judges
