// The signing anchor: which heads this node may already have shown to others.
//
// Kept in its own file, outside the database and outside every backup. A head is recorded here and
// synced before any frame that carries it leaves. When the database comes back older than this
// file, or the file is gone, the node knows that it may have signed more than it remembers, freezes
// its own logs and opens a new incarnation instead of forking (design §6).
//
// Format: a 32-byte header, then records of 96 bytes, all integers big endian.
//   header  "entente-anchor-1" ‖ 16 random bytes
//   record  log 32 ‖ incarnation u32 ‖ size u64 ‖ root 32 ‖ check 20
//   check   first 20 bytes of H("anchor-file", {check of the record before, first 76 bytes}); the
//           first record is chained to the header
// The file only grows by whole records. A last record that is shorter than 96 bytes is a write that
// a power cut interrupted: no frame left after it, so it is dropped. Everything else that does not
// check out is DataLoss: nobody may guess what was signed. Opening, and growing beyond 1 MiB,
// rewrites the file with the highest record of each log.
//
// Not thread-safe. Tests: tests/node/store/anchor_file_test.cc.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/entropy.h"
#include "node/store/file_io.h"
#include "sync/effects.h"

namespace entente::store {

class AnchorFile {
 public:
  static constexpr uint64_t kCompactBytes = uint64_t{1} << 20;

  // Reads the file at `path`; a missing file is not an error but missing() is true and the first
  // Append makes it. It is not made here on purpose: were it, a node that stops before it has
  // opened its new incarnation would find an empty anchor and trust it.
  static absl::StatusOr<std::unique_ptr<AnchorFile>> Open(const std::string& path,
                                                          Entropy& entropy);
  // Only reads: the highest record of each log, ordered by log. NotFound when there is no file.
  static absl::StatusOr<std::vector<sync::AnchorRecord>> Read(const std::string& path);
  // Makes an empty anchor for a node that has never signed. AlreadyExists otherwise.
  static absl::Status Create(const std::string& path, Entropy& entropy);

  bool missing() const { return !fd_.valid(); }

  // The highest record of each log, ordered by log.
  std::vector<sync::AnchorRecord> Load() const;

  // Durable on return. Records that say nothing new cost nothing. FailedPrecondition, with nothing
  // written, when a record names a size already anchored with another root: that head would fork
  // the log. After any other error the object refuses further work and must be opened again.
  absl::Status Append(std::span<const sync::AnchorRecord> records);

 private:
  AnchorFile(std::string path, Entropy& entropy) : path_(std::move(path)), entropy_(entropy) {}
  using Records = std::map<LogId, sync::AnchorRecord>;

  // What the bytes of the file at `path` say: the highest record of each log.
  static absl::StatusOr<Records> Parse(std::string_view bytes, const std::string& path);
  static std::vector<sync::AnchorRecord> InOrder(const Records& records);
  absl::Status Rewrite();
  absl::Status AppendDurably(const Records& fresh);

  std::string path_;
  Entropy& entropy_;
  Fd fd_;
  Records highest_;
  std::string chain_;  // check of the last record, or the header
  uint64_t size_ = 0;
  uint64_t compact_at_ = kCompactBytes;
  absl::Status failed_ = absl::OkStatus();
};

}  // namespace entente::store
