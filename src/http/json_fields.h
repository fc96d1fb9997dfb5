// One JSON object's fields, read with their limits; for json_input.cc and the guard beside it.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/problem.h"

namespace safeguard::http {

inline constexpr std::size_t kJsonDepthMax = 16;
inline constexpr std::size_t kNameBytesMax = 256;  // of id, surface, language, account

// A body as one JSON object: UTF-8, at most kJsonDepthMax levels, no field twice.
OrProblem<nlohmann::json> ParseObject(std::string_view body);

// Reads the fields of one object; remembers the first thing that is wrong.
class Fields {
 public:
  // `pointer` is the object's own place in the body. The object must outlive this.
  Fields(const nlohmann::json& object, std::string pointer)
      : object_(object), pointer_(std::move(pointer)) {}

  // Null where it is not there, or null itself.
  const nlohmann::json* Get(const std::string& name);
  std::string Text(const std::string& name, std::size_t bytes_max);
  bool Flag(const std::string& name);
  std::optional<double> Number(const std::string& name, double min, double max);
  // A list of 1 to `max` different names; empty where the field is not there.
  std::vector<std::string> Names(const std::string& name, std::size_t max);

  void Fault(const std::string& name, const std::string& what, std::string hint);
  void Fault(Problem problem);

  // The first thing that is wrong; last a field that nobody asked for.
  std::optional<Problem> End();

 private:
  const nlohmann::json& object_;
  std::string pointer_;
  std::vector<std::string> known_;
  std::optional<Problem> problem_;
};

}  // namespace safeguard::http
