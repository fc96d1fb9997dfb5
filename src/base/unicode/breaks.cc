#include "base/unicode/breaks.h"

#include <unicode/ubrk.h>
#include <unicode/utext.h>

#include <cstdint>
#include <limits>

#include "base/check.h"

namespace safeguard::unicode {
namespace {

icu::LocalUBreakIteratorPointer Open(UBreakIteratorType type) {
  UErrorCode status = U_ZERO_ERROR;
  icu::LocalUBreakIteratorPointer breaks(ubrk_open(type, "", nullptr, 0, &status));
  CHECK(U_SUCCESS(status));
  return breaks;
}

icu::LocalUBreakIteratorPointer Clone(const UBreakIterator* breaks) {
  UErrorCode status = U_ZERO_ERROR;
  icu::LocalUBreakIteratorPointer clone(ubrk_clone(breaks, &status));
  CHECK(U_SUCCESS(status));
  return clone;
}

// Opening reads and checks the rules (a millisecond), cloning does not; an iterator holds the
// state of its walk, so each thread has its own.
UBreakIterator* SentenceBreaks() {
  static const icu::LocalUBreakIteratorPointer first = Open(UBRK_SENTENCE);
  thread_local const icu::LocalUBreakIteratorPointer breaks = Clone(first.getAlias());
  return breaks.getAlias();
}

UBreakIterator* WordBreaks() {
  static const icu::LocalUBreakIteratorPointer first = Open(UBRK_WORD);
  thread_local const icu::LocalUBreakIteratorPointer breaks = Clone(first.getAlias());
  return breaks.getAlias();
}

// Points `breaks` at `text` for as long as this lives; ICU keeps a shallow copy of the UText.
class Reading {
 public:
  Reading(UBreakIterator* breaks, std::string_view text) : breaks_(breaks) {
    CHECK(text.size() <= std::numeric_limits<std::int32_t>::max());
    UErrorCode status = U_ZERO_ERROR;
    utext_openUTF8(&text_, text.data(), static_cast<std::int64_t>(text.size()), &status);
    ubrk_setUText(breaks_, &text_, &status);
    CHECK(U_SUCCESS(status));
  }
  ~Reading() {
    // The iterator outlives the text: leave it on an empty one.
    UErrorCode status = U_ZERO_ERROR;
    static constexpr UChar kNothing[] = {0};
    ubrk_setText(breaks_, kNothing, 0, &status);
    utext_close(&text_);
  }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

 private:
  UBreakIterator* breaks_;
  UText text_ = UTEXT_INITIALIZER;
};

}  // namespace

std::vector<std::size_t> SentenceEnds(std::string_view text) {
  std::vector<std::size_t> ends;
  if (text.empty()) {
    return ends;
  }
  UBreakIterator* const breaks = SentenceBreaks();
  const Reading reading(breaks, text);
  for (std::int32_t end = ubrk_next(breaks); end != UBRK_DONE; end = ubrk_next(breaks)) {
    ends.push_back(static_cast<std::size_t>(end));
  }
  return ends;
}

std::size_t LastWordBoundary(std::string_view text, std::size_t limit) {
  CHECK(limit <= text.size());
  if (text.empty()) {
    return 0;
  }
  UBreakIterator* const breaks = WordBreaks();
  const Reading reading(breaks, text);
  std::size_t last = 0;
  for (std::int32_t end = ubrk_next(breaks); end != UBRK_DONE; end = ubrk_next(breaks)) {
    if (static_cast<std::size_t>(end) > limit) {
      break;
    }
    last = static_cast<std::size_t>(end);
  }
  return last;
}

}  // namespace safeguard::unicode
