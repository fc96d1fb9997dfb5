// Lists: what needs no model to be judged. Terms, phrases that are allowed to contain one, hashes
// of known content and fingerprints of content that is nearly known. docs/lists.md is for users.
//
// A list is a JSONL file, one entry a line. Lists are compiled together into a ListSnapshot, which
// is immutable; LiveLists answers from the snapshot of the moment, so that lists change while
// requests run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "moderation/list_layer.h"

namespace safeguard::moderation {

inline constexpr std::size_t kListBytesMax = std::size_t{64} << 20;
inline constexpr std::size_t kListLineBytesMax = std::size_t{16} << 10;
inline constexpr std::size_t kListEntriesMax = 200'000;  // of a list, and of all together
inline constexpr std::size_t kListTermBytesMax = 256;
inline constexpr std::size_t kListMessageBytesMax = std::size_t{16} << 20;

enum class ListKind {
  kTerm,   // a word or phrase
  kAllow,  // a phrase within which no term hits
  kExact,  // a content, but for case and white space
  kNear,   // a content, but for small changes
};

// Where a term or phrase may begin and end.
enum class TermMatch {
  kWord,      // at word boundaries
  kPrefix,    // begins a word
  kSuffix,    // ends a word
  kAnywhere,  // inside words too
};

inline constexpr double kSimilarityDefault = 0.8;
inline constexpr double kSimilarityLeast = 0.7;

struct ListEntry {
  std::string id;  // unique in its list
  ListKind kind = ListKind::kTerm;
  std::string value;  // the term or phrase; the hash; the fingerprint
  TermMatch match = TermMatch::kWord;
  double similarity = kSimilarityDefault;  // of kNear: from which estimate on
  ListEffect action = ListEffect::kViolation;
  std::string policy = "*";  // the id of the policy it stands for; "*": any
  std::vector<std::string> rules;
  std::string category;
  std::string reason;
  std::string added_by;
  std::optional<std::int64_t> added;    // milliseconds since 1970-01-01 UTC
  std::optional<std::int64_t> expires;  // from then on it never hits
  std::size_t line = 0;                 // in its file, 1-based; 0: not from a file

  [[nodiscard]] bool ExpiredAt(std::int64_t now) const { return expires && *expires <= now; }
};

struct List {
  std::string name;  // the file's stem
  std::vector<ListEntry> entries;
};

struct ListProblem {
  std::size_t line = 0;  // 1-based; 0: of the list as a whole
  bool error = true;     // the list cannot be used; else a warning
  std::string message;   // what is wrong
  std::string mend;      // what to write instead
};

// Reads a list as far as it can be read: `problems` gets an error for every line that cannot.
// Never fails; with an error among the problems the list must not be used.
List ReadListLines(std::string_view bytes, std::string name, std::vector<ListProblem>& problems);

// Reads a list that is to be used: fails on the first error, as in "scams.jsonl:12: ...".
Result<List> ReadList(std::string_view bytes, const std::string& name);

// The entry as a line of a file, "\n" at its end; ReadList reads it back.
std::string EntryLine(const ListEntry& entry);

// What is likely not meant: expired entries, terms that an allowed phrase always covers, short
// terms inside words, the same value twice, violations without a rule. In order of line.
std::vector<ListProblem> LintList(const List& list, std::int64_t now);

// Hash for kExact: BLAKE2b of the text in lower case with white space folded. Safe entries are
// compared with the content as it is, so that nothing can be hidden in what was cleared; all others
// with every canonical view, and their hash is made from the last view of the text. Empty for a
// blank text.
// REQUIRES: valid UTF-8 of at most kListMessageBytesMax bytes.
std::string ExactHash(std::string_view text, ListEffect action);

// Fingerprint for kNear, "mh1:SHINGLES:256 hexadecimal digits" (near_duplicate.h says how). Fails
// on texts too short to tell (kInvalidInput) and too long (kLimit).
Result<std::string> NearFingerprint(std::string_view text);

// Compiled lists. Immutable; thread-safe.
class ListSnapshot {
 public:
  // Fails on: two lists of one name, more than kListEntriesMax entries, terms that Vectorscan
  // cannot take, a processor without what it needs.
  static Result<std::shared_ptr<const ListSnapshot>> Compile(std::vector<List> lists);
  ~ListSnapshot();
  ListSnapshot(const ListSnapshot&) = delete;
  ListSnapshot& operator=(const ListSnapshot&) = delete;

  // Every entry that hits under the policy with this id, at the time `now`: violations first, then
  // safe ones, then suspects, each in order of list and line. Evidence: at most 8 places an entry;
  // none where a single message hits as a whole. A conversation of several messages is never called
  // safe here.
  // Fails on a message of more than kListMessageBytesMax bytes (kLimit).
  [[nodiscard]] Result<std::vector<ListHit>> Match(const Content& content,
                                                   const std::string& policy_id,
                                                   std::int64_t now) const;

  [[nodiscard]] const std::vector<List>& lists() const;

 private:
  struct Index;
  explicit ListSnapshot(std::unique_ptr<const Index> index);
  std::unique_ptr<const Index> index_;
};

// The list layer over the snapshot of the moment. Thread-safe.
class LiveLists final : public ListLayer {
 public:
  // `now` gives milliseconds since 1970-01-01 UTC; it is asked once a content.
  LiveLists(std::shared_ptr<const ListSnapshot> snapshot, std::function<std::int64_t()> now);

  Result<std::vector<ListHit>> Match(const Content& content, const Policy& policy) override;

  // Contents that are being matched finish on the snapshot they began with.
  void Replace(std::shared_ptr<const ListSnapshot> snapshot);
  [[nodiscard]] std::shared_ptr<const ListSnapshot> snapshot() const;

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const ListSnapshot> snapshot_;  // by mutex_
  std::function<std::int64_t()> now_;
};

const char* ToString(ListKind kind);    // "term", "allow", "exact", "near": the key in a file
const char* ToString(TermMatch match);  // "word", "prefix", "suffix", "anywhere"
// As in a list file: "violation", "safe", "review".
const char* ActionName(ListEffect action);
std::optional<ListEffect> ActionFrom(std::string_view name);
std::optional<TermMatch> TermMatchFrom(std::string_view name);

}  // namespace safeguard::moderation
