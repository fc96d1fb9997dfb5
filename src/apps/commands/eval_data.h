// From what the command line says of labelled data to the data.
#pragma once

#include <string>
#include <vector>

#include "apps/command_line/arguments.h"
#include "apps/output/console.h"
#include "base/result.h"
#include "eval/benchmark_sets.h"
#include "eval/dataset.h"

namespace safeguard::apps {

// --map, --positive and their like as one mapping. Fails on a key that is not known, a key without
// a field, and one given twice.
Result<eval::ColumnMapping> MappingOf(const EvalArguments& arguments);

// The mapping as one line, so that a run goes on only with the same.
std::string MappingText(const EvalArguments& arguments);

// The data of --data (or of --recorded alone), by --format.
Result<eval::Dataset> LoadEvalData(const EvalArguments& arguments);

// Some lines that could not be read, each as one line, and how many more there are.
void ReportLineErrors(const eval::Dataset& data, Console& console);

// The text of --list-datasets.
std::string DatasetList(std::size_t columns);

}  // namespace safeguard::apps
