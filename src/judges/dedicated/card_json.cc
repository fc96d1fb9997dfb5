#include "judges/dedicated/card_json.h"

#include <nlohmann/json.hpp>

#include "judges/dedicated/embedding_head.h"

namespace safeguard::judges {
namespace {

using Json = nlohmann::ordered_json;
using moderation::CalibrationMethod;
using moderation::ScoreMap;

constexpr int kDepthMax = 16;
constexpr std::size_t kKnotsMax = 10'000;
constexpr double kSteepest = 1e6;

// Reads fields and keeps the first complaint.
class Fields {
 public:
  Fields(const Json& object, std::string& complaint) : object_(object), complaint_(complaint) {}

  std::string Text(const char* name) {
    const Json* field = Find(name);
    if (field == nullptr || !field->is_string()) {
      Complain(name, "is missing or no text");
      return {};
    }
    return field->get<std::string>();
  }

  double Number(const char* name, double least, double most) {
    const Json* field = Find(name);
    if (field == nullptr || !field->is_number()) {
      Complain(name, "is missing or no number");
      return least;
    }
    const double value = field->get<double>();
    if (!(value >= least && value <= most)) {
      Complain(name, "is out of range");
      return least;
    }
    return value;
  }

  std::uint64_t Count(const char* name) {
    const Json* field = Find(name);
    if (field == nullptr || !field->is_number_unsigned()) {
      Complain(name, "is missing or no count");
      return 0;
    }
    return field->get<std::uint64_t>();
  }

  bool Flag(const char* name) {
    const Json* field = Find(name);
    if (field == nullptr || !field->is_boolean()) {
      Complain(name, "is missing or neither true nor false");
      return false;
    }
    return field->get<bool>();
  }

  // An empty object where there is none, whose fields then complain.
  const Json& Child(const char* name) {
    static const Json kEmpty = Json::object();
    const Json* field = Find(name);
    return field != nullptr && field->is_object() ? *field : kEmpty;
  }

  [[nodiscard]] const Json* Find(const char* name) const {
    const auto field = object_.find(name);
    return field == object_.end() || field->is_null() ? nullptr : &*field;
  }

  void Complain(const char* name, const char* what) {
    if (complaint_.empty()) {
      complaint_ = std::string("\"") + name + "\" " + what;
    }
  }

