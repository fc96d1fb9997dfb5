// What is wrong with a data set as a whole, before anything is measured on it.
#pragma once

#include "base/result.h"
#include "eval/benchmark_sets.h"

namespace safeguard::eval {

// Fails with one line when figures on it would mislead: no record, no label at all, a mapped label
// that no record has, an id that stands twice, a file in another encoding than UTF-8. Lesser things
// become dataset.notes: texts that stand twice, some bytes that are not UTF-8.
Status CheckDataset(const ColumnMapping& mapping, Dataset& dataset);

}  // namespace safeguard::eval
