#include "judges/dedicated/embedding_head.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "judges/screen/logistic.h"

namespace safeguard::judges {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::array kPenalties = {1.0, 0.1, 0.01};
constexpr std::size_t kChoiceExamples = 4'000;
constexpr std::size_t kChoiceFold = 5;
constexpr std::size_t kChoiceClassMin = 3;  // of a side among the held-out ones

EmbeddingHead Fit(std::span<const HeadExample> examples, double penalty) {
  std::vector<LogisticCase> cases;
  cases.reserve(examples.size());
  for (const HeadExample& example : examples) {
    cases.push_back({example.embedding, 0, example.positive, 1});
  }
  LogisticOptions options;
  options.weight_penalty = penalty;
  options.bias_penalty = 0.01;
  const LogisticModel model = FitLogistic(cases, examples.front().embedding.size(), options);
  EmbeddingHead head;
  head.weights.assign(model.weights.begin(), model.weights.end());
  head.bias = model.bias;
  return head;
}

double LogLoss(const EmbeddingHead& head, std::span<const HeadExample> examples) {
  double loss = 0;
  for (const HeadExample& example : examples) {
    const double z = head.LogOdds(example.embedding) * (example.positive ? -1 : 1);
    loss += z > 0 ? z + std::log1p(std::exp(-z)) : std::log1p(std::exp(z));
  }
  return loss;
}

bool BothSides(std::span<const HeadExample> examples, std::size_t least) {
  std::size_t positives = 0;
  for (const HeadExample& example : examples) {
    positives += example.positive ? 1 : 0;
  }
  return positives >= least && examples.size() - positives >= least;
}

double ChoosePenalty(std::span<const HeadExample> examples) {
  const std::size_t stride = (examples.size() + kChoiceExamples - 1) / kChoiceExamples;
  std::vector<HeadExample> learned;
  std::vector<HeadExample> held_out;
  // By side, so that both parts have their share of each.
  std::array<std::size_t, 2> count{};
  for (std::size_t i = 0; i < examples.size(); i += stride) {
    const std::size_t nth = count[examples[i].positive ? 1 : 0]++;
    (nth % kChoiceFold == 0 ? held_out : learned).push_back(examples[i]);
  }
  if (!BothSides(held_out, kChoiceClassMin) || !BothSides(learned, 1)) {
    return kPenalties.front();  // too few to tell: the firmest
  }
  double best = kPenalties.front();
  double least = 0;
  for (const double penalty : kPenalties) {
    const double loss = LogLoss(Fit(learned, penalty), held_out);
    if (penalty == kPenalties.front() || loss < least) {
      least = loss;
      best = penalty;
    }
  }
  return best;
}

}  // namespace

double EmbeddingHead::LogOdds(std::span<const float> embedding) const {
  CHECK(embedding.size() == weights.size());
  double z = bias;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    z += double{weights[i]} * double{embedding[i]};
  }
  return z;
}

EmbeddingHead TrainHead(std::span<const HeadExample> examples) {
  CHECK(BothSides(examples, 1));
  return Fit(examples, ChoosePenalty(examples));
}

std::string WriteHead(const EmbeddingHead& head) {
  std::string bytes(sizeof(double) + head.weights.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), &head.bias, sizeof(double));
  std::memcpy(bytes.data() + sizeof(double), head.weights.data(),
              head.weights.size() * sizeof(float));
  return bytes;
}

Result<EmbeddingHead> ReadHead(std::string_view bytes, std::size_t width) {
  if (width == 0 || width > kHeadWidthMax ||
      bytes.size() != sizeof(double) + width * sizeof(float)) {
    return Fail(ErrorCode::kCorruptFile, "the head in it has another length than it says",
                "train it again, or install a good copy");
  }
  EmbeddingHead head;
  head.weights.resize(width);
  std::memcpy(&head.bias, bytes.data(), sizeof(double));
  std::memcpy(head.weights.data(), bytes.data() + sizeof(double), width * sizeof(float));
  bool finite = std::isfinite(head.bias);
  for (const float weight : head.weights) {
    finite = finite && std::isfinite(weight);
  }
  if (!finite) {
    return Fail(ErrorCode::kCorruptFile, "the head in it holds what is no number",
                "train it again, or install a good copy");
  }
  return head;
}

}  // namespace safeguard::judges
