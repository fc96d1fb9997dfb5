// Looks up every tensor that a model needs, checks its type and shape, and collects all that is
// wrong, so that a person reads one complete list.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/model/stored_tensor.h"
#include "engine/model/weights.h"

namespace safeguard::engine {

// How many problems an error names; the others are counted.
inline constexpr std::size_t kProblemsShown = 20;

// Used by one thread. Views that it gives point into the tensors' bytes.
class TensorFinder {
 public:
  // `tensors` must outlive the finder. Two of the same name are a problem.
  explicit TensorFinder(std::span<const StoredTensor> tensors);

  [[nodiscard]] bool Has(std::string_view name) const;
  // The first of `names` that is there; the first of all when none is. REQUIRES: not empty.
  [[nodiscard]] std::string FirstThere(std::initializer_list<std::string> names) const;

  // Null, and a problem noted, when `name` is missing or has another type or shape.
  const StoredTensor* Find(std::string_view name, std::initializer_list<StoredType> types,
                           std::initializer_list<std::uint64_t> shape);
  // Empty views, and a problem noted, where Find would give null. Vectors are F32, F16 or BF16;
  // matrices also Q8_0.
  VectorView Vector(std::string_view name, std::size_t size);
  MatrixView Matrix(std::string_view name, std::size_t rows, std::size_t columns);

  void Note(std::string problem);
  [[nodiscard]] std::size_t problems() const { return count_; }

  // Indices of the tensors that were never found.
  [[nodiscard]] std::vector<std::size_t> Unused() const;
  // kCorruptFile with the list of problems, if there were any. `where` begins the message.
  [[nodiscard]] Status Finish(const std::string& where) const;

 private:
  std::span<const StoredTensor> tensors_;
  std::vector<std::size_t> by_name_;
  std::vector<bool> used_;
  std::vector<std::string> shown_;
  std::size_t count_ = 0;
};

// REQUIRES: the tensor's type is one that WeightType has.
WeightType WeightTypeOf(StoredType type);

// "[2, 3]".
std::string ShapeText(std::span<const std::uint64_t> shape);

// Rows [begin, begin + rows) of `matrix`. An empty view stays empty.
MatrixView RowsOf(const MatrixView& matrix, std::size_t begin, std::size_t rows);
// Numbers [begin, begin + size) of `vector`. An empty view stays empty.
VectorView PartOf(const VectorView& vector, std::size_t begin, std::size_t size);
// Every second row or number, from `first` (0 or 1) on.
MatrixView EverySecondRow(const MatrixView& matrix, std::size_t first);
VectorView EverySecond(const VectorView& vector, std::size_t first);

}  // namespace safeguard::engine
