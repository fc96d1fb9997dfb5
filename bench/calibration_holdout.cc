// What a calibration of the shipped policies is worth on cases that neither the screen nor the map
// has seen: each golden set is halved again and again; one half teaches and calibrates, as `policy
// calibrate` does, the other is judged.
//
//   calibration_holdout MODEL_FOLDER [SPLITS [MISS_RATE]]
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <set>

#include "base/file.h"
#include "eval/fit_calibration.h"
#include "eval/golden_set.h"
#include "judges/screen_judge.h"

namespace safeguard {
namespace {

struct Sums {
  double raw_error = 0;
  double calibrated_error = 0;
  std::size_t splits = 0;
  std::size_t missed = 0;
  std::size_t positives = 0;
  std::size_t not_safe = 0;
  std::size_t negatives = 0;

  void Add(const Sums& other) {
    raw_error += other.raw_error;
    calibrated_error += other.calibrated_error;
    splits += other.splits;
    missed += other.missed;
    positives += other.positives;
    not_safe += other.not_safe;
    negatives += other.negatives;
  }
};

double ErrorOf(const std::vector<eval::Scored>& cases) {
  return eval::MeasureReliability(cases, eval::Binning::kEqualMass,
                                  eval::ReliabilityBinCount(cases.size()))
      ->expected_calibration_error;
}

// One half: fit on `taught`, judge `fresh`.
Result<Sums> MeasureSplit(moderation::Judge& judge, const moderation::Policy& policy,
                          std::span<const eval::Record> taught, std::span<const eval::Record> fresh,
                          double miss_rate) {
  const auto validation = eval::CrossValidate(judge, policy, taught, {}, {});
  if (!validation) {
    return std::unexpected(validation.error());
  }
  eval::CalibrateOptions options;
  options.miss_rate = miss_rate;
  const auto fit = eval::FitCalibration(eval::HeldOutCases(taught, *validation), options);
  if (!fit) {
    return std::unexpected(fit.error());
  }
  std::vector<moderation::GoldenCase> golden;
  for (const eval::Record& record : taught) {
    golden.push_back(*eval::ToGoldenCase(record));
  }
  const auto prepared = judge.Prepare(policy, golden);
  if (!prepared) {
    return std::unexpected(prepared.error());
  }
  const eval::EvaluationRun run = eval::RunEvaluation(judge, *prepared, fresh, {});
  Sums sums{.splits = 1};
  std::vector<eval::Scored> raw;
  std::vector<eval::Scored> calibrated;
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    const std::optional<double>& score = run.results[i].verdict.score;
    if (!score) {
      continue;
    }
    const bool positive = *fresh[i].expected == moderation::Outcome::kViolation;
    raw.push_back({*score, positive});
    calibrated.push_back({fit->map.Apply(*score), positive});
    if (fit->miss_bound) {
      const bool safe = *score < fit->miss_bound->threshold;
      sums.missed += positive && safe ? 1 : 0;
      sums.positives += positive ? 1 : 0;
      sums.not_safe += !positive && !safe ? 1 : 0;
      sums.negatives += positive ? 0 : 1;
    }
  }
  sums.raw_error = ErrorOf(raw);
  sums.calibrated_error = ErrorOf(calibrated);
  return sums;
}

Result<Sums> MeasurePolicy(moderation::Judge& judge, const std::string& folder, std::size_t splits,
                           double miss_rate) {
  const auto bytes = ReadFile(folder + "/policy.md", moderation::kPolicyBytesMax);
  const auto golden = eval::ReadGoldenSet(folder + "/golden.jsonl");
  if (!bytes || !golden) {
    return std::unexpected(bytes ? golden.error() : bytes.error());
  }
  const auto policy = moderation::ReadPolicy(*bytes, folder);
  if (!policy) {
    return std::unexpected(policy.error());
  }
  std::vector<eval::Record> records;
  for (const moderation::GoldenCase& each : *golden) {
    records.push_back(eval::FromGoldenCase(each));
  }
  Sums sums;
  for (std::size_t split = 0; split < splits; ++split) {
    const auto halves = eval::AssignFolds(records, {.folds = 2, .seed = 100 + split});
    if (!halves) {
      return std::unexpected(halves.error());
    }
    std::vector<eval::Record> taught;
    std::vector<eval::Record> fresh;
    for (std::size_t i = 0; i < records.size(); ++i) {
      ((*halves)[i] == 0 ? taught : fresh).push_back(records[i]);
    }
    const Result<Sums> one = MeasureSplit(judge, *policy, taught, fresh, miss_rate);
    if (!one) {
      return one;
    }
    sums.Add(*one);
  }
  return sums;
}

std::string Row(const std::string& name, const Sums& sums) {
  const auto splits = static_cast<double>(sums.splits);
  return fmt::format(
      "| {} | {:.3f} | {:.3f} | {} of {} ({:.1f} %) | {} of {} ({:.0f} %) |\n", name,
      sums.raw_error / splits, sums.calibrated_error / splits, sums.missed, sums.positives,
      100.0 * static_cast<double>(sums.missed) / static_cast<double>(sums.positives), sums.not_safe,
      sums.negatives,
      100.0 * static_cast<double>(sums.not_safe) / static_cast<double>(sums.negatives));
}

int Run(const std::string& model_folder, std::size_t splits, double miss_rate) {
  const auto judge = judges::OpenScreenJudge({.model_folder = model_folder, .threads = 2});
  if (!judge) {
    std::cerr << Describe(judge.error()) << "\n";
    return 1;
  }
  std::cout << "| policy | raw error | calibrated | violations called safe | safe not called safe "
               "|\n|---|---|---|---|---|\n";
  std::set<std::string> folders;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(SAFEGUARD_SOURCE_DIR) + "/policies")) {
    if (std::filesystem::exists(entry.path() / "golden.jsonl")) {
      folders.insert(entry.path().string());
    }
  }
  Sums all;
  for (const std::string& folder : folders) {
    const Result<Sums> sums = MeasurePolicy(**judge, folder, splits, miss_rate);
    if (!sums) {
      std::cerr << Describe(sums.error()) << "\n";
      return 1;
    }
    all.Add(*sums);
    std::cout << Row(std::filesystem::path(folder).filename().string(), *sums) << std::flush;
  }
  std::cout << Row("all", all);
  return 0;
}

}  // namespace
}  // namespace safeguard

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: calibration_holdout MODEL_FOLDER [SPLITS [MISS_RATE]]\n";
    return 2;
  }
  const std::size_t splits = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 10;
  const double miss_rate = argc > 3 ? std::strtod(argv[3], nullptr) : 0.1;
  return safeguard::Run(argv[1], splits, miss_rate);
}
