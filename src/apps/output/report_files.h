// Evaluation reports as files; the form is by the name's ending.
#pragma once

#include <string>

#include "apps/output/report_choice.h"
#include "base/result.h"
#include "eval/report.h"

namespace safeguard::apps {

// What the names alone say against it.
Status CheckReports(const ReportChoice& choice);

// Reads what stands beside, then writes each file whole or not at all. `json` is the report as
// JSON.
Status WriteReports(const ReportChoice& choice, const eval::Report& report,
                    const std::string& json);

// "2026-11-28", in UTC.
std::string TodayText();

}  // namespace safeguard::apps
