// Files and batches: one contract, on the disk and in memory.
#include "moderation/batch_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "storage/stores.h"
#include "storage/test_stores.h"

namespace safeguard::storage {
namespace {

using moderation::Batch;
using moderation::BatchLine;
using moderation::BatchState;
using moderation::FileInfo;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class BatchContract : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override { Open({}); }
  // Again, as after a restart; in memory there is none.
  void Open(const moderation::FileLimits& limits) {
    if (GetParam()) {
      batches = nullptr;
      files = std::move(*OpenFileStore(folder.path(), limits, {.create = true}));
      batches = std::move(*OpenBatchStore(folder.path(), {.create = true}));
    } else if (files == nullptr || limits.files_max != moderation::FileLimits().files_max) {
      files = moderation::MemoryFileStore(limits);
      batches = moderation::MemoryBatchStore(*files);
    }
  }
  FileInfo Add(const std::string& bytes, const std::string& owner = "ada") {
    return files->Add({owner, "batch", "in.jsonl", bytes}, 1000).value();
  }
  Batch Begin(const std::string& owner = "ada") {
    return batches->Begin({owner, "/v1/moderations", "file-1", "{}", 90'000}, 1000).value();
  }
  std::string ReadAll(const std::string& id) { return files->Read("ada", id).value(); }

  TestFolder folder;
  std::unique_ptr<moderation::FileStore> files;
  std::unique_ptr<moderation::BatchStore> batches;
};

TEST_P(BatchContract, AFileIsItsOwnersAlone) {
  const std::string bytes("one\0two\n\xff", 9);
  const FileInfo file = Add(bytes);
  EXPECT_TRUE(file.id.starts_with("file-") && file.id.size() == 29) << file.id;
  Open({});
  EXPECT_EQ(ReadAll(file.id), bytes);
  EXPECT_EQ(files->Find("ada", file.id)->name, "in.jsonl");
  EXPECT_EQ(files->Find("ada", file.id)->bytes, 9U);
  EXPECT_EQ(files->Read("eve", file.id).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(files->ReadPart("eve", file.id, 0, 1).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(files->ReadPart("ada", file.id, 2, 4).value(), bytes.substr(2, 4));
  EXPECT_EQ(files->ReadPart("ada", file.id, 7, 100).value(), bytes.substr(7));
  EXPECT_EQ(files->ReadPart("ada", file.id, 9, 1).value() +
                files->ReadPart("ada", file.id, 100, 1).value(),
            "");
  EXPECT_EQ(files->Find("ada", file.id)->notes, "");
  const FileInfo noted = files->Add({"ada", "dataset", "d", "x", "its notes"}, 1000).value();
  EXPECT_EQ(files->Find("ada", noted.id)->notes, "its notes");
  ASSERT_TRUE(files->Remove("ada", noted.id));
  EXPECT_EQ(files->Remove("eve", file.id).error().code, ErrorCode::kNotFound);
  EXPECT_THAT(files->List({.owner = "eve"}).value(), IsEmpty());
  EXPECT_TRUE(files->Remove("ada", file.id));
  EXPECT_EQ(files->Read("ada", file.id).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(files->Find("ada", file.id).error().code, ErrorCode::kNotFound);
}

TEST_P(BatchContract, AFileComesInPiecesAndAllOfItOrNothingIsKept) {
  std::string bytes;
  for (std::size_t i = 0; i < moderation::kFilePieceBytes * 2 + 17; ++i) {
    bytes += static_cast<char>(i * 7 + i / 251);
  }
  std::size_t largest = 0;
  const moderation::ByteSource whole{bytes.size(), [&](std::size_t from, std::size_t count) {
                                       largest = std::max(largest, count);
                                       return Result<std::string>(bytes.substr(from, count));
                                     }};
  const FileInfo file = files->AddFrom({"ada", "batch", "in", "not this"}, whole, 1).value();
  EXPECT_EQ(file.bytes, bytes.size());
  EXPECT_EQ(largest, moderation::kFilePieceBytes);
  Open({});
  EXPECT_EQ(ReadAll(file.id), bytes);
  std::string again;
  ASSERT_TRUE(moderation::ForEachPiece(moderation::SourceOf(*files, file),
                                       [&](std::size_t at, std::string_view piece) {
                                         EXPECT_EQ(at, again.size());
                                         again += piece;
                                         return Status();
                                       }));
  EXPECT_EQ(again, bytes);
  moderation::ByteSource broken = whole;
  broken.read = [&](std::size_t from, std::size_t count) {
    return from == 0 ? whole.read(from, count) : Fail(ErrorCode::kUnavailable, "it broke");
  };
  const auto refused = files->AddFrom({"ada", "batch", "in", ""}, broken, 2);
  EXPECT_EQ(refused.error().message, "it broke");
  broken.read = [&](std::size_t from, std::size_t count) { return whole.read(from, count / 2); };
  EXPECT_EQ(files->AddFrom({"ada", "batch", "in", ""}, broken, 2).error().code,
            ErrorCode::kUnavailable)
      << "it is shorter than it said";
  EXPECT_EQ(files->List({.owner = "ada"})->size(), 1U);
  EXPECT_TRUE(files->AddFrom({"ada", "batch", "in", ""}, whole, 3)) << "nothing is in the way";
}

TEST_P(BatchContract, FilesComeNewestFirstByPages) {
  const std::string first = Add("1").id;
  const std::string second = Add("2").id;
  Add("x", "eve");
  const std::string data = files->Add({"ada", "dataset", "d.csv", "3"}, 2000)->id;
  const auto ids = [&](const moderation::FileQuery& query) {
    std::vector<std::string> list;
    const std::vector<FileInfo> page = files->List(query).value();
    for (const FileInfo& file : page) {
      list.push_back(file.id);
    }
    return list;
  };
  EXPECT_THAT(ids({.owner = "ada", .limit = 2}), ElementsAre(data, second));
  EXPECT_THAT(ids({.owner = "ada", .after = second, .limit = 2}), ElementsAre(first));
  EXPECT_THAT(ids({.owner = "ada", .purpose = "dataset"}), ElementsAre(data));
  EXPECT_EQ(files->List({.owner = "ada", .after = "file-none"}).error().code, ErrorCode::kNotFound);
}

TEST_P(BatchContract, ThereIsALimitOnFilesAndOnTheirBytes) {
  Open({.files_max = 2, .bytes_max = 10});
  Add("12345");
  EXPECT_EQ(files->Add({"ada", "batch", "n", "123456"}, 1).error().code, ErrorCode::kLimit);
  Add("12345");
  EXPECT_EQ(files->Add({"ada", "batch", "n", ""}, 1).error().code, ErrorCode::kLimit);
  EXPECT_EQ(files->Add({"ada", "batch", std::string(257, 'n'), ""}, 1).error().code,
            ErrorCode::kLimit);
}

TEST_P(BatchContract, ABatchGoesFromFileToFiles) {
  const Batch begun = Begin();
  EXPECT_EQ(begun.state, BatchState::kValidating);
  EXPECT_EQ(batches->Find("eve", begun.id).error().code, ErrorCode::kNotFound);
  Batch held = *batches->Take(1000, 2000).value();
  EXPECT_EQ(held.id, begun.id);
  EXPECT_FALSE(batches->Take(1999, 3000).value()) << "somebody holds it";
  held = batches->Start(held, 3, 1100).value();
  EXPECT_EQ(held.state, BatchState::kInProgress);
  EXPECT_EQ(held.total, 3U);
  const std::vector<BatchLine> lines = {{3, false, "c"}, {1, false, "a"}, {2, true, "b"}};
  held = batches->Keep(held, lines, 3000).value();
  EXPECT_EQ(held.done, 3U);
  EXPECT_EQ(held.failed, 1U);
  const Batch over = batches->End(held, {BatchState::kCompleted}, 1200).value();
  EXPECT_EQ(over.state, BatchState::kCompleted);
  EXPECT_EQ(over.ended, 1200);
  Open({});
  EXPECT_EQ(ReadAll(over.output_file), "a\nc\n") << "in the order of the file";
  EXPECT_EQ(ReadAll(over.error_file), "b\n");
  EXPECT_EQ(files->Find("ada", over.output_file)->purpose, "batch_output");
  EXPECT_EQ(batches->Find("ada", over.id)->what.metadata, "{}");
  EXPECT_FALSE(batches->Take(90'000, 99'000).value()) << "what is over is not worked on";
  EXPECT_EQ(batches->Keep(over, lines, 9000).error().code, ErrorCode::kNotFound);
}

TEST_P(BatchContract, AWorkerThatDiesLeavesItsLinesToTheNext) {
  Begin();
  Batch dead = *batches->Take(1000, 2000).value();
  dead = batches->Start(dead, 2, 1000).value();
  dead = batches->Keep(dead, std::vector<BatchLine>{{2, false, "kept"}}, 2000).value();
  Open({});
  Batch next = *batches->Take(2000, 3000).value();
  EXPECT_THAT(batches->Kept(next).value(), ElementsAre(2U));
  EXPECT_EQ(batches->Keep(dead, std::vector<BatchLine>{{1, false, "late"}}, 9000).error().code,
            ErrorCode::kNotFound)
      << "the one that was thought dead writes nothing any more";
  next = batches->Keep(next, std::vector<BatchLine>{{1, false, "one"}, {2, true, "twice"}}, 4000)
             .value();
  EXPECT_EQ(next.done, 2U);
  EXPECT_EQ(next.failed, 0U);
  const Batch over = batches->End(next, {BatchState::kCompleted}, 2500).value();
  EXPECT_EQ(ReadAll(over.output_file), "one\nkept\n") << "no line twice";
  EXPECT_EQ(over.error_file, "");
}

TEST_P(BatchContract, CancellingIsSeenByTheWorkerAndRefusedWhenItIsOver) {
  const Batch begun = Begin();
  Batch held = *batches->Take(1000, 2000).value();
  EXPECT_EQ(batches->Cancel("eve", begun.id, 1).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(batches->Cancel("ada", begun.id, 1500)->state, BatchState::kCancelling);
  EXPECT_EQ(batches->Cancel("ada", begun.id, 1600)->cancelled, 1500) << "once is enough";
  held = batches->Keep(held, {}, 2000).value();
  EXPECT_EQ(held.state, BatchState::kCancelling);
  EXPECT_EQ(batches->End(held, {BatchState::kCancelled}, 1700)->output_file, "");
  EXPECT_EQ(batches->Cancel("ada", begun.id, 1800).error().code, ErrorCode::kInvalidInput);
}

TEST_P(BatchContract, BatchesComeNewestFirstAndTheOldestIsWorkedOnFirst) {
  const std::string first = Begin().id;
  Begin("eve");
  const std::string second = Begin().id;
  const auto page = batches->List({.owner = "ada", .limit = 1}).value();
  EXPECT_EQ(page.at(0).id, second);
  EXPECT_EQ(batches->List({.owner = "ada", .after = second})->at(0).id, first);
  EXPECT_EQ((*batches->Take(1000, 2000).value()).id, first);
}

INSTANTIATE_TEST_SUITE_P(Stores, BatchContract, ::testing::Bool(),
                         [](const auto& which) { return which.param ? "OnTheDisk" : "InMemory"; });

}  // namespace
}  // namespace safeguard::storage
