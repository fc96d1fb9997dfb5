#include "eval/report/html/html_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/utf8.h"

namespace safeguard::eval {
namespace {

bool IsUnwanted(char32_t c) {
  const bool control = (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7F && c < 0xA0);
  const bool bidi = c == 0x61C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
                    (c >= 0x2066 && c <= 0x2069);
  const bool no_character = (c & 0xFFFE) == 0xFFFE || c == 0xFEFF;
  return control || bidi || no_character;
}

}  // namespace

std::string HtmlText(std::string_view text) {
  std::string html;
  html.reserve(text.size() + text.size() / 8);
  for (std::size_t at = 0; at < text.size();) {
    const DecodedCodePoint point = DecodeUtf8(text, at);
    at += point.length;
    switch (point.value) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\'':
        html += "&#39;";
        break;
      case '`':
        html += "&#96;";
        break;
      default:
        AppendUtf8(IsUnwanted(point.value) ? char32_t{0xFFFD} : point.value, html);
    }
  }
  return html;
}

std::string ShareText(const std::optional<double>& share) {
  return share && std::isfinite(*share) ? fmt::format("{:.2f}", *share) : "–";
}

std::string IntervalText(const std::optional<Interval>& interval) {
  return interval ? fmt::format("{:.2f}–{:.2f}", interval->low, interval->high) : "";
}

std::string CountText(std::size_t count) {
  std::string text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3; at -= 3) {
    text.insert(at - 3, ",");
  }
  return text;
}

std::string ShareBar(const std::optional<double>& share, const std::optional<Interval>& interval,
                     const char* css_class) {
  if (!share || !std::isfinite(*share)) {
    return "";
  }
  const auto x = [](double value) { return std::clamp(value, 0.0, 1.0) * 100; };
  std::string svg = fmt::format(
      "<svg class=\"bar\" viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
      "<rect class=\"track\" width=\"100\" height=\"10\"/>"
      "<rect class=\"{}\" width=\"{:.2f}\" height=\"10\"/>",
      css_class, x(*share));
  if (interval) {
    svg += fmt::format("<path class=\"whisker\" d=\"M{0:.2f} 5H{1:.2f}M{0:.2f} 2V8M{1:.2f} 2V8\"/>",
                       x(interval->low), x(interval->high));
  }
  return svg + "</svg>";
}

}  // namespace safeguard::eval
