#include "moderation/policy/prose_words.h"

#include <algorithm>
#include <array>

namespace safeguard::moderation::reading {
namespace {

using std::string_view;

constexpr auto kViolatingOrders = std::to_array<string_view>(
    {"flag",      "mark",      "report",   "block",     "reject",    "remove",    "delete",
     "refuse",    "ban",       "catch",    "filter",    "hide",      "stop",      "deny",
     "decline",   "disallow",  "prohibit", "forbid",    "bin",       "kill",      "nuke",
     "pull",      "kick",      "drop",     "suppress",  "bounce",    "intercept", "quarantine",
     "penalise",  "penalize",  "sanction", "escalate",  "take",      "avoid",     "censor",
     "weed",      "markieren", "löschen",  "entfernen", "melden",    "ablehnen",  "blockieren",
     "supprimer", "supprimez", "signaler", "signalez",  "bloquer",   "refuser",   "retirer",
     "retirez",   "eliminar",  "elimina",  "eliminad",  "bloquear",  "borra",     "borrar",
     "márcalo",   "márcala",   "marcar",   "rechaza",   "rechazar",  "quita",     "quitar",
     "markiere",  "lösche",    "entferne", "sperre",    "blockiere", "melde",     "markiert",
     "refusez",   "bloquez",   "elimine",  "eliminen",  "bloquee",   "löscht",    "strike",
     "purge",     "redact",    "axe"});

constexpr auto kSafeOrders = std::to_array<string_view>(
    {"allow", "permit",  "keep",    "approve",  "accept",  "let",     "leave",   "ignore",
     "pass",  "spare",   "touch",   "tolerate", "laissez", "laisser", "deja",    "dejad",
     "dejar", "permita", "permite", "lasst",    "lass",    "lassen",  "publish", "answer"});

constexpr auto kViolatingParticiples = std::to_array<string_view>(
    {"flagged",  "marked",      "reported", "blocked",    "rejected",    "removed",   "deleted",
     "refused",  "banned",      "filtered", "hidden",     "stopped",     "denied",    "declined",
     "rerouted", "escalated",   "censored", "suppressed", "penalised",   "penalized", "binned",
     "pulled",   "kicked",      "dropped",  "sanctioned", "quarantined", "caught",    "bounced",
     "purged",   "suspended",   "masked",   "logged",     "struck",      "muted",     "screened",
     "redacted", "intercepted", "turned",   "actioned",   "taken"});

constexpr auto kSafeParticiples = std::to_array<string_view>(
    {"tolerated",  "accepted", "kept",          "served",  "approved",  "left",
     "fine",       "cool",     "safe",          "good",    "published", "answered",
     "ignored",    "harmless", "unproblematic", "alright", "right",     "legit",
     "legitimate", "spared",   "supported",     "wanted"});

constexpr auto kAuxiliaries = std::to_array<string_view>(
    {"is",         "are",     "be",     "been", "being", "get",    "gets",    "was",
     "were",       "isn't",   "aren't", "like", "want",  "it's",   "that's",  "thats",
     "its",        "they're", "he's",   "stay", "stays", "remain", "remains", "am",
     "considered", "seems",   "all",    "have", "has",   "become", "becomes"});

constexpr auto kOrderLeads = std::to_array<string_view>(
    {"please", "pls",       "plz",    "then",        "so",       "always", "kindly",  "just",
     "we",     "we'll",     "i",      "they",        "must",     "should", "will",    "shall",
     "and",    "or",        "also",   "immediately", "not",      "don't",  "never",   "moderators",
     "mods",   "staff",     "team",   "bot",         "you",      "do",     "doesn't", "won't",
     "simply", "therefore", "let's",  "bitte",       "merci",    "de",     "can",     "may",
     "would",  "instead",   "first",  "must",        "por",      "favor",  "und",     "et",
     "y",      "ought",     "sofort", "either",      "everyone", "hence"});

constexpr auto kUnwantedVerbs = std::to_array<string_view>(
    {"want",   "wants",     "handle",    "deal",       "store",   "host",      "publish",
     "serve",  "support",   "like",      "discuss",    "talk",    "ask",       "post",
     "share",  "write",     "send",      "say",        "mention", "answer",    "promote",
     "sell",   "tolerate",  "tolerates", "belong",     "belongs", "entertain", "need",
     "accept", "allow",     "allows",    "permit",     "permits", "engage",    "offer",
     "use",    "advertise", "condone",   "put",        "cover",   "take",      "give",
     "help",   "stand",     "run",       "appreciate", "welcome", "encourage", "include",
     "go",     "bring",     "upload"});

constexpr auto kExceptionLeads = std::to_array<string_view>(
    {"unless",      "except",  "excluding", "apart from", "other than", "with the exception of",
     "save for",    "but not", "but never", "though not", "außer",      "es sei denn",
     "ausgenommen", "sauf",    "excepté",   "à moins",    "salvo",      "excepto",
     "a menos",     "and not", "not when",  "not if"});

constexpr auto kContrastLeads = std::to_array<string_view>(
    {"but", "while", "whereas", "however", "yet", "aber", "während", "mais", "tandis", "pero",
     "mientras", "sondern", "though", "although"});

constexpr auto kRestPhrases = std::to_array<string_view>({"everything else",
                                                          "anything else",
                                                          "something else",
                                                          "whatever else",
                                                          "everyone else",
                                                          "any other",
                                                          "all other",
                                                          "every other",
                                                          "other subjects",
                                                          "other topics",
                                                          "other messages",
                                                          "other questions",
                                                          "other requests",
                                                          "other posts",
                                                          "other things",
                                                          "other matters",
                                                          "other content",
                                                          "others are",
                                                          "another thing",
                                                          "another subject",
                                                          "another topic",
                                                          "the rest",
                                                          "the remaining",
                                                          "remaining cases",
                                                          "off topic",
                                                          "off subject",
                                                          "not on topic",
                                                          "nothing to do with",
                                                          "outside the purpose",
                                                          "everything beyond",
                                                          "another matter",
                                                          "outside this",
                                                          "outside that",
                                                          "outside of this",
                                                          "no others",
                                                          "anything different",
                                                          "something different",
                                                          "anything other than",
                                                          "anything outside",
                                                          "everything outside",
                                                          "alles andere",
                                                          "alle anderen",
                                                          "allem anderen",
                                                          "andere themen",
                                                          "der rest",
                                                          "autre chose",
                                                          "tout le reste",
                                                          "le reste",
                                                          "autres sujets",
                                                          "todo lo demás",
                                                          "lo demás",
                                                          "otra cosa",
                                                          "otros temas",
                                                          "el resto",
                                                          "cualquier otra",
                                                          "cualquier otro",
                                                          "tout autre",
                                                          "toute autre",
                                                          "all the others",
                                                          "anything besides",
                                                          "anything beyond",
                                                          "unrelated"});

constexpr auto kOnlyPhrases = std::to_array<string_view>({"only for",         "is only",
                                                          "are only",         "exists for",
                                                          "exists only",      "for one thing",
                                                          "and nothing else", "and nothing more",
                                                          "nothing but",      "nothing other than",
                                                          "reserved for",     "dedicated to",
                                                          "that's all",       "that's the lot",
                                                          "that's it",        "only takes",
                                                          "only handles",     "only deals",
                                                          "only talk",        "solely for",
                                                          "exclusively for",  "purely for",
                                                          "strictly for",     "single purpose",
                                                          "only about",       "only thing",
                                                          "only topic",       "only subject",
                                                          "may only",         "can only",
                                                          "must only",        "should only",
                                                          "only accepts",     "only takes",
                                                          "accepts only",     "takes only",
                                                          "limited to",       "nur für",
                                                          "ausschließlich",   "nur um",
                                                          "réservé aux",      "réservé à",
                                                          "réservé au",       "réservée aux",
                                                          "réservée à",       "uniquement",
                                                          "exclusivement",    "solo para",
                                                          "sólo para",        "únicamente",
                                                          "exclusivamente",   "reservado para",
                                                          "reservado a",      "alone",
                                                          "only discuss",     "stick to",
                                                          "one topic",        "one subject",
                                                          "only one",         "darf nur",
                                                          "dürfen nur"});

constexpr auto kPointing = std::to_array<string_view>(
    {"such", "those",  "these",  "that",    "this",   "it",    "they", "then",
     "he",   "she",    "them",   "so",      "solche", "diese", "das",  "dann",
     "cela", "ceux",   "celles", "eso",     "esos",   "esas",  "esto", "same",
     "both", "that's", "it's",   "they're", "nope",   "nah",   "there"});

// None of these says what content is about: grammar, then people, places and moderation.
constexpr auto kGrammar = std::to_array<string_view>(
    {"a",          "an",       "the",       "this",     "that",    "these",    "those",
     "such",       "it",       "its",       "it's",     "they",    "them",     "their",
     "he",         "him",      "his",       "she",      "her",     "we",       "us",
     "our",        "you",      "your",      "i",        "me",      "my",       "i'd",
     "we'd",       "we'll",    "we're",     "we've",    "you're",  "they're",  "that's",
     "who",        "whom",     "whose",     "which",    "what",    "whatever", "where",
     "when",       "whenever", "why",       "how",      "however", "is",       "are",
     "am",         "be",       "been",      "being",    "was",     "were",     "isn't",
     "aren't",     "do",       "does",      "did",      "don't",   "doesn't",  "didn't",
     "has",        "have",     "had",       "having",   "will",    "would",    "shall",
     "should",     "must",     "may",       "might",    "can",     "could",    "cannot",
     "can't",      "won't",    "shouldn't", "mustn't",  "not",     "no",       "nor",
     "never",      "none",     "nothing",   "nobody",   "without", "if",       "then",
     "else",       "so",       "as",        "too",      "also",    "and",      "or",
     "but",        "yet",      "though",    "although", "because", "since",    "while",
     "whereas",    "unless",   "until",     "of",       "in",      "on",       "at",
     "to",         "from",     "for",       "with",     "by",      "about",    "into",
     "onto",       "over",     "under",     "after",    "before",  "up",       "down",
     "out",        "off",      "through",   "along",    "across",  "here",     "there",
     "now",        "just",     "only",      "even",     "very",    "all",      "any",
     "every",      "each",     "both",      "either",   "some",    "one",      "ones",
     "two",        "other",    "others",    "another",  "same",    "rest",     "remaining",
     "everything", "anything", "something", "everyone", "anyone",  "anybody",  "somebody",
     "someone",    "everybody"});

constexpr auto kPlain = std::to_array<string_view>(
    {"person",      "people",      "user",      "users",      "member",     "members",
     "customer",    "customers",   "visitor",   "visitors",   "poster",     "author",
     "writer",      "sender",      "moderator", "moderators", "mods",       "message",
     "messages",    "post",        "posts",     "comment",    "comments",   "content",
     "reply",       "replies",     "text",      "texts",      "question",   "questions",
     "request",     "requests",    "subject",   "subjects",   "topic",      "topics",
     "matter",      "matters",     "thing",     "things",     "stuff",      "case",
     "cases",       "kind",        "sort",      "type",       "line",       "lines",
     "hit",         "entry",       "list",      "rule",       "rules",      "policy",
     "channel",     "forum",       "site",      "platform",   "thread",     "room",
     "chat",        "queue",       "desk",      "inbox",      "board",      "place",
     "purpose",     "scope",       "category",  "label",      "bot",        "assistant",
     "helper",      "please",      "pls",       "always",     "straight",   "away",
     "immediately", "sight",       "warning",   "doubt",      "ask",        "later",
     "full",        "stop",        "okay",      "ok",         "fine",       "cool",
     "thanks",      "way",         "go",        "goes",       "get",        "gets",
     "let",         "leave",       "alone",     "stay",       "stays",      "keep",
     "touch",       "count",       "counts",    "treat",      "treated",    "regarded",
     "considered",  "tone",        "yes",       "means",      "mean",       "well",
     "different",   "irrelevant",  "harmless",  "whether",    "like",       "want",
     "wants",       "instead",     "again",     "still",      "itself",     "themselves",
     "exception",   "exceptions",  "apply",     "applies",    "happens",    "happen",
     "occurs",      "found",       "see",       "spot",       "spotted",    "told",
     "next",        "q",           "t",         "s",          "d",          "ll",
     "re",          "ve",          "there's",   "therefore",  "thus",       "hence",
     "talk",        "talks",       "concerns",  "concern",    "concerning", "regarding",
     "deal",        "belong",      "belongs",   "mark",       "flag",       "report",
     "take",        "taken",       "bring",     "brings",     "raise",      "raises",
     "situation",   "behaviour",   "behavior",  "usually",    "reason",     "act",
     "action",      "positive",    "negative",  "true",       "false",      "problem",
     "issue",       "need",        "needs",     "allowed",    "permitted",  "violation",
     "violations",  "das",         "die",       "der",        "den",        "dem",
     "ein",         "eine",        "es",        "ist",        "sind",       "wird",
     "werden",      "nicht",       "und",       "oder",       "hier",       "bitte",
     "nachricht",   "nachrichten", "beitrag",   "beiträge",   "alles",      "andere",
     "anderen",     "muss",        "müssen",    "dann",       "le",         "la",
     "les",         "un",          "une",       "des",        "du",         "de",
     "et",          "ou",          "est",       "sont",       "sera",       "seront",
     "doit",        "doivent",     "être",      "ne",         "pas",        "ici",
     "tout",        "toute",       "tous",      "autre",      "autres",     "chose",
     "reste",       "qui",         "que",       "parle",      "ce",         "cela",
     "el",          "los",         "las",       "una",        "y",          "o",
     "son",         "se",          "lo",        "aquí",       "todo",       "toda",
     "demás",       "otra",        "otro",      "cosa",       "mensaje",    "mensajes",
     "debe",        "deben",       "ser",       "está",       "infracción", "como"});

template <std::size_t n>
bool In(const std::array<string_view, n>& words, string_view word) {
  return std::ranges::find(words, word) != words.end();
}

}  // namespace

std::span<const string_view> ViolatingOrders() {
  return kViolatingOrders;
}
std::span<const string_view> SafeOrders() {
  return kSafeOrders;
}
std::span<const string_view> ViolatingParticiples() {
  return kViolatingParticiples;
}
std::span<const string_view> SafeParticiples() {
  return kSafeParticiples;
}
std::span<const string_view> Auxiliaries() {
  return kAuxiliaries;
}
std::span<const string_view> OrderLeads() {
  return kOrderLeads;
}
std::span<const string_view> UnwantedVerbs() {
  return kUnwantedVerbs;
}
std::span<const string_view> ExceptionLeads() {
  return kExceptionLeads;
}
std::span<const string_view> ContrastLeads() {
  return kContrastLeads;
}
std::span<const string_view> RestPhrases() {
  return kRestPhrases;
}
std::span<const string_view> OnlyPhrases() {
  return kOnlyPhrases;
}
std::span<const string_view> PointingWords() {
  return kPointing;
}
bool NamesNothing(string_view word) {
  return In(kGrammar, word) || In(kPlain, word) || In(kViolatingOrders, word) ||
         In(kViolatingParticiples, word) || In(kSafeParticiples, word) || In(kSafeOrders, word) ||
         word.size() == 1;
}

}  // namespace safeguard::moderation::reading
