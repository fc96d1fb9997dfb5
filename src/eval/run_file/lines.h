// The lines of a run file, to and from JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "eval/run_file.h"

namespace safeguard::eval {

inline constexpr const char* kRunMark = "safeguard_run";

nlohmann::ordered_json HeaderJson(const RunHeader& header);
// Not a header: kInvalidInput. Of a newer format: the message says so.
Result<RunHeader> ReadHeader(const nlohmann::json& json);

std::string CaseLine(const Record& record, const JudgedRecord& judged);
// `policies`: of the header; gives each verdict its reference.
Result<RunCase> ReadCase(const nlohmann::json& json, const std::vector<RunPolicy>& policies);

// The whole lines of a file, and how many bytes they have. Fails on a line that is not JSON, unless
// it is the last and has no newline.
struct WholeLines {
  nlohmann::json header;
  std::vector<nlohmann::json> cases;
  std::size_t bytes = 0;
};
Result<WholeLines> SplitRun(std::string_view bytes, const std::string& path);

}  // namespace safeguard::eval
