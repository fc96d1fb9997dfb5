// Evaluation reports as files; the form is by the name's ending.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "eval/report.h"

namespace safeguard::apps {

// Which reports the command line asks for.
struct ReportChoice {
  std::vector<std::string> files;   // .html, .json or .md
  std::vector<std::string> beside;  // earlier reports, .json, for the plot of cost against quality
};

// What the names alone say against it.
Status CheckReports(const ReportChoice& choice);

// Reads what stands beside, then writes each file whole or not at all. `json` is the report as
// JSON.
Status WriteReports(const ReportChoice& choice, const eval::Report& report,
                    const std::string& json);

// "2026-11-28", in UTC.
std::string TodayText();

}  // namespace safeguard::apps
