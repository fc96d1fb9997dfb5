// The words that tell which side of the line a heading is on and what a section is for. Data only,
// in several languages; sides.cc says how they are read.
#pragma once

#include <span>
#include <string_view>

namespace safeguard::moderation::reading {

// A word, or with `stem` every word that begins so. All in lower case.
struct Term {
  std::string_view text;
  bool stem = false;
};

std::span<const Term> ViolatingTerms();
std::span<const Term> SafeTerms();
std::span<const Term> ExceptionTerms();  // "exceptions": the other side of what they are to
// These count only in titles of at most four words: "Includes", "Remove".
std::span<const Term> WeakViolatingTerms();
std::span<const Term> WeakSafeTerms();
std::span<const Term> NegatingTerms();
std::span<const Term> ModalTerms();  // "must", "should": a requirement, a prohibition when negated
std::span<const Term> AvoidingTerms();

std::span<const Term> DefinitionTerms();
std::span<const Term> ExampleTerms();
std::span<const Term> InstructionTerms();
std::span<const Term> CriteriaTerms();

// Scripts written without spaces: searched for anywhere.
std::span<const std::string_view> ViolatingPieces();
std::span<const std::string_view> SafePieces();
std::span<const std::string_view> DefinitionPieces();
std::span<const std::string_view> ExamplePieces();
std::span<const std::string_view> InstructionPieces();

// Names of fields in examples, "Input: ...", in lower case.
std::span<const std::string_view> ContentFields();
std::span<const std::string_view> LabelFields();
std::span<const std::string_view> ReasonFields();

bool Contains(std::span<const Term> terms, std::string_view word);
bool Contains(std::span<const std::string_view> names, std::string_view name);

}  // namespace safeguard::moderation::reading
