// One system call fails, whichever it is: nothing that was acknowledged is lost, nothing is half
// there, the store says so and does nothing more, and opens again without anybody's help.
// Reliability: G5, S3, S6.
#include <memory>
#include <set>
#include <string>

#include "crypto/entropy.h"
#include "gtest/gtest.h"
#include "node/store/anchor_file.h"
#include "node/store/keystore_file.h"
#include "node/store/rocks_kv.h"
#include "tests/node/store/blob_test_util.h"
#include "tests/node/store/store_test_util.h"
#include "tests/node/store/syscall_faults.h"

namespace entente::store {
namespace {

constexpr Fault kWriteFaults[] = {Fault::kIoError, Fault::kNoSpace, Fault::kShortWrite};
constexpr uint64_t kCallsMax = 100'000;  // a scenario that makes more does not end

class FaultTest : public BlobTest {
 protected:
  // Runs `scenario` again and again, each time with the next call failing, until it has none left.
  // Between the runs `check` looks, with the disk in order, at what the failure left behind.
  template <class Scenario, class Check>
  void AtEveryCall(Fault fault, const Scenario& scenario, const Check& check) {
    for (uint64_t call = 0; call < kCallsMax; ++call) {
      SCOPED_TRACE(
          Cat("call ", std::to_string(call), " of kind ", std::to_string(static_cast<int>(fault))));
      ArmFault(fault, call);
      scenario();
      const bool fired = DisarmFault();
      check();
      if (HasFatalFailure() || !fired) {
        EXPECT_GT(call, 0u) << "nothing was ever made to fail";
        return;
      }
    }
    FAIL() << "no end";
  }
};

sync::WriteBatch Pair(int number) {
  sync::WriteBatch batch;
  batch.Put(Cat("r", std::to_string(number), "a"), std::string(300, 'a'));
  batch.Put(Cat("r", std::to_string(number), "b"), std::string(300, 'b'));
  return batch;
}

class RocksFaultTest : public FaultTest {
 protected:
  static constexpr int kBase = 3, kMore = 4;

  RocksFaultTest() {
    auto kv = RocksKv::Open(base_, key_, entropy_);
    EXPECT_OK(kv);
    for (int i = 0; i < kBase; ++i) EXPECT_OK((*kv)->Commit(Pair(i)));
  }

  // Opens, commits a few times, compacts: what a node does with its database.
  void Work() {
    acknowledged_ = kBase;
    auto kv = RocksKv::Open(store_, key_, entropy_);
    if (!kv.ok()) {
      EXPECT_FALSE(kv.status().message().empty());
      return;
    }
    for (int i = kBase; i < kBase + kMore; ++i) {
      if (const absl::Status done = (*kv)->Commit(Pair(i)); !done.ok()) {
        // Final, and for the same reason: nothing is retried on a disk that has failed.
        EXPECT_EQ((*kv)->Commit(Pair(99)), done);
        return;
      }
      acknowledged_ = i + 1;
      if (i == kBase + 1 && !(*kv)->Compact("", "\xff").ok()) return;
    }
  }
  void Judge() {
    auto kv = RocksKv::Open(store_, key_, entropy_);
    ASSERT_OK(kv);
    EXPECT_OK((*kv)->Verify());
    for (int i = 0; i < kBase + kMore; ++i) {
      const auto a = (*kv)->Get(Cat("r", std::to_string(i), "a"));
      const auto b = (*kv)->Get(Cat("r", std::to_string(i), "b"));
      ASSERT_OK(a);
      ASSERT_OK(b);
      EXPECT_EQ(a->has_value(), b->has_value()) << "half of commit " << i;
      EXPECT_TRUE(a->has_value() || i >= acknowledged_) << "commit " << i << " is lost";
    }
    EXPECT_FALSE((*kv)->Get("r99a")->has_value()) << "written after a failure";
    kv->reset();
    CopyDir(base_, store_);
  }

