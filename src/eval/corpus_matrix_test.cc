// The part of the corpus that is labelled under every category at once (corpus/matrix): every line
// can be read, names only categories that have policies, and keeps what the categories imply.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace safeguard::eval {
namespace {

struct Row {
  std::string id;
  std::string text;
  std::set<std::string> violates;
};

std::filesystem::path Folder(std::string_view part = "matrix") {
  return std::filesystem::path(SAFEGUARD_SOURCE_DIR) / "corpus" / part;
}

std::vector<Row> Rows(std::string_view part = "matrix") {
  std::vector<Row> rows;
  for (const auto& entry : std::filesystem::directory_iterator(Folder(part))) {
    if (entry.path().extension() != ".jsonl") {
      continue;
    }
    std::ifstream in(entry.path(), std::ios::binary);
    for (std::string line; std::getline(in, line);) {
      const nlohmann::json json = nlohmann::json::parse(line, nullptr, false);
      EXPECT_TRUE(json.is_object()) << entry.path() << ": " << line;
      if (json.is_object()) {
        rows.push_back({json.value("id", ""), json.value("text", ""),
                        json.value("violates", std::set<std::string>{})});
        EXPECT_FALSE(json.value("reason", "").empty()) << rows.back().id;
        EXPECT_FALSE(json.value("surface", "").empty()) << rows.back().id;
        EXPECT_FALSE(json.value("language", "").empty()) << rows.back().id;
      }
    }
  }
  return rows;
}

nlohmann::json Policies() {
  std::ifstream in(Folder() / "policies.json", std::ios::binary);
  return nlohmann::json::parse(in, nullptr, false);
}

TEST(CorpusTaughtTest, EveryCategoryHasSeveralPoliciesWithBothSides) {
  const nlohmann::json policies = Policies();
  ASSERT_TRUE(policies.is_object());
  EXPECT_EQ(policies.size(), 12U);
  for (const auto& [category, wordings] : policies.items()) {
    EXPECT_GE(wordings.size(), 4U) << category;
    for (const auto& wording : wordings) {
      EXPECT_FALSE(wording.value("title", "").empty()) << category;
      EXPECT_FALSE(wording.at("violates").empty()) << category;
      EXPECT_FALSE(wording.at("allowed").empty()) << category;
    }
  }
}

class CorpusMatrixTest : public testing::TestWithParam<std::string_view> {};

TEST_P(CorpusMatrixTest, LabelsNameKnownCategoriesAndKeepTheirImplications) {
  const nlohmann::json policies = Policies();
  std::set<std::string> ids;
  for (const Row& row : Rows(GetParam())) {
    EXPECT_TRUE(ids.insert(row.id).second) << row.id << " stands twice";
    EXPECT_FALSE(row.text.empty()) << row.id;
    for (const std::string& category : row.violates) {
      EXPECT_TRUE(policies.contains(category)) << row.id << ": " << category;
    }
    EXPECT_TRUE(!row.violates.contains("hate-threatening") || row.violates.contains("hate"))
        << row.id;
    EXPECT_TRUE(!row.violates.contains("sexual-minors") || row.violates.contains("sexual"))
        << row.id;
  }
}

INSTANTIATE_TEST_SUITE_P(Parts, CorpusMatrixTest, testing::Values("matrix", "held-out"));

// What chooses thresholds was never learned from.
TEST(CorpusHeldOutTest, NoTextIsTaughtToo) {
  std::set<std::string> taught;
  for (const Row& row : Rows()) {
    taught.insert(row.text);
  }
  const std::vector<Row> rows = Rows("held-out");
  EXPECT_GE(rows.size(), 700U);
  for (const Row& row : rows) {
    EXPECT_FALSE(taught.contains(row.text)) << row.id;
  }
}

TEST(CorpusTaughtTest, IsLargeAndEveryCategoryHasCases) {
  const std::vector<Row> rows = Rows();
  std::map<std::string, int> counts;
  for (const Row& row : rows) {
    for (const std::string& category : row.violates) {
      ++counts[category];
    }
  }
  const auto safe =
      std::ranges::count_if(rows, [](const Row& row) { return row.violates.empty(); });
  EXPECT_GE(rows.size(), 1400U);
  EXPECT_EQ(counts.size(), 12U);
  for (const auto& [category, count] : counts) {
    EXPECT_GE(count, 30) << category;
  }
  EXPECT_GE(safe * 5, static_cast<std::ptrdiff_t>(rows.size()) * 2);
  EXPECT_LE(safe * 5, static_cast<std::ptrdiff_t>(rows.size()) * 3);
}

}  // namespace
}  // namespace safeguard::eval
