#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "base/hash.h"
#include "moderation/cascade/fold.h"
#include "moderation/cascade/lists/near_index.h"
#include "moderation/cascade/lists/term_index.h"
#include "moderation/lists.h"
#include "moderation/views.h"

namespace safeguard::moderation {
namespace {

constexpr std::size_t kEvidenceMax = 8;

struct Place {
  const List* list = nullptr;
  const ListEntry* entry = nullptr;
};

}  // namespace

struct ListSnapshot::Index {
  std::vector<List> files;
  std::vector<Place> entries;  // in order of list and line
  std::unique_ptr<lists::TermIndex> terms;
  std::unordered_multimap<std::string, std::uint32_t> exact;       // of every view
  std::unordered_multimap<std::string, std::uint32_t> exact_safe;  // of the content as it is
  lists::NearIndex near;
  std::vector<std::uint32_t> near_entries;  // by the index in `near`
};

namespace {

// The hits of one content, gathered view by view.
class Matching {
 public:
  template <typename Index>
  Matching(const Index& index, const std::string& policy_id, std::int64_t now)
      : entries_(index.entries), policy_id_(policy_id), now_(now) {}

  [[nodiscard]] bool Counts(std::uint32_t number) const {
    const ListEntry& entry = *entries_[number].entry;
    return (entry.policy == "*" || entry.policy == policy_id_) && !entry.ExpiredAt(now_);
  }

  void HitWhole(std::uint32_t number, const Content& content, std::size_t message) {
    if (!Counts(number)) {
      return;
    }
    std::vector<Evidence>& evidence = hits_[number];
    const std::string& text = content.messages[message].text;
    if (content.messages.size() > 1 && evidence.size() < kEvidenceMax &&
        (evidence.empty() || evidence.back().message != message)) {
      evidence.push_back({message, 0, text.size(), text});
    }
  }

  void HitPlace(std::uint32_t number, const Content& content, std::size_t message, const View& view,
                std::pair<std::size_t, std::size_t> in_view) {
    std::vector<Evidence>& evidence = hits_[number];
    if (evidence.size() >= kEvidenceMax) {
      return;
    }
    const auto [begin, end] = MapToOriginal(view, in_view.first, in_view.second);
    const auto same = [&, b = begin, e = end](const Evidence& each) {
      return each.message == message && each.start < e && b < each.end;
    };
    if (std::ranges::none_of(evidence, same)) {
      evidence.push_back(
          {message, begin, end, content.messages[message].text.substr(begin, end - begin)});
    }
  }

  std::vector<ListHit> Finish() && {
    std::vector<ListHit> hits;
    for (auto& [number, evidence] : hits_) {
      const Place& place = entries_[number];
      hits.push_back({.effect = place.entry->action,
                      .list = place.list->name,
                      .entry = place.entry->id,
                      .reason = place.entry->reason,
                      .category = place.entry->category,
                      .rule_ids = place.entry->rules,
                      .evidence = std::move(evidence)});
    }
    std::ranges::stable_sort(hits, {}, &ListHit::effect);
    return hits;
  }

