#include "eval/calibration_file.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/hash.h"
#include "eval/fit_calibration.h"

namespace safeguard::eval {
namespace {

using Json = nlohmann::ordered_json;
using moderation::CalibrationMethod;
using moderation::ScoreCalibration;

constexpr const char* kFormat = "safeguard-calibration";
constexpr int kVersion = 1;
constexpr std::size_t kIdDigits = 16;
constexpr std::size_t kDepthMax = 8;

// Reads fields and keeps the first complaint.
class Fields {
 public:
  explicit Fields(const Json& object) : object_(object) {}

  std::string Text(const char* name) {
    const auto field = object_.find(name);
    if (field == object_.end() || !field->is_string()) {
      Complain(name, "is missing or no text");
      return {};
    }
    return field->get<std::string>();
  }

  double Number(const char* name, double least, double most) {
    const auto field = object_.find(name);
    if (field == object_.end() || !field->is_number()) {
      Complain(name, "is missing or no number");
      return least;
    }
    return InRange(name, field->get<double>(), least, most);
  }

  std::size_t Count(const char* name) {
    const auto field = object_.find(name);
    if (field == object_.end() || !field->is_number_unsigned()) {
      Complain(name, "is missing or no count");
      return 0;
    }
    return field->get<std::size_t>();
  }

  double InRange(const char* name, double value, double least, double most) {
    if (!(value >= least && value <= most)) {
      Complain(name, "is out of range");
      return least;
    }
    return value;
  }

  void Complain(const char* name, const char* what) {
    if (complaint_.empty()) {
      complaint_ = std::string("\"") + name + "\" " + what;
    }
  }
  [[nodiscard]] const std::string& complaint() const { return complaint_; }

