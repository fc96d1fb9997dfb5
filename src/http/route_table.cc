#include "http/route_table.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "http/json_fields.h"
#include "http/json_input.h"

namespace safeguard::http {
namespace {

constexpr std::size_t kPathBytesMax = 2048;

std::vector<std::string_view> Parts(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    path.remove_prefix(1);  // the '/'
    const std::size_t end = std::min(path.find('/'), path.size());
    parts.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return parts;
}

// The values of a pattern's parts in braces; nothing when the path is another one.
std::optional<std::map<std::string, std::string>> Match(
    const std::vector<std::string_view>& pattern, const std::vector<std::string_view>& path) {
  if (pattern.size() != path.size()) {
    return std::nullopt;
  }
  std::map<std::string, std::string> values;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (!pattern[i].starts_with('{')) {
      if (pattern[i] != path[i]) {
        return std::nullopt;
      }
      continue;
    }
    std::optional<std::string> value = PercentDecode(path[i], false);
    if (!value || value->empty() || value->size() > kNameBytesMax) {
      return std::nullopt;
    }
    values[std::string(pattern[i].substr(1, pattern[i].size() - 2))] = std::move(*value);
  }
  return values;
}

bool IsPath(const std::string& path) {
  return path.size() <= kPathBytesMax && path.starts_with('/');
}

}  // namespace

void RouteTable::Add(const Route& route) {
  Entry& entry = entries_.emplace_back(Entry{route, entries_.size(), {}});
  entry.parts = Parts(entry.route.pattern);
}

const RouteTable::Entry* RouteTable::Find(Request& request) const {
  if (!IsPath(request.path)) {
    return nullptr;
  }
  const std::string method = request.method == "HEAD" ? "GET" : request.method;
  const std::vector<std::string_view> parts = Parts(request.path);
  for (const Entry& entry : entries_) {
    if (entry.route.method != method) {
      continue;
    }
    if (auto values = Match(entry.parts, parts)) {
      request.values = std::move(*values);
      return &entry;
    }
  }
  return nullptr;
}

std::string RouteTable::MethodsOf(const std::string& path) const {
  std::string methods;
  if (!IsPath(path)) {
    return methods;
  }
  const std::vector<std::string_view> parts = Parts(path);
  for (const Entry& entry : entries_) {
    if (Match(entry.parts, parts)) {
      methods += (methods.empty() ? "" : ", ") + entry.route.method +
                 (entry.route.method == "GET" ? ", HEAD" : "");
    }
  }
  return methods;
}

}  // namespace safeguard::http
