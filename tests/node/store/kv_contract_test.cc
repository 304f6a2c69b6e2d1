// The promises of sync/kv.h, checked on every implementation.
#include <functional>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "crypto/entropy.h"
#include "gtest/gtest.h"
#include "node/store/rocks_kv.h"
#include "sync/kv.h"
#include "tests/node/store/store_test_util.h"

namespace entente::store {
namespace {

using sync::KvReader;
using sync::WriteBatch;
using Rows = std::vector<std::pair<std::string, std::string>>;

// One implementation under test: what is read, and how a batch gets in.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual const KvReader& reader() const = 0;
  virtual void Commit(const WriteBatch& batch) = 0;
};

class MemorySubject : public Subject {
 public:
  const KvReader& reader() const override { return kv_; }
  void Commit(const WriteBatch& batch) override { ASSERT_OK(kv_.Commit(batch)); }

 private:
  sync::MemoryKv kv_;
};

// Every second batch stays pending, so that reads merge base and overlay all the time.
class OverlaySubject : public Subject {
 public:
  const KvReader& reader() const override { return overlay_; }
  void Commit(const WriteBatch& batch) override {
    overlay_.Apply(batch);
    if (++commits_ % 2 != 0) return;
    ASSERT_OK(base_.Commit(overlay_.Take()));
    overlay_.Forget();
  }

 private:
  sync::MemoryKv base_;
  sync::OverlayKv overlay_{base_};
  int commits_ = 0;
};

// Every fifth batch is followed by a restart.
class RocksSubject : public Subject {
 public:
  RocksSubject() { Reopen(); }
  const KvReader& reader() const override { return *kv_; }
  void Commit(const WriteBatch& batch) override {
    ASSERT_OK(kv_->Commit(batch));
    if (++commits_ % 5 == 0) Reopen();
  }

 private:
  void Reopen() {
    kv_.reset();
    auto opened = RocksKv::Open(dir_ / "db", KeyOf('k'), entropy_);
    ASSERT_OK(opened);
    kv_ = std::move(*opened);
  }

  TempDir dir_;
  SeededEntropy entropy_{7};
  std::unique_ptr<RocksKv> kv_;
  int commits_ = 0;
};

struct Implementation {
  std::string name;
  std::function<std::unique_ptr<Subject>()> make;
};

void PrintTo(const Implementation& implementation, std::ostream* out) {
  *out << implementation.name;
}

class KvContractTest : public testing::TestWithParam<Implementation> {
 protected:
  void Commit(const std::function<void(WriteBatch&)>& fill) {
    WriteBatch batch;
    fill(batch);
    subject_->Commit(batch);
  }
  void Put(const std::string& key, const std::string& value) {
    Commit([&](WriteBatch& batch) { batch.Put(key, value); });
  }
  std::optional<std::string> Get(std::string_view key) {
    const auto value = subject_->reader().Get(key);
    EXPECT_OK(value);
    return value.ok() ? *value : std::nullopt;
  }
  Rows Scan(std::string_view from, std::string_view to, size_t limit = SIZE_MAX) {
    Rows rows;
    EXPECT_OK(subject_->reader().Scan(from, to, [&](std::string_view key, std::string_view value) {
      rows.emplace_back(key, value);
      return rows.size() < limit;
    }));
    return rows;
  }

