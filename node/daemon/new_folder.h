// A data folder that comes into being whole or not at all, together with the files that are handed
// out beside it. Until Commit everything lies in a folder next to the final one; a failure, or the
// end of the process by an error, leaves nothing behind.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace entente::daemon {

// AlreadyExists [FILE_EXISTS]: what is handed out replaces nothing.
absl::Status NameTaken(const std::string& path);

class NewFolder {
 public:
  // AlreadyExists [FOLDER_NOT_EMPTY] when `dir` holds anything.
  static absl::StatusOr<NewFolder> Begin(const std::string& dir);
  NewFolder(NewFolder&& other) noexcept;
  NewFolder& operator=(NewFolder&&) = delete;
  ~NewFolder();  // removes what was not committed

  const std::string& path() const { return building_; }

  // A file elsewhere, 0600 when secret, else 0644. AlreadyExists [FILE_EXISTS].
  absl::Status HandOut(const std::string& path, std::string_view bytes, bool secret);

  absl::Status Commit();

 private:
  NewFolder(std::string dir, std::string building)
      : dir_(std::move(dir)), building_(std::move(building)) {}

  std::string dir_;
  std::string building_;  // empty once committed or moved from
  std::vector<std::string> handed_out_;
};

}  // namespace entente::daemon
