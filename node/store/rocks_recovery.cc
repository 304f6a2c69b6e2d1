#include "node/store/rocks_recovery.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <string_view>
#include <vector>

#include "crypto/bytes.h"
#include "node/store/encrypted_env.h"
#include "node/store/file_io.h"
#include "node/store/log_check.h"

namespace entente::store {
namespace {

constexpr std::string_view kWalExtension = ".log";

absl::StatusOr<std::string> ReadDecrypted(rocksdb::Env& env, const std::string& path) {
  std::string content;
  const rocksdb::Status status = rocksdb::ReadFileToString(&env, path, &content);
  if (status.ok()) return content;
  const std::string text = Cat("cannot read ", path, ": ", status.ToString());
  if (status.IsCorruption() || status.IsNotFound() || status.IsPathNotFound()) {
    return absl::DataLossError(text);
  }
  return absl::InternalError(text);
}

// The number in "000123.log", if that is what the name is.
std::optional<uint64_t> WalNumber(std::string_view name) {
  if (!name.ends_with(kWalExtension)) return std::nullopt;
  name.remove_suffix(kWalExtension.size());
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

absl::StatusOr<std::string> ManifestName(rocksdb::Env& env, const std::string& dir) {
  const std::string path = Cat(dir, "/CURRENT");
  absl::StatusOr<std::string> name = ReadDecrypted(env, path);
  if (!name.ok()) return name;
  if (!name->starts_with("MANIFEST-") || !name->ends_with("\n") ||
      name->find('/') != std::string::npos) {
    return absl::DataLossError(Cat(path, " is damaged"));
  }
  name->pop_back();
  return name;
}

// Adds the verdict on one log to the plan.
absl::Status CheckOne(rocksdb::Env& env, const std::string& path, bool may_be_unfinished,
                      RecoveryPlan& plan) {
  const absl::StatusOr<Fd> fd = OpenFile(path, O_RDONLY);
  if (!fd.ok()) return absl::DataLossError(fd.status().message());
  const absl::StatusOr<uint64_t> raw_bytes = FileSize(*fd, path);
  if (!raw_bytes.ok()) return raw_bytes.status();

  LogVerdict verdict;
  uint64_t keep = 0;
  if (*raw_bytes > 0 && *raw_bytes < kEncryptedPrefixBytes) {
    verdict.kind = LogVerdict::kUnfinished;  // not even the prefix was written
  } else if (*raw_bytes > 0) {
    const absl::StatusOr<std::string> log = ReadDecrypted(env, path);
    if (!log.ok()) return log.status();
    verdict = CheckLog(*log);
    keep = kEncryptedPrefixBytes + verdict.offset;
  }
  if (verdict.kind == LogVerdict::kClean) return absl::OkStatus();
  if (verdict.kind == LogVerdict::kUnfinished && may_be_unfinished) {
    plan.cuts.push_back({path, keep});
    plan.unfinished_bytes += *raw_bytes - keep;
    return absl::OkStatus();
  }
  return absl::DataLossError(Cat(path, " is damaged at byte ", std::to_string(keep)));
}

}  // namespace

absl::StatusOr<RecoveryPlan> CheckDatabaseLogs(rocksdb::Env& env, const std::string& dir) {
  RecoveryPlan plan;
  // RocksDB asserts that this file can be read.
  const std::string identity = Cat(dir, "/IDENTITY");
  if (Exists(identity)) {
    absl::Status readable = ReadDecrypted(env, identity).status();
    if (!readable.ok()) return readable;
  }
  const absl::StatusOr<std::string> manifest = ManifestName(env, dir);
  if (!manifest.ok()) return manifest.status();
  absl::Status status = CheckOne(env, Cat(dir, "/", *manifest), true, plan);
  if (!status.ok()) return status;

  const absl::StatusOr<std::vector<std::string>> names = ListDir(dir);
  if (!names.ok()) return names.status();
  uint64_t newest = 0;
  for (const std::string& name : *names) newest = std::max(newest, WalNumber(name).value_or(0));
  for (const std::string& name : *names) {
    const std::optional<uint64_t> number = WalNumber(name);
    if (!number.has_value()) continue;
    status = CheckOne(env, Cat(dir, "/", name), *number == newest, plan);
    if (!status.ok()) return status;
  }
  return plan;
}

absl::Status CutUnfinished(const RecoveryPlan& plan) {
  for (const RecoveryPlan::Cut& cut : plan.cuts) {
    const absl::StatusOr<Fd> fd = OpenFile(cut.path, O_RDWR);
    if (!fd.ok()) return fd.status();
    if (ftruncate(fd->get(), static_cast<off_t>(cut.keep_bytes)) != 0) {
      return ErrnoError(errno, "shorten", cut.path);
    }
    if (absl::Status status = SyncData(*fd, cut.path); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace entente::store
