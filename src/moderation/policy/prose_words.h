// The words by which prose says what is to happen to content. Data only; prose.cc says how they are
// read. All in lower case, as Words() gives them.
#pragma once

#include <span>
#include <string_view>

namespace safeguard::moderation::reading {

// One to three words that say a side wherever they stand, with one space between them: "off
// limits", "no problem"; "*" at the end: every word that begins so.
std::span<const std::string_view> ViolatingPhrases();
std::span<const std::string_view> SafePhrases();

// What moderators do to content: "remove", "let". They count as orders ("remove posts that ...",
// "we remove ...", "must remove ..."), not as what content is about ("how to block a card").
std::span<const std::string_view> ViolatingOrders();
std::span<const std::string_view> SafeOrders();
// What was done to it: "removed", behind "is", "gets", "will be".
std::span<const std::string_view> ViolatingParticiples();
std::span<const std::string_view> SafeParticiples();
std::span<const std::string_view> Auxiliaries();
// Before an order: "please", "we", "moderators", "must".
std::span<const std::string_view> OrderLeads();
// What a policy's author does not do or want: "we don't host ...", "nobody wants ...".
std::span<const std::string_view> UnwantedVerbs();

// Begins what the sentence does not hold for: "unless", "except".
std::span<const std::string_view> ExceptionLeads();
// Begins a clause of its own: "but", "while".
std::span<const std::string_view> ContrastLeads();

// Whatever is not named: "everything else", "off topic".
std::span<const std::string_view> RestPhrases();
// One subject alone: "only for", "nothing but".
std::span<const std::string_view> OnlyPhrases();

// Point back at what was said: "such", "those", "then".
std::span<const std::string_view> PointingWords();
// Words that name no subject: of grammar, of moderation, "message", "forum".
bool NamesNothing(std::string_view word);

}  // namespace safeguard::moderation::reading