  std::unique_ptr<Subject> subject_ = GetParam().make();
};

TEST_P(KvContractTest, AbsentKeyIsNoValueAndNoError) {
  EXPECT_EQ(Get("nothing"), std::nullopt);
  Put("nothin", "x");
  EXPECT_EQ(Get("nothing"), std::nullopt);
}

TEST_P(KvContractTest, ReadsWhatWasWritten) {
  Put("a", "1");
  EXPECT_EQ(Get("a"), "1");
  Put("a", "2");
  EXPECT_EQ(Get("a"), "2");
}

TEST_P(KvContractTest, DeletedKeyIsAbsentAndMayComeBack) {
  Put("a", "1");
  Commit([](WriteBatch& batch) { batch.Delete("a"); });
  EXPECT_EQ(Get("a"), std::nullopt);
  EXPECT_TRUE(Scan("a", "b").empty());
  Put("a", "again");
  EXPECT_EQ(Get("a"), "again");
}

TEST_P(KvContractTest, DeletingWhatIsAbsentIsNoError) {
  Commit([](WriteBatch& batch) { batch.Delete("never"); });
  EXPECT_EQ(Get("never"), std::nullopt);
}

TEST_P(KvContractTest, LastWriteToAKeyInABatchWins) {
  Commit([](WriteBatch& batch) {
    batch.Put("a", "1");
    batch.Put("a", "2");
    batch.Delete("b");
    batch.Put("b", "kept");
    batch.Put("c", "dropped");
    batch.Delete("c");
  });
  EXPECT_EQ(Get("a"), "2");
  EXPECT_EQ(Get("b"), "kept");
  EXPECT_EQ(Get("c"), std::nullopt);
}

TEST_P(KvContractTest, EmptyBatchChangesNothing) {
  Put("a", "1");
  Commit([](WriteBatch&) {});
  EXPECT_EQ(Scan("", "\xff"), (Rows{{"a", "1"}}));
}

TEST_P(KvContractTest, KeysAndValuesAreBytes) {
  const std::string key("\x00\xff\n\x00", 4);
  std::string value;
  for (int byte = 0; byte < 256; ++byte) value.push_back(static_cast<char>(byte));
  Put(key, value);
  Put("empty", "");
  EXPECT_EQ(Get(key), value);
  EXPECT_EQ(Get(key.substr(0, 3)), std::nullopt);
  EXPECT_EQ(Get("empty"), "");
}

TEST_P(KvContractTest, LargeValuesSurvive) {
  const std::string value(3 << 20, 'v');
  Put("large", value);
  Put("small", "s");
  EXPECT_TRUE(Get("large") == value);
}

TEST_P(KvContractTest, ScanIsHalfOpen) {
  for (const char* key : {"a", "b", "c", "d"}) Put(key, key);
  EXPECT_EQ(Scan("b", "d"), (Rows{{"b", "b"}, {"c", "c"}}));
  EXPECT_EQ(Scan("bb", "cc"), (Rows{{"c", "c"}}));
  EXPECT_TRUE(Scan("b", "b").empty());
  EXPECT_TRUE(Scan("d", "b").empty());
  EXPECT_TRUE(Scan("x", "z").empty());
}

TEST_P(KvContractTest, ScanAscendsByUnsignedBytes) {
  for (const char* key : {"k\x80", "k\xff", "k", "k\x7f", "k\x01", "kk"}) Put(key, "");
  const Rows rows = Scan("k", "l");
  std::vector<std::string> keys;
  for (const auto& row : rows) keys.push_back(row.first);
  EXPECT_EQ(keys, (std::vector<std::string>{"k", "k\x01", "kk", "k\x7f", "k\x80", "k\xff"}));
}

TEST_P(KvContractTest, ScanStopsWhenTheVisitorHasEnough) {
  for (const char* key : {"a", "b", "c", "d"}) Put(key, key);
  EXPECT_EQ(Scan("a", "z", 1), (Rows{{"a", "a"}}));
  EXPECT_EQ(Scan("a", "z", 3), (Rows{{"a", "a"}, {"b", "b"}, {"c", "c"}}));
}

// Whatever is written, in whatever batches: it reads like an ordered map.
TEST_P(KvContractTest, BehavesLikeAnOrderedMap) {
  SeededEntropy dice(42);
  const auto roll = [&](unsigned sides) {
    const std::string bytes = dice.Bytes(2);
    return (static_cast<uint8_t>(bytes[0]) * 256u + static_cast<uint8_t>(bytes[1])) % sides;
  };
  std::map<std::string, std::string> model;
  for (int round = 0; round < 60; ++round) {
    Commit([&](WriteBatch& batch) {
      for (unsigned i = roll(12); i > 0; --i) {
        const std::string key = Cat("k", std::to_string(roll(40)));
        if (roll(3) == 0) {
          batch.Delete(key);
          model.erase(key);
        } else {
          const std::string value = dice.Bytes(roll(50));
          batch.Put(key, value);
          model[key] = value;
        }
      }
    });
    const std::string from = Cat("k", std::to_string(roll(40)));
    const std::string to = Cat("k", std::to_string(roll(40)));
    const size_t limit = 1 + roll(40);
    Rows expected;
    for (auto row = model.lower_bound(from); row != model.end() && row->first < to; ++row) {
      if (expected.size() < limit) expected.emplace_back(*row);
    }
    ASSERT_EQ(Scan(from, to, limit), expected) << "round " << round;
    const auto known = model.find(from);
    ASSERT_EQ(Get(from),
              known == model.end() ? std::nullopt : std::optional<std::string>(known->second));
  }
  EXPECT_EQ(Scan("", "\xff"), Rows(model.begin(), model.end()));
}

INSTANTIATE_TEST_SUITE_P(
    All, KvContractTest,
    testing::Values(Implementation{"MemoryKv", [] { return std::make_unique<MemorySubject>(); }},
                    Implementation{"OverlayKv", [] { return std::make_unique<OverlaySubject>(); }},
                    Implementation{"RocksKv", [] { return std::make_unique<RocksSubject>(); }}),
    [](const auto& made) { return made.param.name; });

}  // namespace
}  // namespace entente::store
