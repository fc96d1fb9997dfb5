// Options that several commands share, with one wording each.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "apps/calibration/calibration_choice.h"
#include "apps/judge_choice.h"
#include "apps/output/console.h"
#include "apps/record_choice.h"

namespace safeguard::apps {

// `choices` is "a|b|c": both what help shows and what completion offers.
void Choices(CLI::Option* option, const std::string& choices);
CLI::Validator NumberFrom(double least, double most);
void AddColor(CLI::App* command, ColorMode& mode);
// --policy, as often as wanted, and --golden.
void AddPolicies(CLI::App* command, std::vector<std::string>& policies, std::string& golden);
// --model: where the models are.
void AddModel(CLI::App* command, std::string& model);
// --judge and all that says how it is to judge, --model and --threads included.
void AddJudge(CLI::App* command, JudgeChoice& choice);
// --route, which takes the place of --policy and --golden. After AddJudge, ExcludeJudge makes it
// take that of --judge, --model and --recorded too.
void AddRoute(CLI::App* command, std::string& route);
void ExcludeJudge(CLI::App* command);
// What decides how a policy is put to the reasoner: effort, answer, placement, date.
void AddPrompt(CLI::App* command, JudgeChoice& choice);
// --calibration and --no-calibration.
void AddCalibration(CLI::App* command, CalibrationChoice& choice);
// --data-dir: where the store is.
void AddDataFolder(CLI::App* command, std::string& folder);
// --record and --record-content.
void AddRecord(CLI::App* command, RecordChoice& choice);
// --no-packed-file.
void AddPackedFile(CLI::App* command, bool& packed_file);
// --precision: of the reasoner's network; `otherwise` says what it is where nothing names one.
void AddPrecision(CLI::App* command, std::string& precision,
                  const std::string& otherwise = "bf16 with AMX, int16 without");
void AddThreads(CLI::App* command, std::size_t& threads);
CLI::Option* AddFile(CLI::App* command, const std::string& name, std::string& file,
                     const std::string& help);
void AddJson(CLI::App* command, bool& json, const std::string& help);

}  // namespace safeguard::apps
