// What a data folder and its disk say about a node's health, and what can be said while it is
// stopped. Joins the findings of node/core/doctor.h.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "crypto/entropy.h"
#include "entente/v1/client.pb.h"

namespace entente::daemon {

struct FolderFacts {
  std::string dir;
  uint64_t free_bytes = 0;
  uint64_t reserve_bytes = 0;  // below it the node takes nothing in any more
  uint64_t free_files = 0;     // inodes; a volume without that notion reports none at all
  uint64_t all_files = 0;
  uint64_t used_bytes = 0;                  // by the node
  std::vector<std::string> open_to_others;  // secret files that group or others may read
};

// Reads the folder. NotFound when it is not there.
absl::StatusOr<FolderFacts> ReadFolderFacts(const std::string& data_dir);
// Pure. Tests: tests/node/daemon/folder_doctor_test.cc.
std::vector<v1::Finding> ExamineFolder(const FolderFacts& facts);
// Both; a folder that cannot be read is a finding itself.
std::vector<v1::Finding> FolderFindings(const std::string& data_dir);

// `entented doctor --data DIR [--passphrase-file FILE]`, which `entente node doctor --offline`
// runs: everything that can be said of a node that does not run, written to `out` as a
// DiagnoseResponse. Changes nothing in the folder. FailedPrecondition [NODE_RUNS] when one uses it.
absl::Status DiagnoseOffline(const std::vector<std::string>& words, Entropy& entropy,
                             absl::Time now, std::ostream& out);

}  // namespace entente::daemon
