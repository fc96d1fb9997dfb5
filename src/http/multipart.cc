#include "http/multipart.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

namespace safeguard::http {
namespace {

std::unexpected<Problem> Wrong(std::string detail) {
  return std::unexpected(Problem{
      400, "invalid-form", std::move(detail), "send multipart/form-data, as curl -F does", {}});
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

// The value of `name` among "a=b; c=\"d\"": quotes are taken off, \" and %22 within them are read.
std::optional<std::string> Parameter(std::string_view text, std::string_view name) {
  const std::string lower = Lower(text);
  for (std::size_t at = text.find(';'); at != text.npos; at = text.find(';', at)) {
    at = std::min(text.find_first_not_of(" \t;", at), text.size());
    const std::size_t equals = text.find('=', at);
    if (equals == text.npos) {
      return std::nullopt;
    }
    const bool ours = std::string_view(lower).substr(at, equals - at) == name;
    std::string value;
    at = equals + 1;
    if (at < text.size() && text[at] == '"') {
      for (++at; at < text.size() && text[at] != '"'; ++at) {
        at += text[at] == '\\' && at + 1 < text.size() ? 1 : 0;
        value += text[at];
      }
    } else {
      const std::size_t end = std::min(text.find(';', at), text.size());
      value = text.substr(at, end - at);
      at = end;
    }
    if (ours) {
      return value;
    }
  }
  return std::nullopt;
}

// The header's lines up to the empty one; what follows them is the part's body.
std::optional<std::string> Disposition(std::string_view headers) {
  while (!headers.empty()) {
    const std::size_t end = std::min(headers.find("\r\n"), headers.size());
    const std::string_view line = headers.substr(0, end);
    headers.remove_prefix(std::min(end + 2, headers.size()));
    const std::size_t colon = line.find(':');
    if (colon != line.npos && Lower(line.substr(0, colon)) == "content-disposition") {
      return std::string(line.substr(colon + 1));
    }
  }
  return std::nullopt;
}

OrProblem<FormPart> ReadPart(std::string_view text) {
  const std::size_t end = text.starts_with("\r\n") ? 0 : text.find("\r\n\r\n");
  if (end == text.npos || end > kFormHeaderBytesMax) {
    return Wrong("a part of the form has no header that ends");
  }
  const std::optional<std::string> disposition = Disposition(text.substr(0, end));
  const auto name = disposition ? Parameter(*disposition, "name") : std::nullopt;
  if (!name || name->empty()) {
    return Wrong("a part of the form has no name");
  }
  FormPart part{*name, Parameter(*disposition, "filename").value_or(""), {}};
  part.bytes = text.substr(end + 4);
  return part;
}

}  // namespace

OrProblem<std::vector<FormPart>> ReadForm(std::string_view content_type, std::string_view body) {
  const auto boundary = Parameter(content_type, "boundary");
  if (!boundary || boundary->empty() || boundary->size() > 70) {
    return Wrong("the form's Content-Type names no boundary of 1 to 70 characters");
  }
  const std::string mark = "\r\n--" + *boundary;
  const std::string first = "--" + *boundary;
  std::size_t at = body.starts_with(first) ? first.size() : body.find(mark);
  if (at == body.npos) {
    return Wrong("the form does not begin with its boundary");
  }
  at += body.starts_with(first) ? 0 : mark.size();
  std::vector<FormPart> parts;
  while (!body.substr(at).starts_with("--")) {
    const std::size_t begin = at + 2;
    const std::size_t end = body.find(mark, at);
    if (!body.substr(at).starts_with("\r\n") || end == body.npos || end < begin) {
      return Wrong("the form ends in the middle");
    }
    if (parts.size() == kFormPartsMax) {
      return Wrong("the form has more than " + std::to_string(kFormPartsMax) + " parts");
    }
    OrProblem<FormPart> part = ReadPart(body.substr(begin, end - begin));
    if (!part) {
      return std::unexpected(part.error());
    }
    if (std::ranges::find(parts, part->name, &FormPart::name) != parts.end()) {
      return Wrong("the form has two parts of one name");
    }
    parts.push_back(std::move(*part));
    at = end + mark.size();
  }
  return parts;
}

}  // namespace safeguard::http
