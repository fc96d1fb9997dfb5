// One model in memory for all who open the same, and none for longer than somebody has it.
#include "judges/open_models.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <utility>

namespace safeguard::judges {
namespace {

class NamedModel final : public engine::LanguageModel {
 public:
  explicit NamedModel(std::string name) : name_(std::move(name)) {}
  engine::Generator& generator() override { std::abort(); }
  [[nodiscard]] const engine::Bpe& bpe() const override { std::abort(); }
  [[nodiscard]] std::size_t vocabulary() const override { return 0; }
  [[nodiscard]] std::size_t context_max() const override { return 0; }
  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] const engine::PackedReport& packed() const override { return packed_; }
  [[nodiscard]] const std::string& fingerprint() const override { return name_; }

 private:
  std::string name_;
  engine::PackedReport packed_;
};

TEST(OpenModels, TheSameIsOpenedOnceAndSharedAsLongAsSomebodyHasIt) {
  OpenModels models;
  int opened = 0;
  const auto open = [&]() -> Result<OpenModels::Model> {
    ++opened;
    return std::make_shared<NamedModel>("20b");
  };
  EXPECT_EQ(models.Find("/models/20b"), nullptr);
  OpenModels::Model one = *models.Get("/models/20b", "int8|2", open);
  OpenModels::Model two = *models.Get("/models/../models/20b", "int8|2", open);
  EXPECT_EQ(one, two) << "two names of one folder";
  EXPECT_EQ(models.Find("/models/20b"), one);
  EXPECT_EQ(opened, 1);
  EXPECT_NE(*models.Get("/models/20b", "int16|2", open), one) << "other numbers in memory";
  EXPECT_NE(*models.Get("/models/120b", "int8|2", open), one);
  EXPECT_EQ(opened, 3);
  one.reset();
  two.reset();
  EXPECT_EQ(models.Find("/models/20b"), nullptr) << "nothing is kept for nobody";
  EXPECT_NE(*models.Get("/models/20b", "int8|2", open), nullptr);
  EXPECT_EQ(opened, 4);
}

TEST(OpenModels, WhatCouldNotBeOpenedIsTriedAgain) {
  OpenModels models;
  const auto fails = []() -> Result<OpenModels::Model> {
    return Fail(ErrorCode::kNotFound, "there is no model");
  };
  EXPECT_FALSE(models.Get("/models/20b", "", fails));
  EXPECT_TRUE(models.Get("/models/20b", "", []() -> Result<OpenModels::Model> {
    return std::make_shared<NamedModel>("20b");
  }));
}

}  // namespace
}  // namespace safeguard::judges
