#include "http/media_type.h"

#include <string>
#include <string_view>

namespace safeguard::http {
namespace {

std::string_view Trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  return begin == text.npos ? "" : text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool IsWord(std::string_view text, std::string_view lower) {
  return std::ranges::equal(text, lower, {},
                            [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
}

// "charset=utf-8", quoted or not, or a parameter that says nothing about how bytes are read.
bool IsReadable(std::string_view parameter) {
  const std::size_t equals = parameter.find('=');
  if (equals == parameter.npos || !IsWord(Trimmed(parameter.substr(0, equals)), "charset")) {
    return true;
  }
  std::string_view value = Trimmed(parameter.substr(equals + 1));
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
  }
  return IsWord(value, "utf-8") || IsWord(value, "utf8") || IsWord(value, "us-ascii");
}

}  // namespace

std::optional<Problem> CheckBody(const Request& request, bool form) {
  if (request.body_bytes() == 0) {
    return std::nullopt;
  }
  const std::string_view encoding = Trimmed(request.header("content-encoding"));
  if (!encoding.empty() && !IsWord(encoding, "identity")) {
    return Problem{.status = 415,
                   .code = "encoding-not-accepted",
                   .detail = "the body has a Content-Encoding, and packed bodies are not accepted",
                   .hint = "send the body itself, without Content-Encoding",
                   .pointer = "",
                   .headers = {{"accept-encoding", "identity"}}};
  }
  std::string_view left = request.header("content-type");
  const std::string_view type = Trimmed(left.substr(0, left.find(';')));
  const std::string expected = form ? "multipart/form-data" : "application/json";
  if (!IsWord(type, expected)) {
    return Problem{415,
                   form ? "not-a-form" : "not-json",
                   std::string("the body is not said to be ") + (form ? "a form" : "JSON"),
                   "send Content-Type: " + expected,
                   {}};
  }
  if (form) {
    return std::nullopt;
  }
  while (left.find(';') != left.npos) {
    left.remove_prefix(left.find(';') + 1);
    if (!IsReadable(left.substr(0, left.find(';')))) {
      return Problem{415,
                     "not-utf-8",
                     "the body is said to be in another charset than UTF-8",
                     "send JSON in UTF-8, as RFC 8259 wants it",
                     {}};
    }
  }
  return std::nullopt;
}

}  // namespace safeguard::http