 private:
  const std::vector<Place>& entries_;
  const std::string& policy_id_;
  std::int64_t now_;
  std::map<std::uint32_t, std::vector<Evidence>> hits_;
};

std::string HashOf(std::string_view folded) {
  while (folded.starts_with(' ')) {
    folded.remove_prefix(1);
  }
  while (folded.ends_with(' ')) {
    folded.remove_suffix(1);
  }
  return folded.empty() ? std::string() : Blake2bHex(folded);
}

template <typename Index>
Status MatchMessage(const Index& index, const Content& content, std::size_t message,
                    Matching& matching) {
  const std::string& text = content.messages[message].text;
  if (text.size() > kListMessageBytesMax) {
    return Fail(ErrorCode::kLimit, "a message is longer than 16 MiB, which lists do not read",
                "judge it in parts");
  }
  for (const View& view : CanonicalViews(text)) {
    const Folded folded = Fold(view.text);
    const Status found = index.terms->Find(
        folded.text, [&](std::uint32_t number) { return matching.Counts(number); },
        [&](std::uint32_t number, std::size_t begin, std::size_t end) {
          matching.HitPlace(number, content, message, view, folded.MapBack(begin, end));
        });
    if (!found) {
      return found;
    }
    if (!index.exact.empty()) {
      const auto [begin, end] = index.exact.equal_range(HashOf(folded.text));
      for (auto same = begin; same != end; ++same) {
        matching.HitWhole(same->second, content, message);
      }
    }
    if (!index.near.empty()) {
      for (const lists::NearIndex::Near& near : index.near.Find(view.text)) {
        matching.HitWhole(index.near_entries[near.index], content, message);
      }
    }
  }
  return {};
}

}  // namespace

ListSnapshot::ListSnapshot(std::unique_ptr<const Index> index) : index_(std::move(index)) {}
ListSnapshot::~ListSnapshot() = default;

const std::vector<List>& ListSnapshot::lists() const {
  return index_->files;
}

Result<std::shared_ptr<const ListSnapshot>> ListSnapshot::Compile(std::vector<List> lists) {
  auto index = std::make_unique<Index>();
  index->files = std::move(lists);
  std::set<std::string> names;
  std::vector<lists::TermIndex::Term> terms;
  for (const List& list : index->files) {
    if (!names.insert(list.name).second) {
      return Fail(ErrorCode::kInvalidInput, "there are two lists of the name " + list.name,
                  "rename the file of one");
    }
    for (const ListEntry& entry : list.entries) {
      const auto number = static_cast<std::uint32_t>(index->entries.size());
      index->entries.push_back({&list, &entry});
      switch (entry.kind) {
        case ListKind::kTerm:
        case ListKind::kAllow:
          terms.push_back({entry.value, entry.match, number, entry.kind == ListKind::kAllow});
          break;
        case ListKind::kExact:
          (entry.action == ListEffect::kSafe ? index->exact_safe : index->exact)
              .emplace(entry.value, number);
          break;
        case ListKind::kNear: {
          const std::optional<lists::Fingerprint> print = lists::ParseFingerprint(entry.value);
          CHECK(print);  // ReadList and CheckEntry have seen to it
          index->near.Add(*print, entry.similarity);
          index->near_entries.push_back(number);
          break;
        }
      }
    }
  }
  if (index->entries.size() > kListEntriesMax) {
    return Fail(ErrorCode::kLimit, "the lists have more than 200000 entries together",
                "leave out what has expired");
  }
  Result<std::unique_ptr<lists::TermIndex>> compiled = lists::TermIndex::Compile(terms);
  if (!compiled) {
    return std::unexpected(compiled.error());
  }
  index->terms = std::move(*compiled);
  return std::shared_ptr<const ListSnapshot>(new ListSnapshot(std::move(index)));
}

Result<std::vector<ListHit>> ListSnapshot::Match(const Content& content,
                                                 const std::string& policy_id,
                                                 std::int64_t now) const {
  Matching matching(*index_, policy_id, now);
  if (index_->entries.empty()) {
    return std::move(matching).Finish();
  }
  for (std::size_t message = 0; message < content.messages.size(); ++message) {
    const Status matched = MatchMessage(*index_, content, message, matching);
    if (!matched) {
      return std::unexpected(matched.error());
    }
  }
  if (!index_->exact_safe.empty() && content.messages.size() == 1) {
    const auto [begin, end] =
        index_->exact_safe.equal_range(ExactHash(content.messages[0].text, ListEffect::kSafe));
    for (auto same = begin; same != end; ++same) {
      matching.HitWhole(same->second, content, 0);
    }
  }
  return std::move(matching).Finish();
}

}  // namespace safeguard::moderation
