#include "http/json_fields.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>

#include "base/json_depth.h"
#include "base/utf8.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::json;

// What the parser minded, without the text that it had read: a token may be as long as the body.
std::string Complaint(const std::string& what) {
  const std::size_t dash = what.find(" - ");
  const std::size_t begin = dash == std::string::npos ? what.rfind(": ") : dash + 1;
  if (begin == std::string::npos) {
    return "a syntax error";
  }
  return what.substr(begin + 2, what.find("; last read", begin) - begin - 2);
}

Problem NotJson(std::string_view body, const Json::parse_error& error) {
  const std::string_view before = body.substr(0, error.byte == 0 ? 0 : error.byte - 1);
  const auto line = 1 + std::ranges::count(before, '\n');
  const std::size_t column = before.size() - (before.rfind('\n') + 1) + 1;
  return {400,
          "invalid-json",
          "the body is not JSON: line " + std::to_string(line) + ", column " +
              std::to_string(column) + ": " + Complaint(error.what()),
          "send one JSON object; see /openapi.json",
          {}};
}

// "60000" and "0.5": no ".0" behind whole numbers.
std::string Shown(double number) {
  const auto whole = static_cast<std::int64_t>(number);
  return static_cast<double>(whole) == number ? std::to_string(whole) : Json(number).dump();
}

}  // namespace

OrProblem<Json> ParseObject(std::string_view body) {
  if (const auto invalid = FirstInvalidUtf8(body)) {
    return std::unexpected(Problem{400,
                                   "invalid-json",
                                   "the body is not UTF-8 at byte " + std::to_string(*invalid),
                                   "send JSON in UTF-8",
                                   {}});
  }
  if (JsonDepth(body) > kJsonDepthMax) {
    return std::unexpected(
        Problem{400,
                "invalid-json",
                "the body nests deeper than " + std::to_string(kJsonDepthMax) + " levels",
                "send the documented fields",
                {}});
  }
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  std::string twice;
  const auto watch = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) {
      keys.emplace_back();
    } else if (event == Json::parse_event_t::object_end) {
      keys.pop_back();
    } else if (event == Json::parse_event_t::key &&
               !keys.back().insert(parsed.get<std::string>()).second) {
      twice = parsed.get<std::string>();
    }
    return true;
  };
  Json json;
  try {
    json = Json::parse(body, watch);
  } catch (const Json::parse_error& error) {
    return std::unexpected(NotJson(body, error));
  } catch (const Json::exception&) {  // a number that no double holds
    return std::unexpected(Problem{400,
                                   "invalid-json",
                                   "the body holds a number that is out of range",
                                   "send a smaller one",
                                   {}});
  }
  if (!twice.empty()) {
    return std::unexpected(Problem{400,
                                   "invalid-json",
                                   "the field \"" + twice + "\" is there twice",
                                   "parsers differ in which one counts: send it once",
                                   {}});
  }
  if (!json.is_object()) {
    return std::unexpected(
        Problem{400, "invalid-request", "the body is not a JSON object", "see /openapi.json", {}});
  }
  return json;
}

const Json* Fields::Get(const std::string& name) {
  if (std::ranges::find(known_, name) == known_.end()) {
    known_.push_back(name);
  }
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

std::string Fields::Text(const std::string& name, std::size_t bytes_max) {
  const Json* value = Get(name);
  if (value == nullptr) {
    return {};
  }
  if (!value->is_string()) {
    Fault(name, "is not a text", "give a string");
    return {};
  }
  const auto& text = value->get_ref<const std::string&>();
  if (text.size() > bytes_max) {
    Fault(name, "is longer than " + std::to_string(bytes_max) + " bytes", "shorten it");
    return {};
  }
  return text;
}

bool Fields::Flag(const std::string& name) {
  const Json* value = Get(name);
  if (value != nullptr && !value->is_boolean()) {
    Fault(name, "is neither true nor false", "give a boolean");
    return false;
  }
  return value != nullptr && value->get<bool>();
}

std::optional<double> Fields::Number(const std::string& name, double min, double max) {
  const Json* value = Get(name);
  if (value == nullptr) {
    return std::nullopt;
  }
  const double number = value->is_number() ? value->get<double>() : min - 1;
  if (!(number >= min && number <= max)) {
    const std::string range = "from " + Shown(min) + " to " + Shown(max);
    Fault(name, value->is_number() ? "is not " + range : "is not a number",
          "give a number " + range);
    return std::nullopt;
  }
  return number;
}

std::vector<std::string> Fields::Names(const std::string& name, std::size_t max) {
  std::vector<std::string> names;
  const Json* value = Get(name);
  if (value == nullptr) {
    return names;
  }
  if (!value->is_array() || value->empty() || value->size() > max) {
    Fault(name, "is no list of 1 to " + std::to_string(max) + " names",
          "leave it out for the default");
    return names;
  }
  for (const Json& item : *value) {
    if (!item.is_string() || item.get_ref<const std::string&>().empty() ||
        item.get_ref<const std::string&>().size() > kNameBytesMax) {
      Fault(name, "holds something that is no name", "give strings, as in \"spam\"");
      return {};
    }
    names.push_back(item.get<std::string>());
  }
  std::vector<std::string> sorted = names;
  std::ranges::sort(sorted);
  if (std::ranges::adjacent_find(sorted) != sorted.end()) {
    Fault(name, "names one twice", "name each once");
  }
  return names;
}

void Fields::Fault(const std::string& name, const std::string& what, std::string hint) {
  if (!problem_) {
    const std::string place = (Json::json_pointer() / name).to_string();  // '/' in it is escaped
    problem_ = Problem{400, "invalid-request", "\"" + name + "\" " + what, std::move(hint),
                       pointer_ + place};
  }
}

void Fields::Fault(Problem problem) {
  if (!problem_) {
    problem_ = std::move(problem);
  }
}

std::optional<Problem> Fields::End() {
  for (const auto& [name, value] : object_.items()) {
    if (!problem_ && std::ranges::find(known_, name) == known_.end()) {
      std::string list;
      for (const std::string& known : known_) {
        list += (list.empty() ? "" : ", ") + known;
      }
      Fault(name.substr(0, kNameBytesMax), "is not a field of this request",
            "its fields are: " + list);
    }
  }
  return problem_;
}

}  // namespace safeguard::http
