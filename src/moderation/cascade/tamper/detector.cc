#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/patterns/pattern_set.h"
#include "moderation/cascade/fold.h"
#include "moderation/cascade/tamper/signs.h"
#include "moderation/cascade/tamper/wording.h"
#include "moderation/tamper_detector.h"
#include "moderation/views.h"

namespace safeguard::moderation {
namespace {

constexpr std::size_t kMessageBytesMax = std::size_t{16} << 20;
constexpr std::size_t kEvidenceMax = 8;
constexpr std::size_t kPlacesMax = 4;   // of one sign
constexpr std::size_t kPlaceStep = 32;  // a sign that ends so soon after the last is the same place
constexpr std::size_t kSentenceMax = 240;
constexpr std::size_t kWordMax = 24;
constexpr std::size_t kSignMin = 24;  // a stop this close to its end is inside of the sign

struct Place {
  std::size_t message = 0;
  std::size_t begin = 0;
  std::size_t end = 0;
};

struct Seen {
  double weight = 0;  // the largest of the sign's patterns that hit
  std::vector<Place> places;
};

class Detector final : public TamperDetector {
 public:
  explicit Detector(std::unique_ptr<patterns::PatternSet> patterns)
      : patterns_(std::move(patterns)) {}

  TamperFinding Inspect(const Content& content) override {
    std::map<std::string, Seen> seen;
    for (std::size_t message = 0; message < content.messages.size(); ++message) {
      InspectMessage(content.messages[message].text, message, seen);
    }
    return Weigh(content, seen);
  }

 private:
  void InspectMessage(const std::string& text, std::size_t message,
                      std::map<std::string, Seen>& seen) const {
    bool read = text.size() <= kMessageBytesMax;
    if (read) {
      for (const View& view : CanonicalViews(text)) {
        read = InspectView(view, message, seen) && read;
      }
    }
    if (!read) {
      seen["too_long_to_inspect"].weight = 1;
    }
  }

  [[nodiscard]] bool InspectView(const View& view, std::size_t message,
                                 std::map<std::string, Seen>& seen) const {
    const Folded folded = Fold(view.text, {.keep_lines = true, .plain_signs = true});
    NoteWording(folded, message, view, seen);
    std::map<std::string_view, std::size_t> noted;  // a sign's last place
    return patterns_
        ->Scan(folded.text,
               [&](std::size_t index, std::size_t end) {
                 const tamper::Sign& sign = tamper::Signs()[index];
                 Seen& known = seen[sign.name];
                 known.weight = std::max(known.weight, sign.weight);
                 const auto [last, first_time] = noted.emplace(sign.name, end);
                 if (known.places.size() < kPlacesMax &&
                     (first_time || end > last->second + kPlaceStep)) {
                   last->second = end;
                   Note(message, view, folded, end, known.places);
                 }
               })
        .has_value();
  }

  // What no pattern names: a stretch that is worded as injections are. Its place is its beginning.
  static void NoteWording(const Folded& folded, std::size_t message, const View& view,
                          std::map<std::string, Seen>& seen) {
    const auto [score, begin, end] = tamper::WordingOf(folded.text);
    if (score < tamper::kWordingPoints) {
      return;
    }
    std::size_t shown = std::min(end, begin + kSentenceMax);
    while (shown < end && (static_cast<unsigned char>(folded.text[shown]) & 0xC0U) == 0x80) {
      ++shown;
    }
    Seen& known = seen["wording"];
    known.weight = std::max(known.weight,
                            score >= tamper::kWordingDecides ? kTamperStrength : tamper::kMiddling);
    const auto [from, to] = folded.MapBack(begin, shown);
    const auto [first, last] = MapToOriginal(view, from, to);
    Add({message, first, last}, known.places);
  }

  // The sentence up to where a sign ends, or the end of it.
  static void Note(std::size_t message, const View& view, const Folded& folded, std::size_t end,
                   std::vector<Place>& places) {
    const std::string& text = folded.text;
    const auto continues = [&](std::size_t at) {
      return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80;
    };
    const auto in_word = [&](std::size_t at) {
      return at < text.size() && ((text[at] >= 'a' && text[at] <= 'z') || continues(at));
    };
    for (const std::size_t limit = end + kWordMax; in_word(end) && end < limit;) {
      ++end;  // a sign may end inside a word
    }
    while (continues(end)) {
      ++end;
    }
    std::size_t begin = end > kSentenceMax ? end - kSentenceMax : 0;
    if (end > kSignMin) {
      const std::size_t before = text.find_last_of("\n.!?", end - kSignMin);
      begin = before == std::string::npos ? begin : std::max(begin, before + 1);
    }
    while (begin + 1 < end && (continues(begin) || text[begin] == ' ')) {
      ++begin;
    }
    const auto [from, to] = folded.MapBack(begin, end);
    const auto [first, last] = MapToOriginal(view, from, to);
    Add({message, first, last}, places);
  }

  // Places that touch are one.
  static void Add(Place place, std::vector<Place>& places) {
    for (Place& known : places) {
      if (known.message == place.message && known.begin <= place.end && place.begin <= known.end) {
        known.begin = std::min(known.begin, place.begin);
        known.end = std::max(known.end, place.end);
        return;
      }
    }
    if (places.size() < kPlacesMax) {
      places.push_back(place);
    }
  }

  static TamperFinding Weigh(const Content& content, const std::map<std::string, Seen>& seen) {
    std::vector<std::pair<double, std::string>> order;
    double innocent = 1;
    for (const auto& [name, each] : seen) {
      innocent *= 1 - each.weight;
      order.emplace_back(-each.weight, name);
    }
    std::ranges::sort(order);
    TamperFinding finding;
    finding.strength = 1 - innocent;
    finding.addresses_judge = finding.strength >= kTamperStrength;
    for (const auto& [weight, name] : order) {
      finding.signs.push_back(name);
      for (const Place& place : seen.at(name).places) {
        if (finding.evidence.size() < kEvidenceMax) {
          finding.evidence.push_back(
              {place.message, place.begin, place.end,
               content.messages[place.message].text.substr(place.begin, place.end - place.begin)});
        }
      }
    }
    return finding;
  }

  std::unique_ptr<patterns::PatternSet> patterns_;
};

}  // namespace

Result<std::unique_ptr<TamperDetector>> MakeTamperDetector() {
  std::vector<std::string> expressions;
  for (const tamper::Sign& sign : tamper::Signs()) {
    expressions.push_back(tamper::Expression(sign.pattern));
  }
  Result<std::unique_ptr<patterns::PatternSet>> patterns =
      patterns::PatternSet::Compile(expressions);
  if (!patterns) {
    return std::unexpected(patterns.error());
  }
  return std::make_unique<Detector>(std::move(*patterns));
}

}  // namespace safeguard::moderation
