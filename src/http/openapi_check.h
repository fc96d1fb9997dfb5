// For tests: whether JSON is what the OpenAPI document says. Reads the part of JSON Schema 2020-12
// that the document uses, and refuses a keyword that it does not know, so that none is ignored.
#pragma once

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "http/message.h"
#include "http/service.h"

namespace safeguard::http {

class OpenApiCheck {
 public:
  using Json = nlohmann::json;

  OpenApiCheck() : document_(Json::parse(OpenApiDocument())) {}

  [[nodiscard]] const Json& document() const { return document_; }

  // What is wrong with `value`; empty when it is as `schema` says.
  [[nodiscard]] std::string Check(const Json& schema, const Json& value,
                                  const std::string& place = "") const {
    if (schema.contains("$ref")) {
      return Check(Resolve(schema["$ref"]), value, place);
    }
    for (const auto& [keyword, argument] : schema.items()) {
      const std::string problem = CheckKeyword(keyword, argument, schema, value, place);
      if (!problem.empty()) {
        return problem;
      }
    }
    return "";
  }

  // What is wrong with the answer to METHOD pattern: its status, its type or its body.
  [[nodiscard]] std::string CheckResponse(const std::string& method, const std::string& pattern,
                                          const Response& response) const {
    if (!document_["paths"].contains(pattern) || !document_["paths"][pattern].contains(method)) {
      return method + " " + pattern + " is not in the document";
    }
    const Json& operation = document_["paths"][pattern][method];
    const std::string status = std::to_string(response.status);
    if (operation.is_null() || !operation["responses"].contains(status)) {
      return method + " " + pattern + " has no answer " + status + ": " + response.body;
    }
    Json answer = operation["responses"][status];
    if (answer.contains("$ref")) {
      answer = Resolve(answer["$ref"]);
    }
    if (!answer.contains("content")) {
      return response.body.empty() ? "" : "there should be no body";
    }
    const std::string type = response.content_type.substr(0, response.content_type.find(';'));
    if (!answer["content"].contains(type)) {
      return status + " is not of type " + type;
    }
    if (type == "text/plain" || type == "text/html" || type == "application/octet-stream" ||
        type == "text/event-stream") {
      return "";
    }
    if (type == "application/x-ndjson") {
      return CheckLines(answer["content"][type]["schema"], response.body);
    }
    const Json body = Json::parse(response.body, nullptr, false);
    return body.is_discarded() ? "not JSON" : Check(answer["content"][type]["schema"], body);
  }

  [[nodiscard]] Json Resolve(const std::string& reference) const {
    return document_.at(Json::json_pointer(reference.substr(1)));
  }

 private:
  [[nodiscard]] std::string CheckLines(const Json& schema, const std::string& body) const {
    std::istringstream lines(body);
    for (std::string line; std::getline(lines, line);) {
      const Json value = Json::parse(line, nullptr, false);
      std::string problem = value.is_discarded() ? "a line is not JSON" : Check(schema, value);
      if (!problem.empty()) {
        return problem;
      }
    }
    return "";
  }

  static bool IsType(const std::string& type, const Json& value) {
    return (type == "object" && value.is_object()) || (type == "array" && value.is_array()) ||
           (type == "string" && value.is_string()) || (type == "number" && value.is_number()) ||
           (type == "integer" && value.is_number_integer()) ||
           (type == "boolean" && value.is_boolean()) || (type == "null" && value.is_null());
  }

  static std::string CheckType(const Json& types, const Json& value, const std::string& place) {
    const Json list = types.is_array() ? types : Json::array({types});
    const bool fits = std::ranges::any_of(
        list, [&](const Json& type) { return IsType(type.get<std::string>(), value); });
    return fits ? "" : place + " is not of type " + types.dump() + ": " + value.dump();
  }

