// Labels for `screen train`: out of a file, out of the verdict log, or both.
#pragma once

#include <string>
#include <vector>

#include "apps/command_line/screen_arguments.h"
#include "apps/input/policy_catalog.h"
#include "apps/output/console.h"
#include "apps/output/training_report.h"
#include "eval/dataset.h"

namespace safeguard::apps {

// Labelled records, not cleaned; what is told of them goes into the report. Lines that cannot be
// read are named on the console and counted. Where a text has a label of the file, that of the log
// is left out.
Result<std::vector<eval::Record>> ReadTrainingLabels(const ScreenTrainArguments& arguments,
                                                     const LoadedPolicy& policy, Console& console,
                                                     TrainingReport& report);

// The records of --test, cleaned.
Result<std::vector<eval::Record>> ReadTestLabels(const ScreenTrainArguments& arguments,
                                                 Console& console);

}  // namespace safeguard::apps
