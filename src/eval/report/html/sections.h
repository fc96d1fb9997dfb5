// The parts of the HTML report, each a string of complete elements.
#pragma once

#include <span>
#include <string>

#include "eval/report.h"

namespace safeguard::eval {

std::string StyleSheet();

std::string HeadlineSection(const Report& report);   // the figures to quote, with intervals
std::string NotesSection(const Report& report);      // what to know before believing them
std::string DecisionsSection(const Report& report);  // confusion matrix, undetermined by kind
std::string ScoresSection(const Report& report);     // ROC, PR, reliability, histogram, cuts
std::string SlicesSection(const Report& report);     // rules, languages, surfaces, tags
std::string CostSection(const Report& report, std::span<const QualityPoint> others);
std::string ErrorsSection(const Report& report);
std::string ProvenanceSection(const Report& report);  // hashes, settings, the policy's text

// `<section id=".." ><h2>..</h2> body </section>`; empty when `body` is.
std::string Section(const char* id, const char* title, const std::string& body);
// `<figure>..<figcaption><b>title</b> caption</figcaption></figure>`; our own words.
std::string FigureBox(const std::string& drawing, const char* title, const std::string& caption);

}  // namespace safeguard::eval
