// The fields of a JSON answer, under the names that policies and models give them.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "judges/reasoner/labels.h"

namespace safeguard::judges {

struct AnswerFields {
  std::optional<bool> violation;      // empty: no field says it
  bool contradictory = false;         // two fields say different things
  bool escalate = false;              // a field asks for a person
  std::vector<std::string> category;  // as written: "SP2", "SP2.a", ...; "none" and null left out
  std::vector<std::string> rules;
  std::string rationale;
  std::string confidence;
};

// A discarded value where `text` is not JSON, or is nested deeper than 16.
nlohmann::json ParseAnswerJson(std::string_view text);

// `object` need not be one: then nothing is found.
AnswerFields ReadAnswerFields(const nlohmann::json& object, const AnswerLabels& labels);

}  // namespace safeguard::judges
