// What the layers before any model find and what they cost, on labelled or plain records (JSONL or
// CSV with a text). docs/lists.md has the figures.
//
//   first_layers tamper FILE...        how many address the judge, by sign, and contents a second
//   first_layers language CODE FILE... how many are told to be in CODE, in another, in none
//   first_layers near FILE...          pairs called near duplicates, with their true similarity;
//   and
//                                      how often a changed copy is found again
//   first_layers terms FILE...         a list of 10,000 terms: hits, and contents a second
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "eval/dataset.h"
#include "moderation/cascade/lists/near_duplicate.h"
#include "moderation/cascade/lists/near_index.h"
#include "moderation/clock.h"
#include "moderation/language_detector.h"
#include "moderation/lists.h"
#include "moderation/tamper_detector.h"

namespace safeguard {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<moderation::Content> Read(const std::vector<std::string>& files) {
  std::vector<moderation::Content> contents;
  for (const std::string& file : files) {
    eval::ReadOptions options;
    options.mapping.read_labels = false;
    const auto reader = eval::OpenRecords(file, options);
    if (!reader) {
      std::cerr << Describe(reader.error()) << "\n";
      continue;
    }
    while (const auto entry = (*reader)->Next()) {
      if (entry->record) {
        contents.push_back(entry->record->content);
      }
    }
  }
  return contents;
}

void Report(std::size_t contents, Clock::time_point begin) {
  const std::chrono::duration<double> took = Clock::now() - begin;
  fmt::print("{} contents, {:.0f} a second\n", contents,
             static_cast<double>(contents) / took.count());
}

int Tamper(const std::vector<std::string>& files) {
  const auto contents = Read(files);
  const auto detector = moderation::MakeTamperDetector();
  if (!detector) {
    std::cerr << Describe(detector.error()) << "\n";
    return 1;
  }
  std::map<std::string, std::size_t> signs;
  std::size_t found = 0;
  const auto begin = Clock::now();
  for (const moderation::Content& content : contents) {
    const moderation::TamperFinding finding = (*detector)->Inspect(content);
    if (finding.addresses_judge) {
      ++found;
      for (const std::string& sign : finding.signs) {
        ++signs[sign];
      }
      fmt::print("+ {}\n", content.messages.front().text.substr(0, 200));
    } else {
      fmt::print("- {}\n", content.messages.front().text.substr(0, 200));
    }
  }
  Report(contents.size(), begin);
  fmt::print("{} address the judge ({:.2f} %)\n", found,
             100.0 * static_cast<double>(found) / static_cast<double>(contents.size()));
  for (const auto& [sign, count] : signs) {
    fmt::print("  {} {}\n", sign, count);
  }
  return 0;
}

int Language(const std::string& expected, const std::vector<std::string>& files) {
  const auto contents = Read(files);
  const auto detector = moderation::MakeLanguageDetector();
  std::size_t right = 0;
  std::size_t wrong = 0;
  std::map<std::string, std::size_t> others;
  const auto begin = Clock::now();
  for (const moderation::Content& content : contents) {
    const moderation::LanguageGuess guess = detector->Detect(content);
    if (guess.confidence < 0.5) {
      continue;
    }
    if (guess.language == expected) {
      ++right;
    } else {
      ++wrong;
      ++others[guess.language];
    }
  }
  Report(contents.size(), begin);
  fmt::print("{}: {}, another language: {}, not sure: {}\n", expected, right, wrong,
             contents.size() - right - wrong);
  for (const auto& [language, count] : others) {
    fmt::print("  {} {}\n", language, count);
  }
  return 0;
}

double Jaccard(const std::string& a, const std::string& b) {
  const auto left = moderation::lists::Shingles(a, moderation::lists::kShinglesMax);
  const auto right = moderation::lists::Shingles(b, moderation::lists::kShinglesMax);
  const std::set<std::uint64_t> set(left.begin(), left.end());
  const auto both = std::ranges::count_if(right, [&](std::uint64_t s) { return set.contains(s); });
  return static_cast<double>(both) /
         static_cast<double>(left.size() + right.size() - static_cast<std::size_t>(both));
}

// Every `step`-th letter becomes another.
std::string Changed(std::string text, std::size_t step) {
  for (std::size_t i = step; i < text.size(); i += step) {
    if (text[i] >= 'a' && text[i] <= 'z') {
      text[i] = text[i] == 'q' ? 'x' : 'q';
    }
  }
  return text;
}

int Near(const std::vector<std::string>& files) {
  std::set<std::string> distinct;
  for (const moderation::Content& content : Read(files)) {
    distinct.insert(content.messages.front().text);
  }
  const std::vector<std::string> texts(distinct.begin(), distinct.end());
  moderation::lists::NearIndex index;
  std::vector<std::size_t> indexed;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto shingles = moderation::lists::Shingles(texts[i], moderation::lists::kShinglesMax);
    if (shingles.size() >= moderation::lists::kShinglesMin &&
        shingles.size() <= moderation::lists::kShinglesMax) {
      index.Add(moderation::lists::MakeFingerprint(shingles), moderation::kSimilarityDefault);
      indexed.push_back(i);
    }
  }
  std::size_t pairs = 0;
  std::size_t below_70 = 0;
  std::size_t below_50 = 0;
  const auto begin = Clock::now();
  for (std::size_t i = 0; i < indexed.size(); ++i) {
    for (const auto& near : index.Find(texts[indexed[i]])) {
      if (near.index > i) {
        const double truth = Jaccard(texts[indexed[i]], texts[indexed[near.index]]);
        ++pairs;
        below_70 += truth < 0.7 ? 1 : 0;
        below_50 += truth < 0.5 ? 1 : 0;
      }
    }
  }
  Report(indexed.size(), begin);
  const double all =
      static_cast<double>(indexed.size()) * static_cast<double>(indexed.size() - 1) / 2;
  fmt::print(
      "{} distinct texts, {} long enough; {} pairs of {:.3g} called near; truly below 0.7: {}, "
      "below 0.5: {}\n",
      texts.size(), indexed.size(), pairs, all, below_70, below_50);
  for (const std::size_t step : {400U, 200U, 100U, 50U, 25U}) {
    std::size_t found = 0;
    std::size_t asked = 0;
    for (std::size_t i = 0; i < indexed.size(); i += 7, ++asked) {
      const auto hits = index.Find(Changed(texts[indexed[i]], step));
      found += std::ranges::any_of(hits, [&](const auto& near) { return near.index == i; }) ? 1 : 0;
    }
    fmt::print("one letter in {} changed: {} of {} found\n", step, found, asked);
  }
  return 0;
}

