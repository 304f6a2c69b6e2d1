#include "node/cli/bundle_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "crypto/bytes.h"
#include "node/bundle/bag.h"
#include "node/cli/files.h"
#include "node/cli/text.h"
#include "node/service/errors.h"

namespace entente::cli {
namespace {

namespace fs = std::filesystem;

absl::Status CannotWrite(const std::string& path, const std::error_code& error) {
  return service::Error(absl::StatusCode::kUnavailable,
                        {.what = Cat("cannot write ", Clean(path), ": ", error.message()),
                         .code = "CANNOT_WRITE",
                         .next = "choose another place with --out, or make room"});
}

absl::Status SyncFolder(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  const std::error_code error(errno, std::generic_category());
  if (fd >= 0) ::close(fd);
  return synced ? absl::OkStatus() : CannotWrite(path, error);
}

}  // namespace

absl::StatusOr<bundle::Digests> DigestFile(const std::string& place) {
  absl::StatusOr<std::unique_ptr<FileSource>> file = FileSource::Open(place);
  if (!file.ok()) return file.status();
  bundle::DigestWriter writer;
  for (;;) {
    const absl::StatusOr<std::string> piece = (*file)->Next();
    if (!piece.ok()) return piece.status();
    if (piece->empty()) break;
    writer.Update(*piece);
  }
  return writer.Finish();
}

absl::StatusOr<std::unique_ptr<BundleFolder>> BundleFolder::Make(const std::string& path) {
  std::string plain = path;
  while (plain.size() > 1 && plain.back() == '/') plain.pop_back();
  std::error_code error;
  if (fs::exists(fs::symlink_status(plain, error))) {
    return service::Error(absl::StatusCode::kAlreadyExists,
                          {.what = Cat("there is already something at ", Clean(plain)),
                           .code = "FILE_EXISTS",
                           .next = "choose another folder with --out"});
  }
  std::string partial = Cat(plain, ".unfinished-", std::to_string(::getpid()));
  // Evidence, so far for the eyes of whoever exports it.
  if (::mkdir(partial.c_str(), 0700) != 0) {
    return CannotWrite(partial, std::error_code(errno, std::generic_category()));
  }
  return std::unique_ptr<BundleFolder>(new BundleFolder(plain, std::move(partial)));
}

BundleFolder::~BundleFolder() {
  std::error_code ignored;
  if (!partial_.empty()) fs::remove_all(partial_, ignored);
}

absl::StatusOr<std::string> BundleFolder::PlaceFor(std::string_view path) {
  const fs::path relative(path);
  bool inside = relative.is_relative() && !relative.empty();
  for (const fs::path& part : relative) inside = inside && part != ".." && part != ".";
  if (!inside) {
    return absl::InvalidArgumentError(
        Cat("the node named a file outside the bundle: ", Clean(path), " [BAD_PATH]"));
  }
  const fs::path place = fs::path(partial_) / relative;
  std::error_code error;
  fs::create_directories(place.parent_path(), error);
  if (error) return CannotWrite(place.string(), error);
  return place.string();
}

absl::Status BundleFolder::Write(std::string_view path, std::string_view content) {
  const absl::StatusOr<std::string> place = PlaceFor(path);
  if (!place.ok()) return place.status();
  return WriteNew(*place, content, 0644);
}

absl::StatusOr<std::map<std::string, bundle::Digests>> DigestFolder(const std::string& folder) {
  std::map<std::string, bundle::Digests> out;
  std::error_code error;
  const auto end = fs::recursive_directory_iterator();
  for (auto it = fs::recursive_directory_iterator(folder, error); !error && it != end;
       it.increment(error)) {
    if (it->is_directory()) continue;
    const absl::StatusOr<bundle::Digests> digests = DigestFile(it->path().string());
    if (!digests.ok()) return digests.status();
    out.emplace(it->path().lexically_relative(folder).generic_string(), *digests);
  }
  if (error) return CannotWrite(folder, error);
  return out;
}

absl::Status BundleFolder::Finish(const std::map<std::string, std::string>& sha256) {
  const absl::StatusOr<std::map<std::string, bundle::Digests>> files = DigestFolder(partial_);
  if (!files.ok()) return files.status();
  std::set<std::string> folders = {partial_};
  for (const auto& [path, digests] : *files) {
    for (fs::path folder = fs::path(path).parent_path(); !folder.empty();
         folder = folder.parent_path()) {
      folders.insert(Cat(partial_, "/", folder.string()));
    }
    const auto known = sha256.find(path);
    if (known == sha256.end() || known->second == digests.sha256.hex()) continue;
    return absl::DataLossError(Cat("what was written to ", Clean(path),
                                   " does not read back as it should [WRONG_HASH]\n  Next: check "
                                   "the disk, then export again"));
  }
  for (const auto& [name, text] : bundle::Manifests(*files)) {
    if (absl::Status s = Write(name, text); !s.ok()) return s;
  }
  for (const std::string& folder : folders) {
    if (absl::Status s = SyncFolder(folder); !s.ok()) return s;
  }
  std::error_code error;
  fs::rename(partial_, path_, error);
  if (error) return CannotWrite(path_, error);
  partial_.clear();
  const fs::path parent = fs::path(path_).parent_path();
  return SyncFolder(parent.empty() ? "." : parent.string());
}

}  // namespace entente::cli
