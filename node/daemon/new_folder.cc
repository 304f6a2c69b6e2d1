#include "node/daemon/new_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "crypto/bytes.h"
#include "node/service/errors.h"
#include "node/store/file_io.h"

namespace entente::daemon {
namespace {

namespace fs = std::filesystem;

absl::Status NotEmpty(const std::string& dir) {
  return service::Error(absl::StatusCode::kAlreadyExists,
                        {.what = Cat("the folder \"", dir, "\" is not empty"),
                         .code = "FOLDER_NOT_EMPTY",
                         .why = "Keys are never overwritten by accident.",
                         .next = "choose another --data folder"});
}

}  // namespace

absl::Status NameTaken(const std::string& path) {
  return service::Error(absl::StatusCode::kAlreadyExists,
                        {.what = Cat("there is a file \"", path, "\" already"),
                         .code = "FILE_EXISTS",
                         .why = "Nothing is overwritten by accident.",
                         .next = "choose another name for it"});
}

absl::StatusOr<NewFolder> NewFolder::Begin(const std::string& dir) {
  std::error_code error;
  fs::path path = fs::absolute(dir, error).lexically_normal();
  if (path.filename().empty()) path = path.parent_path();
  if (fs::exists(path, error) && !(fs::is_directory(path, error) && fs::is_empty(path, error))) {
    return NotEmpty(dir);
  }
  if (absl::Status s = store::MakeDirs(path.parent_path().string()); !s.ok()) return s;
  std::string building = path.string() + ".new-XXXXXX";
  if (mkdtemp(building.data()) == nullptr) {
    return store::ErrnoError(errno, "cannot make a folder beside", path.string());
  }
  return NewFolder(path.string(), std::move(building));
}

NewFolder::NewFolder(NewFolder&& other) noexcept
    : dir_(std::move(other.dir_)),
      building_(std::exchange(other.building_, "")),
      handed_out_(std::exchange(other.handed_out_, {})) {}

NewFolder::~NewFolder() {
  if (building_.empty()) return;
  std::error_code ignored;
  fs::remove_all(building_, ignored);
  for (const std::string& path : handed_out_) fs::remove(path, ignored);
}

absl::Status NewFolder::HandOut(const std::string& path, std::string_view bytes, bool secret) {
  const absl::Status written = store::WriteFileAtomically(path, bytes, store::IfExists::kFail);
  if (absl::IsAlreadyExists(written)) return NameTaken(path);
  if (!written.ok()) return written;
  handed_out_.push_back(path);
  if (!secret && chmod(path.c_str(), 0644) != 0) {
    return store::ErrnoError(errno, "cannot set the mode of", path);
  }
  return absl::OkStatus();
}

absl::Status NewFolder::Commit() {
  if (absl::Status s = store::SyncDir(building_); !s.ok()) return s;
  if (rmdir(dir_.c_str()) != 0 && errno != ENOENT) return NotEmpty(dir_);
  if (absl::Status s = store::RenameDurably(building_, dir_); !s.ok()) return s;
  building_.clear();
  return absl::OkStatus();
}

}  // namespace entente::daemon
