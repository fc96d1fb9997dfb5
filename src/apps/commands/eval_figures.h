// The parts of an evaluation's output beside the report of one policy: as text and as JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "apps/commands/eval_measured.h"
#include "eval/label_task.h"

namespace safeguard::apps {

using Json = nlohmann::ordered_json;

// "0.812", "-" where it is not defined.
std::string FigureText(const std::optional<double>& value);
Json FigureJson(const std::optional<double>& value);

// The figures at other thresholds; empty text without thresholds.
std::string ThresholdText(const Measured& measured, std::span<const double> thresholds,
                          std::size_t columns);
Json ThresholdJson(const Measured& measured, std::span<const double> thresholds);

// Graded severity; empty text and null where the data have fewer than three levels.
std::string SeverityText(const Measured& measured, std::size_t columns);
Json SeverityJson(const Measured& measured);

// How answers kept to their format; empty text and null where no answer says so.
std::string AdherenceText(const Measured& measured);
Json AdherenceJson(const Measured& measured);

// Several policies, each with its label.
std::string LabelText(const Measured& measured, const eval::LabelTask& task, std::size_t columns);
Json LabelJson(const Measured& measured, const eval::LabelTask& task);

// Two ways of prompting over the same records.
std::string PromptingText(std::span<const Measured> variants,
                          std::span<const eval::LabelTask> tasks, std::size_t columns);

// Of a judge with layers: who decided. Empty text and null where only one did.
std::string DecidersText(const Measured& measured, std::size_t columns);
Json DecidersJson(const Measured& measured);

// Tokens and seconds by record.
std::string CostText(const eval::MeanCost& cost);
Json CostJson(const eval::MeanCost& cost);

}  // namespace safeguard::apps
