#include "engine/text/harmony/header.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/utf8.h"
#include "engine/special_tokens.h"

namespace safeguard::engine {
namespace {

// Stands for the control token <|constrain|> in a header's text. Text is valid UTF-8 by then and
// cannot hold it.
constexpr char kConstrainMark = '\xFF';
constexpr std::string_view kConstrainName = "<|constrain|>";

std::unexpected<Error> Malformed(std::string message) {
  return Fail(ErrorCode::kInvalidInput, std::move(message));
}

// White_Space, which Rust's trim and is_whitespace mean.
bool IsSpace(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

bool IsAsciiSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

// The header as text, its first <|channel|> taken out of it.
struct HeaderText {
  std::string text;
  std::optional<std::size_t> channel_at;  // where the channel's name begins
};

Status AppendSegment(std::string& segment, bool strict, std::string& text) {
  if (FirstInvalidUtf8(segment)) {
    if (strict) {
      return Malformed("could not decode header");
    }
    segment = RepairUtf8(segment).text;
  }
  text += segment;
  segment.clear();
  return {};
}

Result<HeaderText> TextOf(const Bpe& bpe, const std::vector<std::uint32_t>& ids, bool strict) {
  HeaderText header;
  std::string segment;  // of ordinary tokens
  for (const std::uint32_t id : ids) {
    if (id < bpe.size()) {
      segment += bpe.Bytes(id);
      continue;
    }
    if (Status status = AppendSegment(segment, strict, header.text); !status) {
      return std::unexpected(std::move(status.error()));
    }
    if (id == special::kChannel && !header.channel_at) {
      header.channel_at = header.text.size();
    } else if (id == special::kConstrain) {
      header.text += kConstrainMark;
    } else if (IsControlToken(id)) {
      header.text += ControlTokenName(id);
    } else if (strict) {
      return Malformed("could not decode header");
    }
  }
  if (Status status = AppendSegment(segment, strict, header.text); !status) {
    return std::unexpected(std::move(status.error()));
  }
  return header;
}

// Cuts the channel's name out of the text.
Result<std::optional<std::string>> TakeChannel(HeaderText& header, bool strict) {
  if (!header.channel_at) {
    return std::nullopt;
  }
  std::size_t end = *header.channel_at;
  while (end < header.text.size() && header.text[end] != '<' &&
         header.text[end] != kConstrainMark) {
    const DecodedCodePoint point = DecodeUtf8(header.text, end);
    if (IsSpace(point.value)) {
      break;
    }
    end += point.length;
  }
  const std::size_t begin = *header.channel_at;
  std::string channel = header.text.substr(begin, end - begin);
  header.text.erase(begin, end - begin);
  if (!channel.empty()) {
    return std::optional(std::move(channel));
  }
  if (strict) {
    return Malformed("channel marker present but no channel value found in header");
  }
  return std::nullopt;
}

std::string_view Trimmed(std::string_view text) {
  std::size_t begin = text.size();
  std::size_t end = 0;
  for (std::size_t at = 0; at < text.size();) {
    const DecodedCodePoint point = DecodeUtf8(text, at);  // the mark counts as one byte
    if (!IsSpace(point.value)) {
      begin = std::min(begin, at);
      end = at + point.length;
    }
    at += point.length;
  }
  return begin < end ? text.substr(begin, end - begin) : std::string_view();
}

// At ASCII white space, and before each mark, which stays in its word.
std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  bool open = false;
  for (const char c : Trimmed(text)) {
    if (IsAsciiSpace(c)) {
      open = false;
      continue;
    }
    if (!open || c == kConstrainMark) {
      words.emplace_back();
      open = true;
    }
    words.back() += c;
  }
  return words;
}

// A word with the mark written out.
std::string Written(std::string_view word) {
  std::string written;
  if (word.starts_with(kConstrainMark)) {
    written = kConstrainName;
    word.remove_prefix(1);
  }
  return written.append(word);
}

struct Author {
  HarmonyRole role;
  std::string name;
};

// Takes an unknown role's word; a known one's is taken by the caller.
Result<Author> TakeAuthor(std::vector<std::string>& words, bool strict) {
  if (words.empty()) {
    if (strict) {
      return Malformed("message header did not contain a role");
    }
    return Author{HarmonyRole::kAssistant, {}};
  }
  std::string word = Written(words.front());
  if (const auto known = HarmonyRoleOf(word)) {
    return Author{*known, *known == HarmonyRole::kTool ? std::move(word) : std::string()};
  }
  if (strict && words.size() == 1 && !word.starts_with("to=")) {
    return Malformed("Unknown role: " + word);
  }
  words.erase(words.begin());
  return Author{HarmonyRole::kTool, std::move(word)};
}

std::string WithoutTo(const std::string& word) {
  return word.starts_with("to=") ? word.substr(3) : Written(word);
}

void TakeRecipientAndType(std::vector<std::string>& words, ParsedHeader& parsed) {
  if (words.empty()) {
    return;
  }
  std::string last = std::move(words.back());
  words.pop_back();
  if (last.starts_with("to=") || words.empty()) {
    parsed.to_tool = !last.starts_with(kConstrainMark);
    parsed.header.recipient = WithoutTo(last);
    return;
  }
  parsed.header.content_type = Written(last);
  parsed.to_tool = true;
  parsed.header.recipient = WithoutTo(words.back());
  words.pop_back();
}

std::string Joined(const std::vector<std::string>& words) {
  std::string joined;
  for (const std::string& word : words) {
    joined += (joined.empty() ? "" : " ") + Written(word);
  }
  return joined;
}

}  // namespace

Result<ParsedHeader> ParseHeader(const Bpe& bpe, const std::vector<std::uint32_t>& ids,
                                 std::optional<HarmonyRole> role, HeaderForm form, bool strict) {
  Result<HeaderText> text = TextOf(bpe, ids, strict);
  if (!text) {
    return std::unexpected(std::move(text.error()));
  }
  Result<std::optional<std::string>> channel = TakeChannel(*text, strict);
  if (!channel) {
    return std::unexpected(std::move(channel.error()));
  }
  ParsedHeader parsed;
  parsed.header.channel = std::move(*channel);
  std::vector<std::string> words = Words(text->text);
  Result<Author> author = role ? Author{*role, {}} : TakeAuthor(words, strict);
  if (!author) {
    return std::unexpected(std::move(author.error()));
  }
  parsed.header.role = author->role;
  parsed.header.name = std::move(author->name);
  if (!words.empty() && words.front() == ToString(parsed.header.role)) {
    words.erase(words.begin());
  }
  if (form == HeaderForm::kCut) {
    parsed.rest = Joined(words);
    return parsed;
  }
  TakeRecipientAndType(words, parsed);
  if (strict && !words.empty()) {
    return Malformed("unexpected tokens remaining in message header: Some(\"" + Joined(words) +
                     "\")");
  }
  return parsed;
}

}  // namespace safeguard::engine
