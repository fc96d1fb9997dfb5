#include "judges/reasoner/answer_text.h"

#include <algorithm>
#include <array>

namespace safeguard::judges {
namespace {

constexpr std::string_view kSpace = " \t\r\n\f\v";

struct Replacement {
  std::string_view from;
  char to;
};
constexpr std::array kQuotes = {
    Replacement{"\u2019", '\''}, Replacement{"\u2018", '\''}, Replacement{"\u201C", '"'},
    Replacement{"\u201D", '"'},  Replacement{"\u00A0", ' '},
};

constexpr std::array<std::string_view, 12> kCueWords = {
    "answer", "classification", "label",     "verdict", "output",   "decision",
    "result", "final answer",   "respuesta", "antwort", "response", "judgment",
};

constexpr std::array<std::string_view, 41> kRefusals = {
    "i'm sorry",
    "i am sorry",
    "sorry, ",
    "sorry but ",
    "i apologize",
    "i apologise",
    "my apologies",
    "i can't ",
    "i cannot ",
    "i can not ",
    "i won't ",
    "i will not ",
    "i'm unable",
    "i am unable",
    "i'm not able",
    "i am not able",
    "i'm afraid",
    "i must decline",
    "i have to decline",
    "i must refuse",
    "unfortunately, i",
    "we're sorry",
    "as an ai",
    "no puedo ",
    "lo siento",
    "je suis désolé",
    "désolé",
    "je ne peux pas",
    "es tut mir leid",
    "tut mir leid",
    "ich kann nicht",
    "sinto muito",
    "desculpe",
    "não posso",
    "mi dispiace",
    "извините",
    "к сожалению",
    "抱歉",
    "对不起",
    "申し訳",
    "죄송",
};

bool IsAlphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// The line up to its first ':' when that is a cue: "Answer (VALID or INVALID)", "**Label**".
bool IsCue(std::string_view head) {
  constexpr std::size_t cue_bytes_max = 80;
  if (head.size() > cue_bytes_max) {
    return false;
  }
  std::string folded = FoldAnswer(head);
  folded.erase(0, std::min(folded.find_first_not_of("*_#> \"'`-"), folded.size()));
  return std::ranges::any_of(kCueWords, [&folded](std::string_view word) {
    return folded.starts_with(word) &&
           (folded.size() == word.size() || !IsAlphanumeric(folded[word.size()]));
  });
}

bool IsContentLine(std::string_view line) {
  const std::string folded = FoldAnswer(line.substr(0, 16));
  return folded.starts_with("content:") || folded.starts_with("**content");
}

}  // namespace

std::string FoldAnswer(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto* quote = std::ranges::find_if(kQuotes, [&](const Replacement& replacement) {
      return text.substr(i).starts_with(replacement.from);
    });
    char c = text[i];
    if (quote != kQuotes.end()) {
      c = quote->to;
      i += quote->from.size();
    } else {
      ++i;
    }
    if (kSpace.find(c) != std::string_view::npos) {
      if (!out.empty() && out.back() != ' ') {
        out += ' ';
      }
    } else {
      out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  while (out.ends_with(' ')) {
    out.pop_back();
  }
  return out;
}

std::string_view TrimAnswer(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kSpace);
  return begin == std::string_view::npos
             ? std::string_view{}
             : text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::string_view Unwrap(std::string_view text) {
  text = TrimAnswer(text);
  if (text.starts_with("```")) {
    const std::size_t line = text.find('\n');
    const std::size_t close = text.rfind("```");
    if (line != std::string_view::npos && close > line) {
      text = TrimAnswer(text.substr(line + 1, close - line - 1));
    }
  }
  constexpr std::string_view wrappers = "\"'`*_";
  while (text.size() >= 2 && text.front() == text.back() &&
         wrappers.find(text.front()) != std::string_view::npos) {
    text = TrimAnswer(text.substr(1, text.size() - 2));
  }
  return text;
}

std::optional<std::string_view> AfterCue(std::string_view text) {
  text = TrimAnswer(text);
  const std::string_view whole = text;
  while (IsContentLine(text)) {  // the echoed content may run over several lines
    std::size_t line = text.find('\n');
    while (line != std::string_view::npos) {
      const std::string_view rest = TrimAnswer(text.substr(line + 1));
      const std::string_view next = rest.substr(0, rest.find('\n'));
      if (IsCue(next.substr(0, next.find(':')))) {
        text = rest;
        break;
      }
      line = text.find('\n', line + 1);
    }
    if (line == std::string_view::npos) {
      return std::string_view{};  // nothing but the content
    }
  }
  const std::size_t colon = text.find(':');
  const std::string_view first = text.substr(0, text.find('\n'));
  if (colon != std::string_view::npos && colon < first.size() && IsCue(first.substr(0, colon))) {
    std::string_view rest = text.substr(colon + 1);
    while (rest.starts_with('*') || rest.starts_with('_')) {
      rest.remove_prefix(1);  // the end of a bold cue
    }
    return TrimAnswer(rest);
  }
  return text.size() == whole.size() ? std::nullopt : std::optional(text);
}

bool IsRefusal(std::string_view text) {
  const std::string folded = FoldAnswer(text.substr(0, 400));
  return std::ranges::any_of(
      kRefusals, [&folded](std::string_view start) { return folded.starts_with(start); });
}

std::string_view FirstObject(std::string_view text) {
  const std::size_t begin = text.find('{');
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t i = begin; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      return text.substr(begin, i - begin + 1);
    }
  }
  return {};
}

}  // namespace safeguard::judges
