#include "node/store/rocks_kv.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "crypto/bytes.h"
#include "crypto/hash.h"
#include "crypto/value_seal.h"
#include "node/store/encrypted_env.h"
#include "node/store/rocks_recovery.h"
#include "node/store/store_marker.h"
#include "rocksdb/cache.h"
#include "rocksdb/db.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/options.h"
#include "rocksdb/table.h"
#include "rocksdb/write_batch.h"

namespace entente::store {
namespace {

// An idle node fits into 100 MB with all its parts, so the database gets by with little. Measured:
// a process with this store and 200 000 rows written and scanned stays below 50 MB.
constexpr size_t kWriteBufferBytes = size_t{8} << 20;
constexpr size_t kBlockCacheBytes = size_t{16} << 20;

// RocksDB's own log would repeat keys and paths in a file that nobody reads.
class SilentLogger : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

// RocksDB's threads and ours draw nonces at the same time.
class SharedEntropy : public Entropy {
 public:
  explicit SharedEntropy(Entropy& source) : source_(source) {}
  void Fill(std::span<uint8_t> out) override {
    const std::lock_guard lock(mutex_);
    source_.Fill(out);
  }

 private:
  std::mutex mutex_;
  Entropy& source_;
};

// Names a row in an error without repeating its key, which may hold a person's name.
std::string RowName(std::string_view key) {
  return Cat("row ", key.substr(0, 1), ":", crypto::H("store-row", {key}).hex().substr(0, 16));
}

rocksdb::Slice ToSlice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

absl::Status FromRocks(const rocksdb::Status& status, std::string_view what) {
  if (status.ok()) return absl::OkStatus();
  const std::string text = Cat("cannot ", what, ": ", status.ToString());
  if (status.IsCorruption()) return absl::DataLossError(text);
  return absl::InternalError(text);
}

rocksdb::Options MakeOptions(rocksdb::Env* env, StoreState state) {
  rocksdb::Options options;
  options.env = env;
  options.create_if_missing = state == StoreState::kCreating;
  options.info_log = std::make_shared<SilentLogger>();

  options.paranoid_checks = true;
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kAbsoluteConsistency;
  options.track_and_verify_wals_in_manifest = true;
  options.max_bgerror_resume_count = 0;  // the default resumes in silence
  options.recycle_log_file_num = 0;      // a recycled file would reuse its key stream

  options.write_buffer_size = kWriteBufferBytes;
  options.max_write_buffer_number = 2;
  options.max_total_wal_size = 2 * kWriteBufferBytes;
  options.max_manifest_file_size = size_t{4} << 20;
  options.target_file_size_base = kWriteBufferBytes;
  options.max_bytes_for_level_base = 4 * kWriteBufferBytes;
  options.max_open_files = 256;
  options.max_background_jobs = 2;
  options.compression = rocksdb::kNoCompression;  // sealed values do not compress
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;

  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(kBlockCacheBytes);
  table.cache_index_and_filter_blocks = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

// One process per store. RocksDB has a lock of its own, but the log check must not run while
// another process writes, and its message would not help anybody.
absl::StatusOr<Fd> LockFolder(const std::string& dir) {
  const std::string path = Cat(dir, "/OWNER");
  absl::StatusOr<Fd> fd = OpenFile(path, O_RDWR | O_CREAT);
  if (!fd.ok()) return fd.status();
  if (flock(fd->get(), LOCK_EX | LOCK_NB) == 0) return fd;
  if (errno == EWOULDBLOCK) {
    return absl::FailedPreconditionError(Cat("another entented is using ", dir));
  }
  return ErrnoError(errno, "lock", path);
}

}  // namespace

struct RocksKv::Impl {
  Impl(std::string folder, const crypto::Secret32& key, Entropy& source, SpaceReserve space)
      : dir(std::move(folder)),
        storage_key(key.Clone()),
        entropy(source),
        reserve(std::move(space)) {}

  absl::Status OpenDatabase(StoreState state, bool read_only);
  absl::StatusOr<std::string> OpenRow(std::string_view key, std::string_view sealed) const;
  template <class Visit>
  absl::Status VisitRows(std::string_view from, const std::optional<std::string_view>& to,
                         const Visit& visit) const;

  const std::string dir;
  const crypto::Secret32 storage_key;
  SharedEntropy entropy;
  const SpaceReserve reserve;
  Fd owner;
  uint64_t dropped_tail_bytes = 0;
  bool read_only = false;

