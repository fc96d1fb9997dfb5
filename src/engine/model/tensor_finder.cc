#include "engine/model/tensor_finder.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "engine/model/safetensors_header.h"

namespace safeguard::engine {
namespace {

const char* NameOf(StoredType type) {
  switch (type) {
    case StoredType::kF32:
      return "F32";
    case StoredType::kF16:
      return "F16";
    case StoredType::kBF16:
      return "BF16";
    case StoredType::kQ8_0:
      return "Q8_0";
    case StoredType::kMxfp4:
      return "MXFP4";
    case StoredType::kMxfp4Adjacent:
      return "MXFP4 (type 4)";
    case StoredType::kU8:
      return "U8";
    case StoredType::kOther:
      break;
  }
  return "another type";
}

std::size_t BytesOf(WeightType type) {
  return type == WeightType::kF32 ? 4 : 2;
}

// REQUIRES: a plain or Q8_0 matrix.
std::size_t RowBytes(WeightType type, std::size_t columns) {
  return type == WeightType::kQ8_0 ? columns / 32 * 34 : columns * BytesOf(type);
}

}  // namespace

std::string ShapeText(std::span<const std::uint64_t> shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  }
  return text + "]";
}

TensorFinder::TensorFinder(std::span<const StoredTensor> tensors)
    : tensors_(tensors), by_name_(tensors.size()), used_(tensors.size()) {
  const auto name = [this](std::size_t i) -> std::string_view { return tensors_[i].name; };
  std::iota(by_name_.begin(), by_name_.end(), std::size_t{0});
  std::ranges::sort(by_name_, {}, name);
  for (std::size_t i = 1; i < by_name_.size(); ++i) {
    if (name(by_name_[i - 1]) == name(by_name_[i])) {
      Note("tensor " + QuoteName(name(by_name_[i])) + " appears twice");
    }
  }
}

bool TensorFinder::Has(std::string_view name) const {
  return std::ranges::binary_search(
      by_name_, name, {}, [this](std::size_t i) -> std::string_view { return tensors_[i].name; });
}

std::string TensorFinder::FirstThere(std::initializer_list<std::string> names) const {
  CHECK(names.size() > 0);
  for (const std::string& name : names) {
    if (Has(name)) {
      return name;
    }
  }
  return *names.begin();
}

const StoredTensor* TensorFinder::Find(std::string_view name,
                                       std::initializer_list<StoredType> types,
                                       std::initializer_list<std::uint64_t> shape) {
  const auto found = std::ranges::lower_bound(
      by_name_, name, {}, [this](std::size_t i) -> std::string_view { return tensors_[i].name; });
  if (found == by_name_.end() || tensors_[*found].name != name) {
    Note("tensor " + QuoteName(name) + " is missing");
    return nullptr;
  }
  used_[*found] = true;
  const StoredTensor& tensor = tensors_[*found];
  std::string problem;
  if (std::ranges::find(types, tensor.type) == types.end()) {
    std::string wanted;
    for (const StoredType type : types) {
      wanted += (wanted.empty() ? "" : ", ") + std::string(NameOf(type));
    }
    problem = " is " + tensor.type_name + ", wanted " + wanted;
  }
  if (!std::ranges::equal(tensor.shape, shape)) {
    problem += (problem.empty() ? "" : ", and") + (" has shape " + ShapeText(tensor.shape)) +
               ", wanted " + ShapeText({shape.begin(), shape.size()});
  }
  if (!problem.empty()) {
    Note("tensor " + QuoteName(name) + problem);
    return nullptr;
  }
  return &tensor;
}

VectorView TensorFinder::Vector(std::string_view name, std::size_t size) {
  const StoredTensor* tensor =
      Find(name, {StoredType::kF32, StoredType::kF16, StoredType::kBF16}, {size});
  if (tensor == nullptr) {
    return {};
  }
  const WeightType type = WeightTypeOf(tensor->type);
  return {type, size, tensor->bytes.data(), BytesOf(type)};
}

MatrixView TensorFinder::Matrix(std::string_view name, std::size_t rows, std::size_t columns) {
  const StoredTensor* tensor =
      Find(name, {StoredType::kBF16, StoredType::kF32, StoredType::kF16, StoredType::kQ8_0},
           {rows, columns});
  if (tensor == nullptr) {
    return {};
  }
  const WeightType type = WeightTypeOf(tensor->type);
  return {type, rows, columns, tensor->bytes.data(), RowBytes(type, columns), {}};
}

void TensorFinder::Note(std::string problem) {
  if (count_++ < kProblemsShown) {
    shown_.push_back(std::move(problem));
  }
}

std::vector<std::size_t> TensorFinder::Unused() const {
  std::vector<std::size_t> unused;
  for (std::size_t i = 0; i < used_.size(); ++i) {
    if (!used_[i]) {
      unused.push_back(i);
    }
  }
  return unused;
}

Status TensorFinder::Finish(const std::string& where) const {
  if (count_ == 0) {
    return {};
  }
  std::string message = where + ": ";
  for (std::size_t i = 0; i < shown_.size(); ++i) {
    message += (i == 0 ? "" : "; ") + shown_[i];
  }
  if (count_ > shown_.size()) {
    message += "; and " + std::to_string(count_ - shown_.size()) + " more";
  }
  return Fail(ErrorCode::kCorruptFile, message,
              "is this a whole gpt-oss model, and does its config belong to these files? "
              "Download it again if in doubt");
}

WeightType WeightTypeOf(StoredType type) {
  switch (type) {
    case StoredType::kF32:
      return WeightType::kF32;
    case StoredType::kF16:
      return WeightType::kF16;
    case StoredType::kBF16:
      return WeightType::kBF16;
    case StoredType::kQ8_0:
      return WeightType::kQ8_0;
    case StoredType::kMxfp4:
    case StoredType::kMxfp4Adjacent:
      return WeightType::kMxfp4;
    case StoredType::kU8:
    case StoredType::kOther:
      break;
  }
  CHECK(false);
}

MatrixView RowsOf(const MatrixView& matrix, std::size_t begin, std::size_t rows) {
  if (matrix.rows == 0) {
    return {};
  }
  CHECK(begin <= matrix.rows && rows <= matrix.rows - begin);
  MatrixView part = matrix;
  part.rows = rows;
  if (matrix.type == WeightType::kMxfp4) {
    part.mxfp4.codes += begin * matrix.mxfp4.code_row_stride;
    part.mxfp4.scales += begin * matrix.mxfp4.scale_row_stride;
  } else {
    part.data += begin * matrix.row_stride;
  }
  return part;
}

VectorView PartOf(const VectorView& vector, std::size_t begin, std::size_t size) {
  if (vector.size == 0) {
    return {};
  }
  CHECK(begin <= vector.size && size <= vector.size - begin);
  return {vector.type, size, vector.data + begin * vector.stride, vector.stride};
}

MatrixView EverySecondRow(const MatrixView& matrix, std::size_t first) {
  MatrixView part = RowsOf(matrix, matrix.rows == 0 ? 0 : first, matrix.rows / 2);
  part.row_stride *= 2;
  part.mxfp4.code_row_stride *= 2;
  part.mxfp4.scale_row_stride *= 2;
  return part;
}

VectorView EverySecond(const VectorView& vector, std::size_t first) {
  VectorView part = PartOf(vector, vector.size == 0 ? 0 : first, vector.size / 2);
  part.stride *= 2;
  return part;
}

}  // namespace safeguard::engine
