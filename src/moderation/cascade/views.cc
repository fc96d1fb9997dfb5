#include "moderation/views.h"

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "moderation/cascade/decode.h"
#include "moderation/cascade/despace.h"
#include "moderation/cascade/hidden_text.h"
#include "moderation/cascade/leet.h"
#include "moderation/cascade/mapped_text.h"
#include "moderation/cascade/normalise.h"
#include "moderation/cascade/scan.h"
#include "moderation/cascade/turn.h"

namespace safeguard::moderation {
namespace {

constexpr std::size_t kLongestText = std::size_t{16} << 20;
constexpr int kDecodings = 2;  // base64 of base64, and no deeper

// Makes the views one on top of the other, each from the last text that something was changed in.
class Chain {
 public:
  explicit Chain(std::string_view text) { Keep("original", Identity(text)); }

  std::vector<View> Make() && {
    const Suspicion suspicion = Scan(Original());
    if (suspicion.any()) {
      MakeAll(suspicion);
    }
    return std::move(views_);
  }

 private:
  const std::string& Original() const { return views_.front().text; }

  void MakeAll(Suspicion suspicion) {
    std::vector<ByteRange> overridden;
    last_ = {views_.front().text, views_.front().origin, views_.front().origin_end};
    if (suspicion.undrawn) {
      overridden = OverriddenRanges(Original());
      if (std::optional<MappedText> hidden = HiddenText(last_)) {
        Keep("tags", *std::move(hidden));
      }
      if (std::optional<MappedText> normal = Normalise(last_)) {
        last_ = *std::move(normal);
        Keep("normalised", last_);
        suspicion = Scan(last_.text);
      }
    }
    DecodeAll(suspicion);
    if (suspicion.turned || !overridden.empty()) {
      Step("reversed", TurnBackward(last_, overridden), suspicion);
    }
    if (suspicion.turned) {
      Step("rot13", UndoRot13(last_), suspicion);
    }
    if (suspicion.spaced) {
      Step("despaced", Despace(last_), suspicion);
    }
    if (suspicion.leet) {
      Step("leet", UndoLeet(last_), suspicion);
    }
    KeepWithinBudget();
  }

  void DecodeAll(Suspicion& suspicion) {
    std::string name;
    for (int depth = 0; depth < kDecodings && suspicion.encoded; ++depth) {
      std::optional<Decoded> decoded = Decode(last_);
      if (!decoded) {
        break;
      }
      last_ = std::move(decoded->text);
      if (std::optional<MappedText> normal = Normalise(last_)) {
        last_ = *std::move(normal);
      }
      name = name.empty() || name == decoded->kind ? decoded->kind : "decoded";
      suspicion = Scan(last_.text);
    }
    if (!name.empty()) {
      Keep(std::move(name), last_);
    }
  }

  // Takes a changed text into the chain, in plain letters.
  void Step(const char* name, std::optional<MappedText> made, Suspicion& suspicion) {
    if (!made) {
      return;
    }
    last_ = *std::move(made);
    if (std::optional<MappedText> normal = Normalise(last_)) {
      last_ = *std::move(normal);
    }
    Keep(name, last_);
    suspicion = Scan(last_.text);
  }

  void Keep(std::string name, MappedText text) {
    const auto same = [&](const View& view) { return view.text == text.text; };
    if (std::ranges::none_of(views_, same)) {
      views_.push_back({std::move(name), std::move(text.text), std::move(text.origin),
                        std::move(text.origin_end)});
    }
  }

  // Drops views from the middle of the chain, the largest first, until all together are at most
  // four times the original: the end of the chain has undone what they have undone.
  void KeepWithinBudget() {
    constexpr std::size_t kTimes = 4;
    constexpr std::size_t kFree = 256;
    const auto total = [&] {
      std::size_t bytes = 0;
      for (const View& view : views_) {
        bytes += view.text.size();
      }
      return bytes;
    };
    while (views_.size() > 2 && total() > kTimes * Original().size() + kFree) {
      const auto largest = std::max_element(
          views_.begin() + 1, views_.end() - 1,
          [](const View& a, const View& b) { return a.text.size() < b.text.size(); });
      views_.erase(largest);
    }
  }

  std::vector<View> views_;
  MappedText last_;
};

}  // namespace

std::pair<std::size_t, std::size_t> MapToOriginal(const View& view, std::size_t begin,
                                                  std::size_t end) {
  CHECK(begin <= end && end <= view.text.size());
  if (begin == end) {
    std::size_t at = 0;
    if (begin < view.origin.size()) {
      at = view.origin[begin];
    } else if (!view.origin_end.empty()) {
      at = view.origin_end.back();
    }
    return {at, at};
  }
  std::uint32_t first = view.origin[begin];
  std::uint32_t last = view.origin_end[begin];
  for (std::size_t i = begin; i < end; ++i) {
    first = std::min(first, view.origin[i]);
    last = std::max(last, view.origin_end[i]);
  }
  return {first, last};
}

std::vector<View> CanonicalViews(std::string_view text) {
  CHECK(text.size() <= kLongestText);
  return Chain(text).Make();
}

}  // namespace safeguard::moderation
