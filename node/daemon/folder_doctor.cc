#include "node/daemon/folder_doctor.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_format.h"
#include "crypto/bytes.h"
#include "node/core/doctor.h"
#include "node/daemon/node_files.h"
#include "node/service/errors.h"
#include "node/store/file_io.h"

namespace entente::daemon {
namespace {

namespace fs = std::filesystem;
using core::MakeFinding;

// Room under which a person should act before the node stops taking things in.
constexpr uint64_t kLowBytes = uint64_t{2} << 30;
constexpr uint64_t kLowFiles = 10'000;

std::string Megabytes(uint64_t bytes) { return Cat(std::to_string(bytes >> 20), " MiB"); }

bool OpenToOthers(const std::string& path) {
  struct stat info;
  return lstat(path.c_str(), &info) == 0 && !S_ISLNK(info.st_mode) && (info.st_mode & 077) != 0;
}

uint64_t UsedBytes(const std::string& dir) {
  uint64_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator it(dir, error), end; it != end; it.increment(error)) {
    if (error) break;
    struct stat info;
    if (lstat(it->path().c_str(), &info) == 0 && S_ISREG(info.st_mode)) {
      bytes += static_cast<uint64_t>(info.st_blocks) * 512;
    }
  }
  return bytes;
}

}  // namespace

absl::StatusOr<FolderFacts> ReadFolderFacts(const std::string& data_dir) {
  struct statvfs volume;
  if (statvfs(data_dir.c_str(), &volume) != 0) {
    return store::ErrnoError(errno, "cannot look at", data_dir);
  }
  FolderFacts facts;
  facts.dir = data_dir;
  facts.free_bytes = static_cast<uint64_t>(volume.f_bavail) * volume.f_frsize;
  facts.reserve_bytes = store::SpaceReserve().bytes;
  facts.free_files = volume.f_favail;
  facts.all_files = volume.f_files;
  facts.used_bytes = UsedBytes(data_dir);
  if (OpenToOthers(data_dir)) facts.open_to_others.push_back(data_dir);
  for (const std::string_view name : {kKeystoreFile, kNodeConfigFile, kAnchorFile}) {
    const std::string path = PathIn(data_dir, name);
    if (OpenToOthers(path)) facts.open_to_others.push_back(path);
  }
  return facts;
}

std::vector<v1::Finding> ExamineFolder(const FolderFacts& facts) {
  std::vector<v1::Finding> out;
  const std::string why =
      Cat("The node itself uses ", Megabytes(facts.used_bytes), " in ", facts.dir, ".");
  if (facts.free_bytes < facts.reserve_bytes) {
    out.push_back(
        MakeFinding("DISK_FULL", v1::SEVERITY_PROBLEM,
                    Cat("The disk is full: ", Megabytes(facts.free_bytes),
                        " are free, and the node keeps ", Megabytes(facts.reserve_bytes), " back."),
                    Cat("It takes in no files and entries any more; nothing is lost. ", why),
                    Cat("df -h ", facts.dir)));
  } else if (facts.free_bytes < kLowBytes) {
    out.push_back(MakeFinding(
        "DISK_LOW", v1::SEVERITY_PROBLEM,
        Cat("The disk is nearly full: ", Megabytes(facts.free_bytes), " are free."),
        Cat("Below ", Megabytes(facts.reserve_bytes), " the node takes nothing in any more. ", why),
        Cat("df -h ", facts.dir)));
  }
  if (facts.all_files > 0 && facts.free_files < kLowFiles) {
    out.push_back(MakeFinding(
        "FILES_LOW", v1::SEVERITY_PROBLEM,
        Cat("The disk has room for ", std::to_string(facts.free_files), " more files only."),
        "Then nothing can be stored although there are bytes free.", Cat("df -i ", facts.dir)));
  }
  for (const std::string& path : facts.open_to_others) {
    out.push_back(MakeFinding(
        "FILE_OPEN", v1::SEVERITY_PROBLEM, Cat("Other users of this machine may read ", path, "."),
        "The node's files are for its own user alone.", Cat("chmod go= ", path)));
  }
  return out;
}

std::vector<v1::Finding> FolderFindings(const std::string& data_dir) {
  const absl::StatusOr<FolderFacts> facts = ReadFolderFacts(data_dir);
  if (facts.ok()) return ExamineFolder(*facts);
  return {MakeFinding("FOLDER", v1::SEVERITY_PROBLEM,
                      Cat("The data folder ", data_dir, " cannot be looked at."),
                      std::string(ToStd(facts.status().message())), Cat("ls -ld ", data_dir))};
}

}  // namespace entente::daemon
