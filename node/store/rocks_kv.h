// The node's database: sync::KvStore on RocksDB.
//
// At rest: every file goes through an encrypting Env (encrypted_env.h), so keys and structure are
// unreadable without the storage key; every value is also sealed under its own key name
// (crypto/value_seal.h), because the Env hides but does not protect.
//
// Durability: Commit is one synced write. A write or background error is final: the store answers
// Internal or DataLoss from then on and must be opened again. Nothing is retried or resumed, since
// a page whose fsync failed may read back fine and still be gone.
//
// Damage: opening checks every record of the write-ahead log and of the manifest (log_check.h). An
// unfinished last record, which only a write that was never acknowledged leaves behind, is cut off
// and reported by dropped_tail_bytes(); anything else is DataLoss that names the file. Opening
// succeeds with fewer rows only if whole files were replaced by older ones; the signing anchor
// (anchor_file.h) notices that.
//
// Reads from any thread; Commit from any thread, one at a time inside. The key and `entropy` are
// used from RocksDB's own threads too; `entropy` must outlive the store.
// Design §6, §8. Tests: tests/node/store/kv_contract_test.cc, rocks_kv_test.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/entropy.h"
#include "crypto/secret.h"
#include "node/store/file_io.h"
#include "sync/kv.h"

namespace entente::store {

class RocksKv : public sync::KvStore {
 public:
  struct Options {
    SpaceReserve reserve;
    bool create_if_missing = true;
  };

  // Opens the database in folder `dir`, making it when absent.
  //   FailedPrecondition  another process, or this one, has it open: "another entented is using
  //   DIR";
  //                       or the folder holds something else
  //   InvalidArgument     the storage key is not this store's
  //   NotFound            absent and not to be created
  //   DataLoss            damaged; the message names the file
  static absl::StatusOr<std::unique_ptr<RocksKv>> Open(const std::string& dir,
                                                       const crypto::Secret32& storage_key,
                                                       Entropy& entropy, Options options);
  static absl::StatusOr<std::unique_ptr<RocksKv>> Open(const std::string& dir,
                                                       const crypto::Secret32& storage_key,
                                                       Entropy& entropy) {
    return Open(dir, storage_key, entropy, Options());
  }
  // Changes nothing on disk and takes no lock: for tools, on a store that no daemon has open.
  // Commit is refused.
  static absl::StatusOr<std::unique_ptr<RocksKv>> OpenReadOnly(const std::string& dir,
                                                               const crypto::Secret32& storage_key,
                                                               Entropy& entropy);
  ~RocksKv() override;
  RocksKv(const RocksKv&) = delete;
  RocksKv& operator=(const RocksKv&) = delete;

  absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const override;
  absl::Status Scan(std::string_view from, std::string_view to,
                    const Visitor& visit) const override;

  // ResourceExhausted: refused before anything was written, because the volume is down to the
  // reserve; the store is unchanged and goes on. Any other error: see the top of this file.
  absl::Status Commit(const sync::WriteBatch& batch) override;

  // What Commit would say about room, for callers that want to refuse work before they begin it.
  absl::Status CheckSpace() const;

  // Rewrites the files that hold keys in [from, to), so that deleted and replaced values are no
  // longer on disk. The second half of an erasure.
  absl::Status Compact(std::string_view from, std::string_view to);

  // Reads and opens every row and checks every block. DataLoss names the first bad file or key.
  absl::Status Verify() const;

  // Every row of every table in ascending order; Scan needs an end.
  absl::Status VisitAll(const Visitor& visit) const;

  // Bytes of an unfinished, never acknowledged write that Open cut off; 0 after a clean stop.
  uint64_t dropped_tail_bytes() const;

 private:
  struct Impl;
  explicit RocksKv(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace entente::store
