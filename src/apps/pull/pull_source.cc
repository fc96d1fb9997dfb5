#include "apps/pull/pull_source.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "apps/pull/remote_list.h"
#include "apps/pull/url.h"

namespace safeguard::apps::pull {
namespace {

constexpr std::size_t kNameBytesMax = 96;
constexpr std::size_t kRevisionBytesMax = 200;
constexpr const char* kNames =
    "write gpt-oss-safeguard-20b, gpt-oss-safeguard-120b, gpt-oss-20b, gpt-oss-120b, OWNER/NAME or "
    "a URL";

bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= kNameBytesMax && text != "." && text != ".." &&
         std::ranges::all_of(text, IsWordCharacter);
}

bool IsRevision(std::string_view text) {
  return !text.empty() && text.size() <= kRevisionBytesMax && text.front() != '/' &&
         text.back() != '/' && text.find("..") == std::string_view::npos &&
         text.find("//") == std::string_view::npos &&
         std::ranges::all_of(text, [](char c) { return IsWordCharacter(c) || c == '/'; });
}

std::string Lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

// Empty when the name is not one of ours.
std::string ShortName(const std::string& name) {
  const std::string lower = Lower(name);
  for (const std::string size : {"20b", "120b"}) {
    const std::string safeguard = "gpt-oss-safeguard-" + size;
    if (lower == size || lower == "safeguard-" + size || lower == safeguard ||
        lower == "gpt-oss-safeguard:" + size) {
      return "openai/" + safeguard;
    }
    if (lower == "gpt-oss-" + size || lower == "gpt-oss:" + size) {
      return "openai/gpt-oss-" + size;
    }
  }
  return "";
}

bool LooksLikeFile(std::string_view name) {
  constexpr std::array<std::string_view, 9> kEndings = {
      ".gguf", ".safetensors", ".json", ".bin", ".txt", ".jinja", ".zip", ".gz", ".tiktoken"};
  return std::ranges::any_of(kEndings, [name](auto ending) { return name.ends_with(ending); });
}

std::string Unescape(std::string_view text) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 &&
        digit(text[i + 2]) >= 0) {
      out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::vector<std::string> Segments(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    if (slash != 0) {
      segments.push_back(Unescape(path.substr(0, slash)));
    }
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
  return segments;
}

// OWNER/NAME[/tree/REVISION] or OWNER/NAME/{resolve,blob}/REVISION/FILE; a revision with a slash in
// it must be escaped there, as the hub's own pages do.
bool ReadRepositoryPath(const std::vector<std::string>& path, PullSource& source) {
  if (path.size() < 2 || !IsName(path[0]) || !IsName(path[1])) {
    return false;
  }
  const bool tree = path.size() == 4 && path[2] == "tree";
  const bool file = path.size() >= 5 && (path[2] == "resolve" || path[2] == "blob");
  if (!tree && !file && (path.size() != 2 || LooksLikeFile(path[1]))) {
    return false;
  }
  source.repository = path[0] + "/" + path[1];
  source.revision = path.size() > 3 ? path[3] : "";
  for (std::size_t i = 4; i < path.size(); ++i) {
    source.file += (i > 4 ? "/" : "") + path[i];
  }
  return true;
}

Result<PullSource> ParseSourceUrl(const std::string& text, const std::string& endpoint) {
  const Result<Url> url = ParseUrl(text);
  if (!url) {
    return std::unexpected(url.error());
  }
  PullSource source;
  const Result<Url> home = ParseUrl(endpoint);
  std::string_view path = url->path;
  std::string prefix;
  if (home && home->Origin() == url->Origin()) {
    prefix = home->path;
    while (prefix.ends_with('/')) {
      prefix.pop_back();
    }
    prefix = path.starts_with(prefix + "/") ? prefix : "";
  }
  path.remove_prefix(prefix.size());
  if (ReadRepositoryPath(Segments(path), source)) {
    const std::size_t host = url->text.find("://") + 3;
    source.endpoint = url->text.substr(0, url->text.find('/', host)) + prefix;
    return source;
  }
  const std::vector<std::string> segments = Segments(url->path);
  const Status name =
      segments.empty() ? Fail(ErrorCode::kInvalidInput, "") : CheckRemotePath(segments.back());
  if (!name || segments.back().find('/') != std::string::npos) {
    return Fail(ErrorCode::kInvalidInput, text + " names neither a repository nor a file", kNames);
  }
  source.url = url->text;
  source.file = segments.back();
  return source;
}

Result<PullSource> ParseSourceName(const std::string& name, const std::string& endpoint) {
  PullSource source;
  source.endpoint = endpoint;
  while (source.endpoint.ends_with('/')) {
    source.endpoint.pop_back();
  }
  const std::size_t at = name.find('@');
  std::string repository = name.substr(0, at);
  if (at != std::string::npos) {
    source.revision = name.substr(at + 1);
    if (!IsRevision(source.revision)) {
      return Fail(ErrorCode::kInvalidInput, "not a revision: " + source.revision,
                  "a branch, tag or commit, as in OWNER/NAME@main");
    }
  }
  const std::string known = ShortName(repository);
  repository = known.empty() ? repository : known;
  const std::size_t slash = repository.find('/');
  if (slash == std::string::npos || !IsName(repository.substr(0, slash)) ||
      !IsName(repository.substr(slash + 1))) {
    return Fail(ErrorCode::kInvalidInput, "not a model's name: " + name, kNames);
  }
  source.repository = repository;
  return source;
}

}  // namespace

std::string PullSource::FolderName() const {
  if (!repository.empty()) {
    return repository.substr(repository.find('/') + 1);
  }
  const std::string stem = file.substr(0, file.rfind('.'));
  const bool dots = stem.find_first_not_of('.') == std::string::npos;
  return dots || stem == file ? file + "-pulled" : stem;
}

Result<PullSource> ParsePullSource(const std::string& name, const std::string& revision,
                                   const std::string& endpoint) {
  Result<PullSource> source = name.find("://") != std::string::npos
                                  ? ParseSourceUrl(name, endpoint)
                                  : ParseSourceName(name, endpoint);
  if (!source) {
    return source;
  }
  if (!revision.empty()) {
    if (source->repository.empty()) {
      return Fail(ErrorCode::kInvalidInput, "--revision is for repositories, not for a file's URL",
                  "leave it out");
    }
    if (!source->revision.empty() && source->revision != revision) {
      return Fail(ErrorCode::kInvalidInput,
                  "two revisions are named: " + source->revision + " and " + revision,
                  "leave one out");
    }
    source->revision = revision;
  }
  if (source->revision.empty()) {
    source->revision = "main";
  }
  if (!IsRevision(source->revision)) {
    return Fail(ErrorCode::kInvalidInput, "not a revision: " + source->revision,
                "a branch, tag or commit, as in --revision main");
  }
  return source;
}

}  // namespace safeguard::apps::pull
