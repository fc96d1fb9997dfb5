#include <algorithm>
#include <array>

#include "moderation/policy/prose_words.h"

namespace safeguard::moderation::reading {
namespace {

constexpr auto kViolating = std::to_array<std::string_view>(
    {"violat*",        "disallowed",     "prohibited",    "forbidden",      "banned",
     "unacceptable",   "off limits",     "out of bounds", "against the",    "against our",
     "no place",       "zero tolerance", "in breach",     "a breach",       "breaks the",
     "break the",      "breaks our",     "break our",     "crosses the",    "crosses this",
     "taken down",     "take down",      "take it down",  "take them down", "take that down",
     "comes down",     "come down",      "must go",       "has to go",      "have to go",
     "you're out",     "get rid",        "step in",       "act on",         "act upon",
     "act against",    "not what",       "not here for",  "not the place",  "not belong",
     "doesn't belong", "don't belong",   "not welcome",   "unwelcome",      "not licensed",
     "not meant",      "no go",          "taboo",         "refrain",        "hands off",
     "nope",           "out of policy",  "turn away",     "turned away",    "hold back",
     "held back",      "struck out",     "get a no",      "gets a no",      "misuse",
     "stops being",    "wrong place",    "bannable",      "reportable",     "punishable",
     "actionable",     "counts as",      "count as",      "restricts",      "restrict"});

// German, French, Spanish.
constexpr auto kViolatingElsewhere = std::to_array<std::string_view>(
    {"verboten",      "untersagt",         "unerwünscht",     "unzulässig",
     "tabu",          "verstößt",          "verstoßen",       "verstoß",
     "gelöscht",      "entfernt",          "zu löschen",      "zu entfernen",
     "zu melden",     "haben hier nichts", "hat hier nichts", "interdit*",
     "on supprime",   "nous supprimons",   "prohibé*",        "supprimé*",
     "refusé*",       "infraction",        "pas le bienvenu", "n'a pas sa",
     "prohibid*",     "hay que rechaz*",   "hay que elimin*", "hay que borr*",
     "hay que quit*", "hay que bloque*",   "hay que marc*",   "infracción",
     "no se permite", "no se permiten",    "no se admite",    "no se admiten",
     "se elimina",    "se eliminan"});

constexpr auto kSafe = std::to_array<std::string_view>({"go through",
                                                        "not extend",
                                                        "doesn't extend",
                                                        "not fall",
                                                        "doesn't fall",
                                                        "don't fall",
                                                        "what we're here",
                                                        "what we are here",
                                                        "the whole point",
                                                        "totally fine",
                                                        "perfectly fine",
                                                        "absolutely fine",
                                                        "just fine",
                                                        "also fine",
                                                        "encouraged",
                                                        "allowed",
                                                        "permitted",
                                                        "permissible",
                                                        "acceptable",
                                                        "okay",
                                                        "ok",
                                                        "welcome",
                                                        "complies",
                                                        "comply",
                                                        "compliant",
                                                        "no problem",
                                                        "no issue",
                                                        "no need",
                                                        "no reason",
                                                        "no action",
                                                        "left alone",
                                                        "leave alone",
                                                        "not covered",
                                                        "not affected",
                                                        "unaffected",
                                                        "not concerned",
                                                        "not apply",
                                                        "doesn't apply",
                                                        "not count",
                                                        "doesn't count",
                                                        "don't count",
                                                        "free to",
                                                        "passes",
                                                        "may pass",
                                                        "can pass",
                                                        "can stay",
                                                        "may stay",
                                                        "can remain",
                                                        "may remain",
                                                        "stays up",
                                                        "stay up",
                                                        "single exception",
                                                        "only exception",
                                                        "one exception",
                                                        "an exception",
                                                        "exceptions are",
                                                        "exempt",
                                                        "exempted"});

constexpr auto kSafeElsewhere = std::to_array<std::string_view>(
    {"erlaubt",       "gestattet",      "zulässig",      "erwünscht",    "willkommen",
     "in ordnung",    "kein problem",   "stehen lassen", "darf bleiben", "dürfen bleiben",
     "pas concerné*", "pas visé*",      "autorisé*",     "permis",       "permise*",
     "bienvenu*",     "aucun problème", "permitid*",     "se permite",   "se permiten",
     "bienvenid*",    "no pasa nada"});

template <std::size_t n, std::size_t m>
constexpr auto Joined(const std::array<std::string_view, n>& a,
                      const std::array<std::string_view, m>& b) {
  std::array<std::string_view, n + m> all;
  std::ranges::copy(a, all.begin());
  std::ranges::copy(b, all.begin() + n);
  return all;
}

constexpr auto kAllViolating = Joined(kViolating, kViolatingElsewhere);
constexpr auto kAllSafe = Joined(kSafe, kSafeElsewhere);

}  // namespace

std::span<const std::string_view> ViolatingPhrases() {
  return kAllViolating;
}

std::span<const std::string_view> SafePhrases() {
  return kAllSafe;
}

}  // namespace safeguard::moderation::reading
