// Taking one clause out of a policy's text. The reader is the judge of every cut: a candidate is
// only good when reading it again gives the same clauses but for the one that was to go.
#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "moderation/policy/clause_lines.h"
#include "moderation/policy/scan.h"
#include "moderation/policy_clauses.h"

namespace safeguard::moderation {
namespace {

constexpr std::size_t kLinesTried = 24;   // a clause of more lines is cut by its words
constexpr std::size_t kLinesBefore = 3;   // a heading, a tag or "Input:" above it
constexpr std::size_t kInlineLines = 12;  // how far below its line its words are looked for

using Key = std::pair<int, std::string>;  // kind (a rule and an exception are one), content

std::string SideText(Side side) {
  return std::string(ToString(side)) + "|";
}

// What must stay the same of every other clause. Ids made from the place may change.
Key KeyOf(const Policy& policy, const Clause& clause) {
  switch (clause.kind) {
    case ClauseKind::kDefinition:
      return {1, policy.definitions[clause.index].term + "|" + clause.text};
    case ClauseKind::kExample:
      return {2, SideText(clause.side) + policy.examples[clause.index].label + "|" + clause.text};
    case ClauseKind::kRule:
    case ClauseKind::kException:
      break;
  }
  const bool written = policy.rules[clause.index].id_written;
  return {0, SideText(clause.side) + (written ? clause.name : "") + "|" + clause.text};
}

using Names = std::map<Key, std::vector<std::string>>;

Names Census(const Policy& policy) {
  Names census;
  for (const Clause& clause : ClausesOf(policy)) {
    census[KeyOf(policy, clause)].push_back(clause.name);
  }
  return census;
}

struct Candidate {
  std::string bytes;
  Policy policy;
  std::vector<std::string> also;
};

class Cutter {
 public:
  Cutter(std::string_view bytes, const Policy& policy, const Clause& clause)
      : bytes_(bytes),
        policy_(policy),
        clause_(clause),
        lines_(reading::SplitLines(bytes)),
        wanted_(Census(policy)),
        target_(KeyOf(policy, clause)) {}

  Result<CutPolicy> Cut() {
    const auto at = static_cast<std::size_t>(std::max(clause_.line, 1) - 1);
    if (at >= lines_.size()) {
      return NoCut();
    }
    if (TryLines(at) || TryWords(at) || best_) {
      return CutPolicy{std::move(best_->bytes), std::move(best_->policy), std::move(best_->also)};
    }
    return NoCut();
  }

 private:
  [[nodiscard]] std::unexpected<Error> NoCut() const {
    return Fail(ErrorCode::kInvalidInput,
                "the " + std::string(ToString(clause_.kind)) + " " + clause_.name + " in line " +
                    std::to_string(clause_.line) +
                    " cannot be taken out without changing another clause",
                "give it lines of its own");
  }

  // True when the cut is exact; a cut that takes other whole clauses along is kept as second best.
  bool Consider(std::string bytes) {
    Result<Policy> read = ReadPolicy(bytes, policy_.id);
    if (!read) {
      return false;
    }
    Names census = Census(*read);
    std::vector<std::string> gone;
    for (const auto& [key, names] : wanted_) {
      const auto found = census.find(key);
      const std::size_t left = found == census.end() ? 0 : found->second.size();
      if (left > names.size()) {
        return false;
      }
      std::size_t missing = names.size() - left;
      if (key == target_) {
        if (missing == 0) {
          return false;
        }
        --missing;
      }
      for (std::size_t i = 0; i < names.size() && missing > 0; ++i) {
        if (key != target_ || names[i] != clause_.name) {
          gone.push_back(names[i]);
          --missing;
        }
      }
      if (found != census.end()) {
        census.erase(found);
      }
    }
    if (!census.empty()) {
      return false;  // something is read differently now
    }
    if (!best_ || gone.size() < best_->also.size()) {
      best_ = Candidate{std::move(bytes), *std::move(read), gone};
    }
    return gone.empty();
  }

  [[nodiscard]] std::string WithoutLines(std::size_t begin, std::size_t end) const {
    std::string out;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      if (i < begin || i > end) {
        out += lines_[i];
      }
    }
    return out;
  }

  bool TryLines(std::size_t at) {
    const std::size_t natural = reading::NaturalEnd(lines_, at, reading::ClauseStarts(policy_), 1);
    if (Consider(WithoutLines(at, natural))) {
      return true;
    }
    const std::size_t last = std::min(lines_.size() - 1, at + kLinesTried);
    for (std::size_t before = 0; before <= std::min(kLinesBefore, at); ++before) {
      for (std::size_t end = at; end <= last; ++end) {
        if (Consider(WithoutLines(at - before, end))) {
          return true;
        }
      }
      if (best_) {
        return false;  // going further up would only take more
      }
    }
    return false;
  }

  // The clause's words where they stand, with the line kept: a cell of a table, a part of a line.
  bool TryWords(std::size_t at) {
    std::size_t begin = 0;
    for (std::size_t i = 0; i < at; ++i) {
      begin += lines_[i].size();
    }
    std::size_t end = begin;
    for (std::size_t i = at; i < std::min(lines_.size(), at + kInlineLines); ++i) {
      end += lines_[i].size();
    }
    const std::string_view window = bytes_.substr(begin, end - begin);
    for (std::size_t found = window.find(clause_.text);
         found != std::string_view::npos && !clause_.text.empty();
         found = window.find(clause_.text, found + 1)) {
      std::string out(bytes_);
      out.erase(begin + found, clause_.text.size());
      if (Consider(std::move(out))) {
        return true;
      }
    }
    return false;
  }

  std::string_view bytes_;
  const Policy& policy_;
  const Clause& clause_;
  std::vector<std::string_view> lines_;
  Names wanted_;
  Key target_;
  std::optional<Candidate> best_;
};

}  // namespace

Result<CutPolicy> CutClause(std::string_view bytes, const Policy& policy, const Clause& clause) {
  return Cutter(bytes, policy, clause).Cut();
}

}  // namespace safeguard::moderation
