// Finished uploads that wait for the AddEvidence that names them.
//
// An upload belongs to the user who made it. It waits an hour, counted from that user's last sign
// of uploading, then its bytes are discarded. Once an AddEvidence has used it, the store keeps its
// bytes, and for another hour the same command (same idempotency key) may name it again.
// Thread-safe. Tests: tests/node/service/upload_desk_test.cc.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "crypto/bytes.h"
#include "crypto/entropy.h"
#include "entente/v1/client.pb.h"
#include "node/core/engine.h"

namespace entente::service {

class UploadDesk {
 public:
  static constexpr absl::Duration kLife = absl::Hours(1);
  static constexpr size_t kPerUserMax = 4096;

  using Discard = std::function<void(const BlobId&)>;

  UploadDesk(std::function<absl::Time()> clock, Entropy& entropy, Discard discard);

  // ResourceExhausted [TOO_MANY_UPLOADS] when so many of this user's wait already.
  absl::StatusOr<std::string> Put(std::string_view user, v1::FileRef file);
  // The user is uploading: nothing of theirs grows old meanwhile.
  void Touch(std::string_view user);

  // The uploads named by `request`, held until Release. FailedPrecondition [UPLOAD_UNKNOWN] for one
  // that is not this user's, has expired, was named twice, or was used by another command.
  absl::StatusOr<std::vector<core::UploadedFile>> Take(std::string_view user,
                                                       const v1::AddEvidenceRequest& request);
  // After the answer: `used` when the evidence item was registered.
  void Release(const v1::AddEvidenceRequest& request, bool used);

  // Forgets what has grown old. Called by Put; also at leisure.
  void Sweep();

 private:
  struct Upload {
    std::string user;
    v1::FileRef file;
    absl::Time touched;
    int held = 0;
    bool used = false;
    std::string used_by = {};  // idempotency key
  };
  bool MayUse(const Upload& upload, std::string_view user,
              const v1::AddEvidenceRequest& request) const;

  const std::function<absl::Time()> clock_;
  Entropy& entropy_;
  const Discard discard_;
  std::mutex mutex_;
  std::map<std::string, Upload> uploads_;
};

}  // namespace entente::service
