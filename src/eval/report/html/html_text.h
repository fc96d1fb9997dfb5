// Text and numbers inside an HTML page. Whatever a stranger wrote (content, policy, file names)
// goes through HtmlText: no byte of it can open a tag, end an attribute or reorder the page.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "eval/bootstrap.h"
#include "eval/report.h"

namespace safeguard::eval {

// For element content and for attributes in double quotes. Ill-formed UTF-8, control characters
// (but tab and newline) and bidirectional controls become U+FFFD.
std::string HtmlText(std::string_view text);

// "0.86"; "–" when not defined.
std::string ShareText(const std::optional<double>& share);
// "0.77–0.92"; empty when not defined.
std::string IntervalText(const std::optional<Interval>& interval);
// "12,345".
std::string CountText(std::size_t count);
// "<svg ...>": a bar from 0 to `share` with its interval as a line; empty when not defined.
std::string ShareBar(const std::optional<double>& share, const std::optional<Interval>& interval,
                     const char* css_class);

}  // namespace safeguard::eval