  const crypto::Secret32 key_ = KeyOf('k');
  const std::string base_ = dir_ / "base";
  const std::string store_ = dir_ / "store";
  int acknowledged_ = 0;
};

TEST_F(RocksFaultTest, NoCallOfADatabaseMayLoseWhatWasCommitted) {
  for (const Fault fault : kWriteFaults) {
    CopyDir(base_, store_);
    AtEveryCall(
        fault, [this] { Work(); }, [this] { Judge(); });
  }
}

TEST_F(RocksFaultTest, AReadThatFailsIsAnErrorAndNoAbsence) {
  CopyDir(base_, store_);
  AtEveryCall(
      Fault::kReadError,
      [this] {
        auto kv = RocksKv::Open(store_, key_, entropy_);
        if (!kv.ok()) return;
        for (int i = 0; i < kBase; ++i) {
          const auto row = (*kv)->Get(Cat("r", std::to_string(i), "a"));
          EXPECT_TRUE(!row.ok() || row->has_value()) << "row " << i << " seems not to be there";
        }
      },
      [this] {
        acknowledged_ = kBase;
        Judge();
      });
}

class AnchorFaultTest : public FaultTest {
 protected:
  static sync::AnchorRecord Record(uint64_t size) {
    return {*LogId::From(std::string(32, 'l')), 1, size,
            *Hash::From(std::string(32, static_cast<char>(size)))};
  }
  const std::string path_ = dir_ / "anchor";
};

TEST_F(AnchorFaultTest, AHeadThatWasAnchoredStaysAnchored) {
  for (const Fault fault : kWriteFaults) {
    ASSERT_OK(RemoveFile(path_));
    ASSERT_OK(AnchorFile::Create(path_, entropy_));
    uint64_t acknowledged = 0;
    AtEveryCall(
        fault,
        [&] {
          auto anchor = AnchorFile::Open(path_, entropy_);
          if (!anchor.ok()) return;
          const uint64_t first = acknowledged + 1;
          for (uint64_t size = first; size < first + 3; ++size) {
            const sync::AnchorRecord one[] = {Record(size)};
            const absl::Status done = (*anchor)->Append(one);
            if (!done.ok()) {
              const sync::AnchorRecord next[] = {Record(size + 1)};
              EXPECT_EQ((*anchor)->Append(next), done);
              return;
            }
            acknowledged = size;
          }
        },
        [&] {
          auto anchor = AnchorFile::Open(path_, entropy_);
          ASSERT_OK(anchor);
          EXPECT_FALSE((*anchor)->missing());
          const auto records = (*anchor)->Load();
          if (acknowledged == 0) return;
          ASSERT_EQ(records.size(), 1u);
          EXPECT_GE(records[0].size, acknowledged);
          acknowledged = records[0].size;  // a failed write may have come back
        });
  }
}

TEST_F(FaultTest, AKeystoreIsTheOldOneOrTheNewOne) {
  const std::string path = dir_ / "keystore";
  ASSERT_OK(WriteSecretFile(path, "old", Overwrite::kRefuse));
  for (const Fault fault : kWriteFaults) {
    bool done = false;
    AtEveryCall(
        fault, [&] { done = WriteSecretFile(path, "new", Overwrite::kReplace).ok(); },
        [&] {
          const auto read = ReadSecretFile(path);
          ASSERT_OK(read);
          EXPECT_TRUE(read->view() == "new" || (!done && read->view() == "old"))
              << read->view().size();
          EXPECT_EQ(FilesBelow(dir_.path()).size(), 1u) << "something was left behind";
          ASSERT_OK(WriteSecretFile(path, "old", Overwrite::kReplace));
        });
  }
}

class BlobFaultTest : public FaultTest {
 protected:
  // Comes in, is sealed, is adopted: nothing says that it is there before it is.
  absl::StatusOr<v1::FileRef> BringIn(BlobStore& store) {
    auto upload = store.BeginUpload("film", content_.size(), entropy_);
    if (!upload.ok()) return upload.status();
    if (absl::Status s = (*upload)->Write(content_); !s.ok()) return s;
    absl::StatusOr<v1::FileRef> file = (*upload)->Finish();
    if (!file.ok()) return file.status();
    if (absl::Status s = store.Adopt(IdOf(*file)); !s.ok()) return s;
    return file;
  }
  const std::string content_ = std::string(5 * kChunk + 77, 'f');
};

TEST_F(BlobFaultTest, AFileThatWasTakenInIsWhole) {
  for (const Fault fault : kWriteFaults) {
    absl::StatusOr<v1::FileRef> taken = absl::UnknownError("");
    AtEveryCall(
        fault,
        [&] {
          auto store =
              BlobStore::Open(here_, {.chunk_bytes = kChunk, .reserve = {}, .is_named = {}});
          taken = store.ok() ? BringIn(**store) : store.status();
        },
        [&] {
          auto store = Open(here_);
          ASSERT_NE(store, nullptr);
          if (taken.ok()) {
            EXPECT_TRUE(store->Has(IdOf(*taken)));
            EXPECT_OK(store->VerifyBlob(*taken));
          }
          // Another attempt needs no help.
          const auto again = BringIn(*store);
          ASSERT_OK(again);
          EXPECT_OK(store->VerifyBlob(*again));
          store.reset();
          std::filesystem::remove_all(here_);
        });
  }
}

TEST_F(BlobFaultTest, AChunkThatWasAcknowledgedIsHeldAndGood) {
  auto source = Open(there_);
  const auto file = BringIn(*source);
  ASSERT_OK(file);
  const Parcelled parcelled = ChunksOf(*source, *file);
  for (const Fault fault : kWriteFaults) {
    std::set<uint64_t> acknowledged;
    AtEveryCall(
        fault,
        [&] {
          acknowledged.clear();
          auto store =
              BlobStore::Open(here_, {.chunk_bytes = kChunk, .reserve = {}, .is_named = {}});
          if (!store.ok()) return;
          for (const BlobStore::ChunkIn& chunk : parcelled.chunks) {
            if ((*store)->WriteChunk(IdOf(*file), chunk).ok()) acknowledged.insert(chunk.index);
          }
        },
        [&] {
          auto store = Open(here_);
          ASSERT_NE(store, nullptr);
          const auto missing = store->Missing(IdOf(*file), file->chunk_count(), 0, 1000);
          ASSERT_OK(missing);
          for (const uint64_t index : *missing) EXPECT_FALSE(acknowledged.contains(index)) << index;
          for (const BlobStore::ChunkIn& chunk : parcelled.chunks) {
            EXPECT_OK(store->WriteChunk(IdOf(*file), chunk));
          }
          EXPECT_OK(store->VerifyBlob(*file));
          store.reset();
          std::filesystem::remove_all(here_);
        });
  }
}

}  // namespace
}  // namespace entente::store