  std::unique_ptr<rocksdb::Env> env;  // outlives db
  std::unique_ptr<rocksdb::DB> db;

  std::mutex commit_mutex;
  absl::Status failed = absl::OkStatus();  // set once, by the first error that matters
};

absl::Status RocksKv::Impl::OpenDatabase(StoreState state, bool open_read_only) {
  read_only = open_read_only;
  absl::StatusOr<std::unique_ptr<rocksdb::Env>> made = NewStorageEnv(storage_key, entropy);
  if (!made.ok()) return made.status();
  env = std::move(*made);

  rocksdb::Options options = MakeOptions(env.get(), state);
  if (state == StoreState::kReady) {
    absl::StatusOr<RecoveryPlan> plan = CheckDatabaseLogs(*env, dir);
    if (!plan.ok()) return plan.status();
    dropped_tail_bytes = plan->unfinished_bytes;
    if (read_only && dropped_tail_bytes > 0) {
      options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
    } else if (absl::Status status = CutUnfinished(*plan); !status.ok()) {
      return status;
    }
  }
  rocksdb::DB* opened = nullptr;
  const rocksdb::Status status = read_only ? rocksdb::DB::OpenForReadOnly(options, dir, &opened)
                                           : rocksdb::DB::Open(options, dir, &opened);
  db.reset(opened);
  if (status.ok()) return absl::OkStatus();
  // A file that should be there and is not shows up as InvalidArgument or IOError.
  const std::string text = Cat("cannot open the database in ", dir, ": ", status.ToString());
  return status.IsCorruption() || status.IsPathNotFound() || status.IsInvalidArgument()
             ? absl::DataLossError(text)
             : absl::InternalError(text);
}

absl::StatusOr<std::string> RocksKv::Impl::OpenRow(std::string_view key,
                                                   std::string_view sealed) const {
  absl::StatusOr<std::string> value = crypto::OpenValue(storage_key, key, sealed);
  if (value.ok()) return value;
  return absl::DataLossError(
      Cat(RowName(key), " in ", dir, " is damaged: ", ToStd(value.status().message())));
}

template <class Visit>
absl::Status RocksKv::Impl::VisitRows(std::string_view from,
                                      const std::optional<std::string_view>& to,
                                      const Visit& visit) const {
  rocksdb::ReadOptions read;
  rocksdb::Slice bound;
  if (to.has_value()) {
    bound = ToSlice(*to);
    read.iterate_upper_bound = &bound;
  }
  const std::unique_ptr<rocksdb::Iterator> row(db->NewIterator(read));
  for (row->Seek(ToSlice(from)); row->Valid(); row->Next()) {
    const std::string_view key = row->key().ToStringView();
    const absl::StatusOr<std::string> value = OpenRow(key, row->value().ToStringView());
    if (!value.ok()) return value.status();
    if (!visit(key, std::string_view(*value))) break;
  }
  return FromRocks(row->status(), Cat("read ", dir));
}

RocksKv::RocksKv(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RocksKv::~RocksKv() = default;

absl::StatusOr<std::unique_ptr<RocksKv>> RocksKv::Open(const std::string& dir,
                                                       const crypto::Secret32& storage_key,
                                                       Entropy& entropy, Options options) {
  auto impl = std::make_unique<Impl>(dir, storage_key, entropy, std::move(options.reserve));
  if (!options.create_if_missing && !Exists(dir)) {
    return absl::NotFoundError(Cat("there is no store in ", dir));
  }
  if (absl::Status status = MakeDirs(dir); !status.ok()) return status;
  absl::StatusOr<Fd> owner = LockFolder(dir);
  if (!owner.ok()) return owner.status();
  impl->owner = std::move(*owner);

  absl::StatusOr<StoreState> state = ReadStoreMarker(dir, storage_key);
  if (!state.ok()) return state.status();
  if (*state == StoreState::kAbsent) {
    if (!options.create_if_missing) return absl::NotFoundError(Cat("there is no store in ", dir));
    state = StoreState::kCreating;
    absl::Status status = WriteStoreMarker(dir, storage_key, StoreState::kCreating);
    if (!status.ok()) return status;
  }
  if (absl::Status status = impl->OpenDatabase(*state, false); !status.ok()) return status;
  if (*state == StoreState::kCreating) {
    absl::Status status = WriteStoreMarker(dir, storage_key, StoreState::kReady);
    if (!status.ok()) return status;
  }
  return std::unique_ptr<RocksKv>(new RocksKv(std::move(impl)));
}

absl::StatusOr<std::unique_ptr<RocksKv>> RocksKv::OpenReadOnly(const std::string& dir,
                                                               const crypto::Secret32& storage_key,
                                                               Entropy& entropy) {
  auto impl = std::make_unique<Impl>(dir, storage_key, entropy, SpaceReserve());
  const absl::StatusOr<StoreState> state = ReadStoreMarker(dir, storage_key);
  if (!state.ok()) return state.status();
  if (*state != StoreState::kReady) return absl::NotFoundError(Cat("there is no store in ", dir));
  if (absl::Status status = impl->OpenDatabase(*state, true); !status.ok()) return status;
  return std::unique_ptr<RocksKv>(new RocksKv(std::move(impl)));
}

absl::StatusOr<std::optional<std::string>> RocksKv::Get(std::string_view key) const {
  rocksdb::PinnableSlice sealed;
  const rocksdb::Status status = impl_->db->Get(
      rocksdb::ReadOptions(), impl_->db->DefaultColumnFamily(), ToSlice(key), &sealed);
  if (status.IsNotFound()) return std::optional<std::string>();
  if (!status.ok()) return FromRocks(status, Cat("read ", RowName(key), " in ", impl_->dir));
  absl::StatusOr<std::string> value = impl_->OpenRow(key, sealed.ToStringView());
  if (!value.ok()) return value.status();
  return std::optional<std::string>(std::move(*value));
}

absl::Status RocksKv::Scan(std::string_view from, std::string_view to, const Visitor& visit) const {
  if (from >= to) return absl::OkStatus();
  return impl_->VisitRows(from, to, visit);
}

absl::Status RocksKv::CheckSpace() const { return impl_->reserve.Check(impl_->dir, 0); }

absl::Status RocksKv::Commit(const sync::WriteBatch& batch) {
  const std::lock_guard lock(impl_->commit_mutex);
  if (impl_->read_only) return absl::FailedPreconditionError("the store is open for reading only");
  if (!impl_->failed.ok()) return impl_->failed;
  if (batch.empty()) return absl::OkStatus();

  rocksdb::WriteBatch sealed;
  rocksdb::Status status;
  for (const sync::WriteBatch::Write& write : batch.writes()) {
    if (write.value.has_value()) {
      status = sealed.Put(ToSlice(write.key), crypto::SealValue(impl_->storage_key, write.key,
                                                                *write.value, impl_->entropy));
    } else {
      status = sealed.Delete(ToSlice(write.key));
    }
    if (!status.ok()) return FromRocks(status, "assemble a commit");
  }
  // Twice: once for the log, once for the table it will be flushed to.
  absl::Status room = impl_->reserve.Check(impl_->dir, 2 * sealed.GetDataSize());
  if (!room.ok()) return room;

  rocksdb::WriteOptions options;
  options.sync = true;
  impl_->failed = FromRocks(impl_->db->Write(options, &sealed), Cat("commit to ", impl_->dir));
  return impl_->failed;
}

absl::Status RocksKv::Compact(std::string_view from, std::string_view to) {
  if (impl_->read_only) return absl::FailedPreconditionError("the store is open for reading only");
  rocksdb::Status status = impl_->db->Flush(rocksdb::FlushOptions());
  if (!status.ok()) return FromRocks(status, Cat("flush ", impl_->dir));
  const rocksdb::Slice begin = ToSlice(from);
  const rocksdb::Slice end = ToSlice(to);
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  status = impl_->db->CompactRange(options, &begin, &end);
  return FromRocks(status, Cat("compact ", impl_->dir));
}

absl::Status RocksKv::Verify() const {
  absl::Status status =
      FromRocks(impl_->db->VerifyChecksum(rocksdb::ReadOptions()), Cat("verify ", impl_->dir));
  if (!status.ok()) return status;
  return impl_->VisitRows("", std::nullopt,
                          [](std::string_view, std::string_view) { return true; });
}

absl::Status RocksKv::VisitAll(const Visitor& visit) const {
  return impl_->VisitRows("", std::nullopt, visit);
}

uint64_t RocksKv::dropped_tail_bytes() const { return impl_->dropped_tail_bytes; }

}  // namespace entente::store
