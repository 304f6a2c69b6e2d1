#include "node/service/upload_desk.h"

#include <algorithm>
#include <set>
#include <utility>

#include "node/service/errors.h"

namespace entente::service {
namespace {

constexpr size_t kUploadIdBytes = 16;

absl::Status UnknownUpload() {
  return Error(absl::StatusCode::kFailedPrecondition,
               {.what = "a file of this evidence item has not been uploaded",
                .code = "UPLOAD_UNKNOWN",
                .why = "An upload waits one hour for its evidence item, belongs to the person who "
                       "made it and serves one item.",
                .next = "add the evidence again, with its files"});
}

}  // namespace

UploadDesk::UploadDesk(std::function<absl::Time()> clock, Entropy& entropy, Discard discard)
    : clock_(std::move(clock)), entropy_(entropy), discard_(std::move(discard)) {}

absl::StatusOr<std::string> UploadDesk::Put(std::string_view user, v1::FileRef file) {
  Sweep();
  const std::lock_guard lock(mutex_);
  const auto waiting = std::count_if(uploads_.begin(), uploads_.end(), [&](const auto& entry) {
    return entry.second.user == user && !entry.second.used;
  });
  if (static_cast<size_t>(waiting) >= kPerUserMax) {
    return Error(absl::StatusCode::kResourceExhausted,
                 {.what = "too many uploaded files wait for their evidence item",
                  .code = "TOO_MANY_UPLOADS",
                  .next = "register fewer files at a time"});
  }
  std::string id = entropy_.Bytes(kUploadIdBytes);
  uploads_[id] = {.user = std::string(user), .file = std::move(file), .touched = clock_()};
  return id;
}

void UploadDesk::Touch(std::string_view user) {
  const std::lock_guard lock(mutex_);
  const absl::Time now = clock_();
  for (auto& [id, upload] : uploads_) {
    if (upload.user == user && !upload.used) upload.touched = now;
  }
}

bool UploadDesk::MayUse(const Upload& upload, std::string_view user,
                        const v1::AddEvidenceRequest& request) const {
  if (upload.user != user) return false;
  if (!upload.used) return clock_() - upload.touched <= kLife;
  return !upload.used_by.empty() && upload.used_by == request.idempotency_key();
}

absl::StatusOr<std::vector<core::UploadedFile>> UploadDesk::Take(
    std::string_view user, const v1::AddEvidenceRequest& request) {
  const std::lock_guard lock(mutex_);
  std::vector<core::UploadedFile> files;
  std::set<std::string> seen;
  for (const std::string& id : request.upload_ids()) {
    const auto found = uploads_.find(id);
    if (found == uploads_.end() || !seen.insert(id).second ||
        !MayUse(found->second, user, request)) {
      return UnknownUpload();
    }
    files.push_back({id, found->second.file});
  }
  for (const std::string& id : seen) ++uploads_[id].held;
  return files;
}

void UploadDesk::Release(const v1::AddEvidenceRequest& request, bool used) {
  const std::lock_guard lock(mutex_);
  for (const std::string& id : request.upload_ids()) {
    const auto found = uploads_.find(id);
    if (found == uploads_.end()) continue;
    --found->second.held;
    found->second.touched = clock_();
    if (used && !found->second.used) {
      found->second.used = true;
      found->second.used_by = request.idempotency_key();
    }
  }
}

void UploadDesk::Sweep() {
  std::vector<BlobId> gone;
  {
    const std::lock_guard lock(mutex_);
    const absl::Time now = clock_();
    for (auto it = uploads_.begin(); it != uploads_.end();) {
      const Upload& upload = it->second;
      if (upload.held > 0 || now - upload.touched <= kLife) {
        ++it;
        continue;
      }
      const absl::StatusOr<BlobId> blob = BlobId::From(upload.file.blob_id());
      if (!upload.used && blob.ok()) gone.push_back(*blob);
      it = uploads_.erase(it);
    }
  }
  for (const BlobId& blob : gone) discard_(blob);
}

}  // namespace entente::service
