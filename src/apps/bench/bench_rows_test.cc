#include "apps/bench/bench_rows.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace safeguard::apps {
namespace {

engine::ModelInfo Shape() {
  engine::ModelInfo info;
  info.settings = {{"layers", "", 2},  {"hidden", "", 64},           {"intermediate", "", 32},
                   {"heads", "", 4},   {"kv_heads", "", 2},          {"head_dim", "", 16},
                   {"experts", "", 4}, {"experts_per_token", "", 1}, {"vocabulary", "", 1000}};
  const auto add = [&info](const char* name, std::uint64_t bytes) {
    info.tensors.push_back({.name = name, .type = "BF16", .shape = {}, .bytes = bytes, .file = ""});
  };
  add("model.embed_tokens.weight", 5000);
  add("lm_head.weight", 500);
  add("model.layers.0.self_attn.q_proj.weight", 40);
  add("model.layers.0.mlp.router.weight", 10);
  add("model.layers.0.mlp.experts.down_proj_blocks", 400);
  return info;
}

TEST(ModelCosts, CountsWhatATokenReads) {
  const ModelCosts costs = CostsOf(Shape());
  EXPECT_EQ(costs.vocabulary, 1000U);
  EXPECT_DOUBLE_EQ(costs.expert_bytes, 100);
  EXPECT_DOUBLE_EQ(costs.StepBytes(1), 50 + 500 + 100);
  EXPECT_DOUBLE_EQ(costs.EvenExperts(1), 1);
  // Two tokens meet in one of four experts a quarter of the time.
  EXPECT_DOUBLE_EQ(costs.EvenExperts(2), 1.75);
  EXPECT_NEAR(costs.EvenExperts(1000), 4, 1e-6);
  EXPECT_DOUBLE_EQ(costs.macs_per_token, 2 * (64 * (64 * 2 + 32 * 2) + 64 * 4 + 3 * 64 * 32));
}

TEST(ModelCosts, KnowsTheThreeLayoutsNames) {
  for (const char* name : {"block.0.mlp.mlp1_weight.blocks", "blk.0.ffn_up_exps.weight",
                           "model.layers.0.mlp.experts.gate_up_proj_bias"}) {
    engine::ModelInfo info = Shape();
    info.tensors = {{.name = name, .type = "U8", .shape = {}, .bytes = 80, .file = ""}};
    EXPECT_DOUBLE_EQ(CostsOf(info).expert_bytes, 20) << name;
  }
}

TEST(BenchRow, TellsTheMedian) {
  BenchRow row;
  row.rates = {5, 1, 3};
  EXPECT_DOUBLE_EQ(row.Median(), 3);
  row.rates = {4, 1, 3, 100};
  EXPECT_DOUBLE_EQ(row.Median(), 3.5);
}

TEST(PlanBench, NamesWorkThatIsNone) {
  BenchArguments arguments;
  EXPECT_EQ(PlanBench(arguments)->size(), 8U);
  arguments.work = {"prefill", "sleep"};
  const auto rows = PlanBench(arguments);
  ASSERT_FALSE(rows.has_value());
  EXPECT_NE(rows.error().message.find("sleep"), std::string::npos);
}

TEST(SetLimits, DecodingIsBoundByReadingOrMultiplying) {
  BenchArguments arguments;
  arguments.work = {"decode"};
  arguments.batch = {1, 1000};
  auto rows = PlanBench(arguments);
  ASSERT_TRUE(rows.has_value());
  const ModelCosts costs = CostsOf(Shape());
  engine::MachineLimits machine;
  machine.read_gb_s = 1;
  machine.f32_gmac_s = 0.01;
  SetLimits(*rows, costs, machine, {});
  const double arithmetic = 0.01e9 / costs.macs_per_token;
  EXPECT_DOUBLE_EQ((*rows)[0].limit, std::min(1e9 / costs.StepBytes(1), arithmetic));
  EXPECT_DOUBLE_EQ((*rows)[1].limit, arithmetic);
}

TEST(SetLimits, ExpertsThatWereReadCountNotThoseOfEvenDraws) {
  BenchArguments arguments;
  arguments.work = {"decode"};
  arguments.batch = {8};
  auto rows = PlanBench(arguments);
  ASSERT_TRUE(rows.has_value());
  const ModelCosts costs = CostsOf(Shape());
  engine::MachineLimits machine;
  machine.read_gb_s = 1e-6;
  machine.f32_gmac_s = 1e9;
  SetLimits(*rows, costs, machine, {});
  const double even = rows->front().limit;
  rows->front().expert_reads = {2, 6};  // of two layers, in two runs: 2 of 4 experts a layer
  EXPECT_DOUBLE_EQ(rows->front().Experts(costs), 2);
  SetLimits(*rows, costs, machine, {});
  EXPECT_DOUBLE_EQ(rows->front().limit, 8 * 1e3 / (50 + 500 + 2 * 100));
  EXPECT_GT(rows->front().limit, even);
}

}  // namespace
}  // namespace safeguard::apps