 private:
  const Json& object_;
  std::string complaint_;
};

const Json& Child(const Json& object, const char* name) {
  static const Json kEmpty = Json::object();
  const auto field = object.find(name);
  return field != object.end() && field->is_object() ? *field : kEmpty;
}

void ReadKnots(const Json& map, Fields& fields, moderation::ScoreMap& result) {
  const auto knots = map.find("knots");
  if (knots == map.end() || !knots->is_array() || knots->empty() || knots->size() > kKnotsMax) {
    fields.Complain("knots", "is missing, empty or too long");
    return;
  }
  for (const Json& knot : *knots) {
    if (!knot.is_array() || knot.size() != 2 || !knot[0].is_number() || !knot[1].is_number()) {
      fields.Complain("knots", "holds something else than [log-odds, probability]");
      return;
    }
    const double log_odds = fields.InRange("knots", knot[0].get<double>(), -moderation::kLogOddsMax,
                                           moderation::kLogOddsMax);
    const double probability = fields.InRange("knots", knot[1].get<double>(), 0, 1);
    if (!result.knots.empty() && (log_odds <= result.knots.back().log_odds ||
                                  probability < result.knots.back().probability)) {
      fields.Complain("knots", "falls: a calibration must rise");
      return;
    }
    result.knots.push_back({log_odds, probability});
  }
}

moderation::ScoreMap ReadMap(const Json& map, std::string& complaint) {
  Fields fields(map);
  moderation::ScoreMap result;
  const std::string method = fields.Text("method");
  if (method == "platt") {
    constexpr double kSteepest = 1e6;
    result.slope = fields.Number("slope", 1e-9, kSteepest);
    result.offset = fields.Number("offset", -kSteepest, kSteepest);
  } else if (method == "isotonic") {
    result.method = CalibrationMethod::kIsotonic;
    ReadKnots(map, fields, result);
  } else {
    fields.Complain("method", "is neither platt nor isotonic");
  }
  complaint = complaint.empty() ? fields.complaint() : complaint;
  return result;
}

std::optional<moderation::MissBound> ReadBound(const Json& object, std::string& complaint) {
  const auto field = object.find("miss_bound");
  if (field == object.end() || field->is_null()) {
    return std::nullopt;
  }
  Fields fields(Child(object, "miss_bound"));
  moderation::MissBound bound;
  bound.miss_rate = fields.Number("miss_rate", 0, 1);
  bound.confidence = fields.Number("confidence", 0, 1);
  bound.threshold = fields.Number("threshold", 0, 1);
  bound.positives = fields.Count("positives");
  bound.below = fields.Count("below");
  complaint = complaint.empty() ? fields.complaint() : complaint;
  return bound;
}

Json MapJson(const moderation::ScoreMap& map) {
  Json json = {{"method", moderation::ToString(map.method)}};
  if (map.method == CalibrationMethod::kPlatt) {
    json["slope"] = map.slope;
    json["offset"] = map.offset;
    return json;
  }
  json["knots"] = Json::array();
  for (const moderation::ScoreMap::Knot& knot : map.knots) {
    json["knots"].push_back(Json::array({knot.log_odds, knot.probability}));
  }
  return json;
}

// Depth-limited, so that brackets without end do not exhaust the stack.
Json Parse(std::string_view bytes) {
  const Json::parser_callback_t shallow = [](int depth, Json::parse_event_t, Json&) {
    return static_cast<std::size_t>(depth) <= kDepthMax;
  };
  return Json::parse(bytes, shallow, /*allow_exceptions=*/false);
}

}  // namespace

std::string WriteCalibration(const ScoreCalibration& calibration) {
  Json json;
  json["format"] = kFormat;
  json["version"] = kVersion;
  json["policy"] = {{"id", calibration.policy.id},
                    {"version", calibration.policy.version},
                    {"hash", calibration.policy.hash}};
  json["golden_hash"] = calibration.golden_hash;
  json["judge"] = calibration.judge;
  json["judge_identity"] = calibration.judge_identity;
  json["cases"] = calibration.cases;
  json["positives"] = calibration.positives;
  json["expected_calibration_error"] = {{"raw", calibration.error_raw},
                                        {"calibrated", calibration.error_calibrated},
                                        {"by_chance", calibration.error_by_chance}};
  json["map"] = MapJson(calibration.map);
  json["miss_bound"] = nullptr;
  if (calibration.miss_bound) {
    const moderation::MissBound& bound = *calibration.miss_bound;
    json["miss_bound"] = {{"miss_rate", bound.miss_rate},
                          {"confidence", bound.confidence},
                          {"threshold", bound.threshold},
                          {"positives", bound.positives},
                          {"below", bound.below}};
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<ScoreCalibration> ReadCalibration(std::string_view bytes, const std::string& name) {
  const auto fail = [&name](ErrorCode code, const std::string& why) {
    return Fail(code, name + " is no calibration that can be used: " + why,
                "make it again with `safeguard policy calibrate`");
  };
  if (bytes.size() > kCalibrationBytesMax) {
    return fail(ErrorCode::kLimit, "it is larger than 4 MiB");
  }
  const Json json = Parse(bytes);
  if (!json.is_object()) {
    return fail(ErrorCode::kCorruptFile, "it is not a JSON object");
  }
  Fields fields(json);
  if (fields.Text("format") != kFormat) {
    return fail(ErrorCode::kCorruptFile, "\"format\" is not \"safeguard-calibration\"");
  }
  if (fields.Count("version") != kVersion) {
    return fail(ErrorCode::kCorruptFile, "its version is not 1");
  }
  ScoreCalibration calibration;
  calibration.golden_hash = fields.Text("golden_hash");
  calibration.judge = fields.Text("judge");
  calibration.judge_identity = fields.Text("judge_identity");
  calibration.cases = fields.Count("cases");
  calibration.positives = fields.Count("positives");
  Fields policy(Child(json, "policy"));
  calibration.policy = {policy.Text("id"), policy.Text("version"), policy.Text("hash")};
  Fields errors(Child(json, "expected_calibration_error"));
  calibration.error_raw = errors.Number("raw", 0, 1);
  calibration.error_calibrated = errors.Number("calibrated", 0, 1);
  calibration.error_by_chance = errors.Number("by_chance", 0, 1);
  std::string complaint = !fields.complaint().empty()   ? fields.complaint()
                          : !policy.complaint().empty() ? policy.complaint()
                                                        : errors.complaint();
  calibration.map = ReadMap(Child(json, "map"), complaint);
  calibration.miss_bound = ReadBound(json, complaint);
  if (!complaint.empty()) {
    return fail(ErrorCode::kCorruptFile, complaint);
  }
  calibration.id = Blake2bHex(bytes).substr(0, kIdDigits);
  return calibration;
}

}  // namespace safeguard::eval
