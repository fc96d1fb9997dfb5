// The text by which the trained screen knows a policy. Its encoder reads a policy as one short
// block, and is trained on blocks that this function wrote: a change here is a change of the model.
#pragma once

#include <cstddef>
#include <string>

#include "moderation/policy.h"

namespace safeguard::judges {

// Counts the tokens of the screen's encoder, special tokens left out. Two texts joined by a space
// have the tokens of the one and then of the other, as is so with WordPiece.
using moderation::TokenCounter;

inline constexpr std::size_t kSpecialTokens = 2;  // [CLS] before a block and [SEP] behind it
inline constexpr std::size_t kPolicyTokensMax = 160;

// "NAME. Violates: RULE; RULE. Allowed: RULE; RULE." without Markdown and rule ids, of at most
// `tokens_max` tokens. A level without rules stands for itself; a policy that has neither is known
// by its labelled examples.
//
// When it is too long, every rule of a side keeps the same number of words, the most that fit, and
// the allowed side has at most two fifths of the room, or what the other side leaves. When not even
// kWordsMin words a rule fit, an even choice of the rules stays. REQUIRES: tokens_max >= 16.
std::string ScreenText(const moderation::Policy& policy, const TokenCounter& count_tokens,
                       std::size_t tokens_max = kPolicyTokensMax - kSpecialTokens);

// The same for a single rule: which of a policy's rules a content breaks is asked with these.
// REQUIRES: rule < policy.rules.size(), tokens_max >= 16.
std::string RuleScreenText(const moderation::Policy& policy, std::size_t rule,
                           const TokenCounter& count_tokens,
                           std::size_t tokens_max = kPolicyTokensMax - kSpecialTokens);

}  // namespace safeguard::judges