int Terms(const std::vector<std::string>& files) {
  const auto contents = Read(files);
  moderation::List list;
  list.name = "random";
  const auto random = moderation::SeededRandom(1);
  for (int i = 0; i < 10'000; ++i) {
    moderation::ListEntry entry;
    entry.id = std::to_string(i);
    for (std::uint64_t left = 5 + random->Bits() % 8; left > 0; --left) {
      entry.value += static_cast<char>('a' + random->Bits() % 26);
    }
    list.entries.push_back(std::move(entry));
  }
  const auto compile = Clock::now();
  const auto snapshot = moderation::ListSnapshot::Compile({std::move(list)});
  const std::chrono::duration<double> took = Clock::now() - compile;
  if (!snapshot) {
    std::cerr << Describe(snapshot.error()) << "\n";
    return 1;
  }
  fmt::print("compiled in {:.2f} s\n", took.count());
  std::size_t hits = 0;
  const auto begin = Clock::now();
  for (const moderation::Content& content : contents) {
    hits += (*snapshot)->Match(content, "p", 0).value().size();
  }
  Report(contents.size(), begin);
  fmt::print("{} hits\n", hits);
  return 0;
}

int Run(const std::vector<std::string>& words) {
  const std::string what = words.empty() ? "" : words[0];
  const std::vector<std::string> rest(words.begin() + (words.empty() ? 0 : 1), words.end());
  if (what == "tamper") {
    return Tamper(rest);
  }
  if (what == "near") {
    return Near(rest);
  }
  if (what == "terms") {
    return Terms(rest);
  }
  if (what == "language" && !rest.empty()) {
    return Language(rest[0], {rest.begin() + 1, rest.end()});
  }
  std::cerr << "first_layers tamper|near|terms FILE..., or language CODE FILE...\n";
  return 2;
}

}  // namespace
}  // namespace safeguard

int main(int argc, char** argv) {
  return safeguard::Run({argv + 1, argv + argc});
}