  [[nodiscard]] std::string CheckKeyword(const std::string& keyword, const Json& argument,
                                         const Json& schema, const Json& value,
                                         const std::string& place) const {
    static const std::set<std::string> words = {"description", "default", "format"};
    if (words.contains(keyword)) {
      return "";
    }
    if (keyword == "type") {
      return CheckType(argument, value, place);
    }
    if (keyword == "enum" || keyword == "const") {
      const Json all = keyword == "enum" ? argument : Json::array({argument});
      const bool there = std::ranges::find(all, value) != all.end();
      return there ? "" : place + " is none of " + all.dump() + ": " + value.dump();
    }
    if (keyword == "allOf" || keyword == "anyOf" || keyword == "oneOf") {
      return CheckAlternatives(keyword, argument, value, place);
    }
    if (keyword == "required" || keyword == "properties" || keyword == "additionalProperties") {
      return value.is_object() ? CheckObject(keyword, argument, schema, value, place) : "";
    }
    if (keyword == "items" || keyword == "minItems" || keyword == "maxItems" ||
        keyword == "uniqueItems") {
      return value.is_array() ? CheckArray(keyword, argument, value, place) : "";
    }
    const bool number = keyword == "minimum" || keyword == "maximum";
    if (number || keyword == "minLength" || keyword == "maxLength") {
      return CheckRange(keyword, argument, value, place);
    }
    return "the schema has a keyword that the check does not know: " + keyword;
  }

  [[nodiscard]] std::string CheckAlternatives(const std::string& keyword, const Json& list,
                                              const Json& value, const std::string& place) const {
    std::string first;
    std::size_t fitting = 0;
    for (const Json& one : list) {
      const std::string problem = Check(one, value, place);
      fitting += problem.empty() ? 1 : 0;
      first = first.empty() ? problem : first;
    }
    const bool good = keyword == "allOf"   ? fitting == list.size()
                      : keyword == "anyOf" ? fitting > 0
                                           : fitting == 1;
    return good ? "" : place + " does not fit " + keyword + ": " + first;
  }

  [[nodiscard]] std::string CheckObject(const std::string& keyword, const Json& argument,
                                        const Json& schema, const Json& value,
                                        const std::string& place) const {
    if (keyword == "required") {
      for (const Json& name : argument) {
        if (!value.contains(name.get<std::string>())) {
          return place + " lacks " + name.dump();
        }
      }
      return "";
    }
    for (const auto& [name, item] : value.items()) {
      const bool listed = schema.contains("properties") && schema["properties"].contains(name);
      std::string problem;
      if (keyword == "properties" && listed) {
        problem = Check(argument[name], item, place + "/" + name);
      } else if (keyword == "additionalProperties" && !listed) {
        problem = argument.is_boolean() ? (argument.get<bool>() ? "" : place + " has " + name)
                                        : Check(argument, item, place + "/" + name);
      }
      if (!problem.empty()) {
        return problem;
      }
    }
    return "";
  }

  [[nodiscard]] std::string CheckArray(const std::string& keyword, const Json& argument,
                                       const Json& value, const std::string& place) const {
    if (keyword == "minItems" || keyword == "maxItems") {
      const auto limit = argument.get<std::size_t>();
      const bool good = keyword == "minItems" ? value.size() >= limit : value.size() <= limit;
      return good ? "" : place + " has " + std::to_string(value.size()) + " items";
    }
    if (keyword == "uniqueItems") {
      const std::set<Json> different(value.begin(), value.end());
      return different.size() == value.size() ? "" : place + " holds one twice";
    }
    for (std::size_t i = 0; i < value.size(); ++i) {
      const std::string problem = Check(argument, value[i], place + "/" + std::to_string(i));
      if (!problem.empty()) {
        return problem;
      }
    }
    return "";
  }

  static std::string CheckRange(const std::string& keyword, const Json& argument, const Json& value,
                                const std::string& place) {
    const bool of_number = keyword == "minimum" || keyword == "maximum";
    if (of_number ? !value.is_number() : !value.is_string()) {
      return "";
    }
    const double measured =
        of_number ? value.get<double>() : static_cast<double>(value.get<std::string>().size());
    const double limit = argument.get<double>();
    const bool good = keyword.starts_with("min") ? measured >= limit : measured <= limit;
    return good ? "" : place + " is out of range: " + value.dump();
  }

  Json document_;
};

}  // namespace safeguard::http
