// What has to be looked at, and possibly cut, before RocksDB may open a database: see log_check.h
// for the why.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rocksdb/env.h"

namespace entente::store {

struct RecoveryPlan {
  struct Cut {
    std::string path;         // a log that ends in an unfinished record
    uint64_t keep_bytes = 0;  // of the raw file, prefix included
  };
  std::vector<Cut> cuts;
  uint64_t unfinished_bytes = 0;  // what they would cut off
};

// Reads the manifest that CURRENT names and every write-ahead log. Only the newest log and the
// manifest may end in an unfinished record. DataLoss names the file and the place otherwise.
// The caller holds the folder's lock, or accepts that a live log may look unfinished.
absl::StatusOr<RecoveryPlan> CheckDatabaseLogs(rocksdb::Env& env, const std::string& dir);

// Cuts the unfinished records off and syncs the files.
absl::Status CutUnfinished(const RecoveryPlan& plan);

}  // namespace entente::store
