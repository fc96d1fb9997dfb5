// What `screen train` found, for people and for scripts.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "eval/training.h"
#include "moderation/verdict.h"

namespace safeguard::apps {

// Labels that were taken from the verdict log.
struct LogLabels {
  std::size_t records = 0;     // with text, of the layer, decided
  std::size_t undecided = 0;   // left out
  std::size_t other_text = 0;  // left out: judged under another text of the policy
  std::size_t own = 0;         // left out: a dedicated classifier's own verdicts
  eval::LabelAgreement with_golden;
  eval::LabelAgreement with_data;
  eval::LabelAgreement between_versions;  // of the judge, on the same texts
};

struct TrainingReport {
  moderation::PolicyReference policy;
  std::string origin;  // of the labels
  std::size_t positives = 0;
  std::size_t negatives = 0;
  std::size_t unreadable = 0;
  eval::CleanedLabels cleaned;  // without its records
  std::optional<LogLabels> log;
  std::string test_origin;  // empty: held out
  std::size_t test_texts = 0;
  std::size_t test_positives = 0;
  std::size_t shared_with_test = 0;  // texts taken out of the labels
  std::size_t folds = 0;
  eval::Selection selection;
  std::vector<std::string> not_tried;
  eval::Decision decision;
  eval::TestFigures test;
  std::optional<double> test_kappa;
  // The screen as it is, on the same test.
  std::optional<eval::Figure> baseline_f1;
  eval::Figure lead_f1;  // of the classifier over the screen
  std::size_t baseline_golden = 0;
  std::vector<eval::LearningPoint> curve;
  double read_seconds = 0;
  double train_seconds = 0;  // of the one that was installed
  double total_seconds = 0;
  std::string installed;  // "name@version"
  bool used = false;
  bool band = false;
};

std::string TrainingText(const TrainingReport& report, std::size_t columns);
nlohmann::ordered_json TrainingJson(const TrainingReport& report);
// One line: what `screen list` shows.
std::string TrainingSummary(const TrainingReport& report);

}  // namespace safeguard::apps
