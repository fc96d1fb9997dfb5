#include "apps/pull/http_fields.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>

namespace safeguard::apps::pull {
namespace {

constexpr std::int64_t kYearSeconds = std::int64_t{366} * 24 * 3600;

std::optional<std::uint64_t> Number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

std::string_view TrimBlanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

bool IsRelNext(std::string_view parameter) {
  parameter = TrimBlanks(parameter);
  return parameter == "rel=\"next\"" || parameter == "rel=next";
}

}  // namespace

std::optional<ContentRange> ParseContentRange(std::string_view field) {
  constexpr std::string_view kUnit = "bytes ";
  const std::size_t dash = field.find('-');
  const std::size_t slash = field.find('/');
  if (!field.starts_with(kUnit) || dash == std::string_view::npos ||
      slash == std::string_view::npos || slash < dash) {
    return std::nullopt;
  }
  const auto begin = Number(field.substr(kUnit.size(), dash - kUnit.size()));
  const auto last = Number(field.substr(dash + 1, slash - dash - 1));
  const std::string_view all = field.substr(slash + 1);
  ContentRange range;
  range.total = Number(all);
  if (!begin || !last || (!range.total && all != "*") || *begin > *last || *last + 1 == 0 ||
      (range.total && *last >= *range.total)) {
    return std::nullopt;
  }
  range.range = {*begin, *last + 1};
  return range;
}

std::optional<std::string> ParseNextLink(std::string_view field) {
  while (true) {
    const std::size_t open = field.find('<');
    const std::size_t close = open == std::string_view::npos ? open : field.find('>', open);
    if (close == std::string_view::npos) {
      return std::nullopt;
    }
    std::string target(field.substr(open + 1, close - open - 1));
    field.remove_prefix(close + 1);
    std::string_view parameters = field.substr(0, std::min(field.find('<'), field.size()));
    while (!parameters.empty()) {
      const std::size_t end = parameters.find_first_of(";,");
      if (IsRelNext(parameters.substr(0, end))) {
        return target;
      }
      parameters.remove_prefix(end == std::string_view::npos ? parameters.size() : end + 1);
    }
  }
}

std::optional<std::chrono::seconds> ParseRetryAfter(std::string_view field, std::time_t now) {
  field = TrimBlanks(field);
  if (const auto seconds = Number(field)) {
    return std::chrono::seconds(
        static_cast<std::int64_t>(std::min<std::uint64_t>(*seconds, kYearSeconds)));
  }
  const std::time_t when = curl_getdate(std::string(field).c_str(), nullptr);
  if (field.empty() || when < 0) {
    return std::nullopt;
  }
  return std::chrono::seconds(
      std::clamp<std::int64_t>(static_cast<std::int64_t>(when) - now, 0, kYearSeconds));
}

}  // namespace safeguard::apps::pull
