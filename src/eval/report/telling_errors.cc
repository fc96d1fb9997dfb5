#include <algorithm>
#include <limits>

#include "base/utf8.h"
#include "eval/breakdown.h"

namespace safeguard::eval {
namespace {

using moderation::Outcome;

constexpr double kLast = std::numeric_limits<double>::infinity();  // after every score

// Controls, and characters that change how others are shown without being seen.
bool IsUnprintable(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0xAD || c == 0x61C ||
         (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xE0000 && c <= 0xE0FFF);
}

bool IsSpace(char32_t c) {
  return c == U' ' || (c >= U'\t' && c <= U'\r') || c == 0xA0;
}

std::string ContentExcerpt(const moderation::Content& content, std::size_t bytes_max) {
  std::string all;
  for (const moderation::Message& message : content.messages) {
    if (content.messages.size() > 1) {
      all += std::string(all.empty() ? "" : " ") + "[" + moderation::ToString(message.role) + "] ";
    }
    all += message.text.substr(0, bytes_max * 4);
    if (all.size() > bytes_max * 4) {
      break;
    }
  }
  return Excerpt(all, bytes_max);
}

TellingCase Tell(const Judged& judged, std::size_t excerpt_bytes_max) {
  const Record& record = *judged.record;
  const moderation::Verdict& verdict = judged.result->verdict;
  return {.name = Excerpt(RecordName(record), 80),
          .line = record.line,
          .score = judged.score(),
          .label = Excerpt(record.label, 80),
          .rules = record.rule_ids,
          .cited = verdict.rule_ids,
          .reason = moderation::ToString(verdict.reason),
          .excerpt = ContentExcerpt(record.content, excerpt_bytes_max),
          .evidence = verdict.evidence.empty()
                          ? ""
                          : Excerpt(verdict.evidence.front().text, excerpt_bytes_max)};
}

// Keeps the first `count_max` by ascending key, equal ones in the order of the data.
template <typename Key>
std::vector<TellingCase> TakeFirst(std::vector<Judged> cases, std::size_t count_max,
                                   std::size_t excerpt_bytes_max, Key key) {
  std::ranges::stable_sort(cases, {}, key);
  cases.resize(std::min(cases.size(), count_max));
  std::vector<TellingCase> told;
  told.reserve(cases.size());
  for (const Judged& judged : cases) {
    told.push_back(Tell(judged, excerpt_bytes_max));
  }
  return told;
}

}  // namespace

TellingErrors FindTellingErrors(std::span<const Judged> cases, std::size_t count_max,
                                std::size_t excerpt_bytes_max) {
  std::vector<Judged> alarms;
  std::vector<Judged> misses;
  std::vector<Judged> undetermined;
  for (const Judged& judged : cases) {
    if (judged.outcome() == Outcome::kUndetermined) {
      undetermined.push_back(judged);
    } else if (judged.outcome() == Outcome::kViolation && !judged.expected()) {
      alarms.push_back(judged);
    } else if (judged.outcome() == Outcome::kSafe && judged.expected()) {
      misses.push_back(judged);
    }
  }
  return {.false_alarms = TakeFirst(alarms, count_max, excerpt_bytes_max,
                                    [](const Judged& judged) {
                                      const std::optional<double> score = judged.score();
                                      return score ? -*score : kLast;
                                    }),
          .misses = TakeFirst(misses, count_max, excerpt_bytes_max,
                              [](const Judged& judged) { return judged.score().value_or(kLast); }),
          .undetermined = TakeFirst(undetermined, count_max, excerpt_bytes_max,
                                    [](const Judged&) { return 0; })};
}

std::string Excerpt(std::string_view text, std::size_t bytes_max) {
  constexpr std::string_view kEllipsis = "...";
  std::string line;
  std::size_t cut = 0;  // the longest whole part after which the ellipsis still fits
  bool space = false;
  for (std::size_t at = 0; at < text.size();) {
    const DecodedCodePoint point = DecodeUtf8(text, at);
    at += point.length;
    if (IsSpace(point.value)) {
      space = !line.empty();
      continue;
    }
    std::string next = space ? " " : "";
    space = false;
    AppendUtf8(IsUnprintable(point.value) ? U'\uFFFD' : point.value, next);
    if (line.size() + next.size() > bytes_max) {
      line.resize(cut);
      return bytes_max < kEllipsis.size() ? line : line + std::string(kEllipsis);
    }
    line += next;
    if (line.size() + kEllipsis.size() <= bytes_max) {
      cut = line.size();
    }
  }
  return line;
}

}  // namespace safeguard::eval
