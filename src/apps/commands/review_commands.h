// `safeguard review ...`.
#pragma once

#include "apps/command_line/review_arguments.h"
#include "apps/exit_code.h"
#include "apps/output/console.h"
#include "apps/services.h"

namespace safeguard::apps {

ExitCode RunReviewList(const ReviewListArguments& arguments, Services& services, Console& console);
ExitCode RunReviewShow(const ReviewShowArguments& arguments, Console& console);
// Rules are checked against the policy where its very text can be found.
ExitCode RunReviewDecide(const ReviewDecideArguments& arguments, Services& services,
                         Console& console);
ExitCode RunReviewExport(const ReviewExportArguments& arguments, Services& services,
                         Console& console);
ExitCode RunReviewPrune(const ReviewPruneArguments& arguments, Console& console);

}  // namespace safeguard::apps
