#include "http/accept.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

namespace safeguard::http {
namespace {

std::string_view Trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  return begin == text.npos ? "" : text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// What stands before the next `mark`; it is taken off.
std::string_view Next(std::string_view& text, char mark) {
  const std::size_t end = std::min(text.find(mark), text.size());
  const std::string_view part = Trimmed(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

bool SameWord(std::string_view text, std::string_view lower) {
  return std::ranges::equal(text, lower, {},
                            [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
}

bool Covers(std::string_view range, std::string_view type) {
  if (range.ends_with("/*") && range != "*/*") {
    return SameWord(range.substr(0, range.size() - 1), type.substr(0, type.find('/') + 1));
  }
  return range == "*/*" || SameWord(range, type);
}

// "q=0", "q=0.000"
bool IsRefusal(std::string_view parameter) {
  const bool weight = parameter.starts_with("q=") || parameter.starts_with("Q=");
  return weight && parameter.size() > 2 && parameter[2] == '0' &&
         parameter.find_first_not_of("0.", 2) == parameter.npos;
}

bool IsForeignShape(const Route& route) {
  return route.openai || !route.pattern.starts_with("/v1/");
}

using TypesByRoute = std::map<std::string, std::vector<std::string>>;

TypesByRoute ReadTypes() {
  TypesByRoute types;
  const nlohmann::json document = nlohmann::json::parse(OpenApiDocument());
  for (const auto& [path, item] : document["paths"].items()) {
    for (const auto& [method, operation] : item.items()) {
      std::string upper = method;
      std::ranges::transform(upper, upper.begin(),
                             [](char c) { return static_cast<char>(c - 'a' + 'A'); });
      std::vector<std::string>& list = types[upper + " " + path];
      for (const auto& [status, response] : operation["responses"].items()) {
        if (!status.starts_with('2') || !response.contains("content")) {
          continue;
        }
        for (const auto& [type, content] : response["content"].items()) {
          list.push_back(type);
        }
      }
    }
  }
  return types;
}

}  // namespace

bool Accepts(std::string_view header, const std::vector<std::string>& types) {
  if (Trimmed(header).empty() || types.empty()) {
    return true;
  }
  while (!header.empty()) {
    std::string_view one = Next(header, ',');
    const std::string_view range = Next(one, ';');
    bool refused = false;
    while (!one.empty()) {
      refused = IsRefusal(Next(one, ';')) || refused;
    }
    const auto covers = [&](const std::string& type) { return Covers(range, type); };
    if (!refused && std::ranges::any_of(types, covers)) {
      return true;
    }
  }
  return false;
}

const std::vector<std::string>& AnswerTypes(const Route& route) {
  static const TypesByRoute types = ReadTypes();
  static const std::vector<std::string> none;
  const auto found = types.find(route.method + " " + route.pattern);
  return found == types.end() || IsForeignShape(route) ? none : found->second;
}

}  // namespace safeguard::http