 private:
  const Json& object_;
  std::string& complaint_;
};

Json MapJson(const ScoreMap& map) {
  Json json = {{"method", moderation::ToString(map.method)}};
  if (map.method == CalibrationMethod::kPlatt) {
    json["slope"] = map.slope;
    json["offset"] = map.offset;
    return json;
  }
  json["knots"] = Json::array();
  for (const ScoreMap::Knot& knot : map.knots) {
    json["knots"].push_back(Json::array({knot.log_odds, knot.probability}));
  }
  return json;
}

void ReadKnots(Fields& fields, ScoreMap& map) {
  const Json* knots = fields.Find("knots");
  if (knots == nullptr || !knots->is_array() || knots->empty() || knots->size() > kKnotsMax) {
    fields.Complain("knots", "is missing, empty or too long");
    return;
  }
  for (const Json& knot : *knots) {
    if (!knot.is_array() || knot.size() != 2 || !knot[0].is_number() || !knot[1].is_number()) {
      fields.Complain("knots", "holds something else than [log-odds, probability]");
      return;
    }
    const ScoreMap::Knot read{knot[0].get<double>(), knot[1].get<double>()};
    const bool sound = read.log_odds >= -moderation::kLogOddsMax &&
                       read.log_odds <= moderation::kLogOddsMax && read.probability >= 0 &&
                       read.probability <= 1;
    if (!sound || (!map.knots.empty() && (read.log_odds <= map.knots.back().log_odds ||
                                          read.probability < map.knots.back().probability))) {
      fields.Complain("knots", "falls or leaves its range");
      return;
    }
    map.knots.push_back(read);
  }
}

ScoreMap ReadMap(Fields fields) {
  ScoreMap map;
  const std::string method = fields.Text("method");
  if (method == "platt") {
    map.slope = fields.Number("slope", 1e-9, kSteepest);
    map.offset = fields.Number("offset", -kSteepest, kSteepest);
  } else if (method == "isotonic") {
    map.method = CalibrationMethod::kIsotonic;
    ReadKnots(fields, map);
  } else {
    fields.Complain("method", "is neither platt nor isotonic");
  }
  return map;
}

UncertainBand ReadBand(Fields fields) {
  UncertainBand band;
  band.safe = fields.Number("safe", 0, 1);
  band.violation = fields.Number("violation", band.safe, 2);
  band.miss_rate = fields.Number("miss_rate", 0, 1);
  band.alarm_rate = fields.Number("alarm_rate", 0, 1);
  band.confidence = fields.Number("confidence", 0, 1);
  return band;
}

// Depth-limited, so that brackets without end do not exhaust the stack.
Json Parse(std::string_view bytes) {
  const Json::parser_callback_t shallow = [](int depth, Json::parse_event_t, Json&) {
    return depth <= kDepthMax;
  };
  return Json::parse(bytes, shallow, /*allow_exceptions=*/false);
}

void ReadKind(Fields& fields, ClassifierCard& card) {
  const std::string kind = fields.Text("kind");
  if (kind == "head") {
    card.kind = ClassifierKind::kHead;
    card.encoder_hash = fields.Text("encoder_hash");
    card.encoder_arithmetic = fields.Text("encoder_arithmetic");
    card.width = fields.Count("width");
    if (card.width == 0 || card.width > kHeadWidthMax) {
      fields.Complain("width", "is out of range");
    }
  } else if (kind != "words") {
    fields.Complain("kind", "is neither words nor head");
  }
}

}  // namespace

std::string CardJson(const ClassifierCard& card) {
  Json json;
  json["kind"] = ToString(card.kind);
  json["policy"] = {
      {"id", card.policy.id}, {"version", card.policy.version}, {"hash", card.policy.hash}};
  if (card.kind == ClassifierKind::kHead) {
    json["encoder_hash"] = card.encoder_hash;
    json["encoder_arithmetic"] = card.encoder_arithmetic;
    json["width"] = card.width;
  }
  json["positives"] = card.positives;
  json["negatives"] = card.negatives;
  json["other_scripts"] = card.other_scripts;
  json["labels_hash"] = card.labels_hash;
  json["seed"] = card.seed;
  json["map"] = MapJson(card.map);
  json["threshold"] = card.threshold;
  json["band"] = nullptr;
  if (card.band) {
    json["band"] = {{"safe", card.band->safe},
                    {"violation", card.band->violation},
                    {"miss_rate", card.band->miss_rate},
                    {"alarm_rate", card.band->alarm_rate},
                    {"confidence", card.band->confidence}};
  }
  json["why_no_band"] = card.why_no_band;
  json["report"] = card.report;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

ClassifierCard ReadCardJson(std::string_view bytes, std::string& complaint) {
  complaint.clear();
  ClassifierCard card;
  const Json json = Parse(bytes);
  if (!json.is_object()) {
    complaint = "its card is no JSON object";
    return card;
  }
  Fields fields(json, complaint);
  ReadKind(fields, card);
  Fields policy(fields.Child("policy"), complaint);
  card.policy = {policy.Text("id"), policy.Text("version"), policy.Text("hash")};
  card.positives = fields.Count("positives");
  card.negatives = fields.Count("negatives");
  card.other_scripts = fields.Flag("other_scripts");
  card.labels_hash = fields.Text("labels_hash");
  card.seed = fields.Count("seed");
  card.map = ReadMap(Fields(fields.Child("map"), complaint));
  card.threshold = fields.Number("threshold", 0, 1);
  if (fields.Find("band") != nullptr) {
    card.band = ReadBand(Fields(fields.Child("band"), complaint));
  }
  card.why_no_band = fields.Text("why_no_band");
  card.report = fields.Text("report");
  return card;
}

}  // namespace safeguard::judges
