#include "http/multipart.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

namespace safeguard::http {
namespace {

constexpr std::string_view kBlankLine = "\r\n\r\n";

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

// A body that is looked through from its beginning to its end, in pieces that overlap.
class Body {
 public:
  explicit Body(const moderation::ByteSource& source) : source_(source) {}

  // At most `count` bytes from `at` on.
  OrProblem<std::string> Read(std::size_t at, std::size_t count) const {
    Result<std::string> bytes = source_.read(at, count);
    return bytes ? OrProblem<std::string>(std::move(*bytes))
                 : std::unexpected(ProblemOf(bytes.error()));
  }
  // Where `mark` begins, at `from` or after; npos: nowhere.
  OrProblem<std::size_t> Find(std::string_view mark, std::size_t from) const {
    std::size_t step = kSmallPieceBytes;
    for (std::size_t at = from; at < source_.size; at += step) {
      step = at == from ? kSmallPieceBytes : moderation::kFilePieceBytes;
      const OrProblem<std::string> piece = Read(at, step + mark.size() - 1);
      if (!piece) {
        return std::unexpected(piece.error());
      }
      if (const std::size_t found = piece->find(mark); found != piece->npos) {
        return at + found;
      }
    }
    return std::string::npos;
  }
  // Whether `text` is there.
  OrProblem<bool> Has(std::string_view text, std::size_t at) const {
    const OrProblem<std::string> there = Read(at, text.size());
    return there ? OrProblem<bool>(*there == text) : std::unexpected(there.error());
  }

 private:
  static constexpr std::size_t kSmallPieceBytes = 8192;  // most parts are short

  const moderation::ByteSource& source_;
};

// Of the part whose header begins at `begin`, and which ends at `end`.
OrProblem<PlacedPart> ReadPart(const Body& body, std::size_t begin, std::size_t end) {
  const OrProblem<std::string> read =
      body.Read(begin, std::min(end - begin, kFormHeaderBytesMax + kBlankLine.size()));
  if (!read) {
    return std::unexpected(read.error());
  }
  const std::string_view text = *read;
  const std::size_t size = text.starts_with("\r\n") ? 0 : text.find(kBlankLine);
  if (size == text.npos) {
    return Wrong("a part of the form has no header that ends");
  }
  const std::optional<std::string> disposition = Disposition(text.substr(0, size));
  const auto name = disposition ? Parameter(*disposition, "name") : std::nullopt;
  if (!name || name->empty()) {
    return Wrong("a part of the form has no name");
  }
  const std::size_t bytes = begin + size + kBlankLine.size();
  return PlacedPart{*name, Parameter(*disposition, "filename").value_or(""), bytes, end - bytes};
}

// Behind the boundary that begins the form.
OrProblem<std::size_t> FormBegin(const Body& body, const std::string& boundary) {
  const OrProblem<bool> at_once = body.Has("--" + boundary, 0);
  if (!at_once) {
    return std::unexpected(at_once.error());
  }
  if (*at_once) {
    return boundary.size() + 2;
  }
  const std::string mark = "\r\n--" + boundary;
  const OrProblem<std::size_t> found = body.Find(mark, 0);
  if (found && *found == std::string::npos) {
    return Wrong("the form does not begin with its boundary");
  }
  return found ? OrProblem<std::size_t>(*found + mark.size()) : found;
}

}  // namespace

OrProblem<std::vector<PlacedPart>> FindParts(std::string_view content_type,
                                             const moderation::ByteSource& source) {
  const auto boundary = Parameter(content_type, "boundary");
  if (!boundary || boundary->empty() || boundary->size() > 70) {
    return Wrong("the form's Content-Type names no boundary of 1 to 70 characters");
  }
  const Body body(source);
  const std::string mark = "\r\n--" + *boundary;
  const OrProblem<std::size_t> first = FormBegin(body, *boundary);
  if (!first) {
    return std::unexpected(first.error());
  }
  std::vector<PlacedPart> parts;
  for (std::size_t at = *first;;) {
    const OrProblem<std::string> next = body.Read(at, 2);
    if (next && *next == "--") {
      return parts;
    }
    const OrProblem<std::size_t> end = next ? body.Find(mark, at) : std::unexpected(next.error());
    if (!end) {
      return std::unexpected(end.error());
    }
    const std::size_t begin = at + 2;
    if (*next != "\r\n" || *end == std::string::npos || *end < begin) {
      return Wrong("the form ends in the middle");
    }
    if (parts.size() == kFormPartsMax) {
      return Wrong("the form has more than " + std::to_string(kFormPartsMax) + " parts");
    }
    OrProblem<PlacedPart> part = ReadPart(body, begin, *end);
    if (!part) {
      return std::unexpected(part.error());
    }
    if (std::ranges::find(parts, part->name, &PlacedPart::name) != parts.end()) {
      return Wrong("the form has two parts of one name");
    }
    parts.push_back(std::move(*part));
    at = *end + mark.size();
  }
}

OrProblem<std::vector<FormPart>> ReadForm(std::string_view content_type, std::string_view body) {
  const auto placed = FindParts(content_type, moderation::SourceOf(body));
  if (!placed) {
    return std::unexpected(placed.error());
  }
  std::vector<FormPart> parts;
  for (const PlacedPart& part : *placed) {
    parts.push_back({part.name, part.file_name, std::string(body.substr(part.begin, part.size))});
  }
  return parts;
}

}  // namespace safeguard::http
