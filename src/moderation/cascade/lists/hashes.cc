#include "base/hash.h"
#include "moderation/cascade/fold.h"
#include "moderation/lists.h"
#include "moderation/views.h"

namespace safeguard::moderation {

std::string ExactHash(std::string_view text, ListEffect action) {
  const std::string folded = action == ListEffect::kSafe
                                 ? FoldedTrimmed(text)
                                 : FoldedTrimmed(CanonicalViews(text).back().text);
  return folded.empty() ? std::string() : Blake2bHex(folded);
}

}  // namespace safeguard::moderation
