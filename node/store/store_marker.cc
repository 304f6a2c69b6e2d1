#include "node/store/store_marker.h"

#include <string_view>

#include "crypto/bytes.h"
#include "crypto/hash.h"
#include "node/store/file_io.h"

namespace entente::store {
namespace {

constexpr std::string_view kFamily = "entente-store-";
constexpr std::string_view kMagic = "entente-store-1\n";
constexpr size_t kKeyCheckBytes = 32;
constexpr size_t kChecksumBytes = 16;
constexpr size_t kBodyBytes = kMagic.size() + 1 + kKeyCheckBytes;
constexpr size_t kMarkerBytes = kBodyBytes + kChecksumBytes;

std::string MarkerPath(const std::string& dir) { return Cat(dir, "/STORE"); }

std::string Body(const crypto::Secret32& storage_key, StoreState state) {
  std::string body(kMagic);
  AppendU8(&body, state == StoreState::kReady ? 2 : 1);
  // The commitment tells keys apart and tells nothing about them.
  body += crypto::K64(storage_key, "store-marker", {}).commit.view();
  return body;
}

std::string Checksum(std::string_view body) {
  return crypto::H("store-marker", {body}).str().substr(0, kChecksumBytes);
}

bool LooksLikeDatabase(const std::string& name) {
  return name == "CURRENT" || name.starts_with("MANIFEST-") || name.ends_with(".sst") ||
         name.ends_with(".log");
}

absl::StatusOr<StoreState> WithoutMarker(const std::string& dir) {
  const absl::StatusOr<std::vector<std::string>> names = ListDir(dir);
  if (absl::IsNotFound(names.status())) return StoreState::kAbsent;
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (LooksLikeDatabase(name)) {
      return absl::DataLossError(
          Cat(MarkerPath(dir), " is missing, yet the folder holds database files"));
    }
  }
  return StoreState::kAbsent;
}

}  // namespace

absl::StatusOr<StoreState> ReadStoreMarker(const std::string& dir,
                                           const crypto::Secret32& storage_key) {
  const std::string path = MarkerPath(dir);
  const absl::StatusOr<std::string> bytes = ReadFile(path, 4096);
  if (absl::IsNotFound(bytes.status())) return WithoutMarker(dir);
  if (!bytes.ok()) return bytes.status();
  const std::string_view marker = *bytes;
  if (marker.starts_with(kFamily) && !marker.starts_with(kMagic) && marker.size() != kMarkerBytes) {
    return absl::FailedPreconditionError(
        Cat(dir, " has a format that this version does not know; use a newer one"));
  }
  if (marker.size() != kMarkerBytes || !marker.starts_with(kMagic) ||
      marker.substr(kBodyBytes) != Checksum(marker.substr(0, kBodyBytes))) {
    return absl::DataLossError(Cat(path, " is damaged"));
  }
  for (const StoreState state : {StoreState::kCreating, StoreState::kReady}) {
    if (marker.substr(0, kBodyBytes) == Body(storage_key, state)) return state;
  }
  return absl::InvalidArgumentError(Cat("the storage key in use does not belong to ", dir,
                                        ": another keystore, or another node's folder"));
}

absl::Status WriteStoreMarker(const std::string& dir, const crypto::Secret32& storage_key,
                              StoreState state) {
  const std::string body = Body(storage_key, state);
  return WriteFileAtomically(MarkerPath(dir), Cat(body, Checksum(body)));
}

}  // namespace entente::store
