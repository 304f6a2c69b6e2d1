#include "node/store/anchor_file.h"

#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "crypto/bytes.h"
#include "crypto/hash.h"

namespace entente::store {
namespace {

constexpr std::string_view kMagic = "entente-anchor-1";
constexpr size_t kHeaderBytes = 32;
constexpr size_t kBodyBytes = 76;
constexpr size_t kCheckBytes = 20;
constexpr size_t kRecordBytes = kBodyBytes + kCheckBytes;
// Far above what compaction leaves: a larger file is not one of ours.
constexpr uint64_t kFileBytesMax = uint64_t{256} << 20;

std::string RecordBody(const sync::AnchorRecord& record) {
  std::string body = record.log.str();
  AppendU32(&body, record.incarnation);
  AppendU64(&body, record.size);
  body += record.root.view();
  return body;
}

std::string Check(std::string_view chain, std::string_view body) {
  return crypto::H("anchor-file", {chain, body}).str().substr(0, kCheckBytes);
}

absl::StatusOr<sync::AnchorRecord> ParseBody(std::string_view body) {
  ByteReader reader(body);
  const absl::StatusOr<std::string_view> log = reader.ReadBytes(LogId::kSize);
  const absl::StatusOr<uint32_t> incarnation = reader.ReadU32();
  const absl::StatusOr<uint64_t> size = reader.ReadU64();
  const absl::StatusOr<std::string_view> root = reader.ReadBytes(Hash::kSize);
  if (!log.ok() || !incarnation.ok() || !size.ok() || !root.ok() || !reader.done()) {
    return absl::InternalError("an anchor record has 76 bytes before its check");
  }
  return sync::AnchorRecord{*LogId::From(*log), *incarnation, *size, *Hash::From(*root)};
}

// Encodes records one after the other and moves `chain` along.
std::string Encode(const std::map<LogId, sync::AnchorRecord>& records, std::string* chain) {
  std::string bytes;
  bytes.reserve(records.size() * kRecordBytes);
  for (const auto& [log, record] : records) {
    const std::string body = RecordBody(record);
    *chain = Check(*chain, body);
    bytes += body;
    bytes += *chain;
  }
  return bytes;
}

const sync::AnchorRecord* FindIn(const std::map<LogId, sync::AnchorRecord>& records,
                                 const LogId& log) {
  const auto found = records.find(log);
  return found == records.end() ? nullptr : &found->second;
}

std::string NewHeader(Entropy& entropy) {
  return Cat(kMagic, entropy.Bytes(kHeaderBytes - kMagic.size()));
}

}  // namespace

absl::Status AnchorFile::Create(const std::string& path, Entropy& entropy) {
  if (Exists(path)) return absl::AlreadyExistsError(Cat(path, " exists already"));
  return WriteFileAtomically(path, NewHeader(entropy), IfExists::kFail);
}

absl::StatusOr<std::unique_ptr<AnchorFile>> AnchorFile::Open(const std::string& path,
                                                             Entropy& entropy) {
  std::unique_ptr<AnchorFile> anchor(new AnchorFile(path, entropy));
  const absl::StatusOr<std::string> bytes = ReadFile(path, kFileBytesMax);
  if (absl::IsNotFound(bytes.status())) return anchor;
  if (!bytes.ok()) return bytes.status();
  absl::StatusOr<Records> records = Parse(*bytes, path);
  if (!records.ok()) return records.status();
  anchor->highest_ = *std::move(records);
  if (absl::Status status = anchor->Rewrite(); !status.ok()) return status;
  return anchor;
}

absl::StatusOr<std::vector<sync::AnchorRecord>> AnchorFile::Read(const std::string& path) {
  const absl::StatusOr<std::string> bytes = ReadFile(path, kFileBytesMax);
  if (!bytes.ok()) return bytes.status();
  const absl::StatusOr<Records> records = Parse(*bytes, path);
  if (!records.ok()) return records.status();
  return InOrder(*records);
}

absl::StatusOr<AnchorFile::Records> AnchorFile::Parse(std::string_view bytes,
                                                      const std::string& path) {
  if (bytes.size() < kHeaderBytes || bytes.substr(0, kMagic.size()) != kMagic) {
    return absl::DataLossError(Cat("the signing anchor ", path, " has a damaged header"));
  }
  Records highest;
  std::string chain(bytes.substr(0, kHeaderBytes));
  size_t offset = kHeaderBytes;
  for (; bytes.size() - offset >= kRecordBytes; offset += kRecordBytes) {
    const std::string_view body = bytes.substr(offset, kBodyBytes);
    const std::string check = Check(chain, body);
    if (bytes.substr(offset + kBodyBytes, kCheckBytes) != check) {
      return absl::DataLossError(
          Cat("the signing anchor ", path, " is damaged at byte ", std::to_string(offset)));
    }
    chain = check;
    const absl::StatusOr<sync::AnchorRecord> record = ParseBody(body);
    if (!record.ok()) return record.status();
    sync::AnchorRecord& known = highest.try_emplace(record->log, *record).first->second;
    if (record->size >= known.size) known = *record;
  }
  return highest;  // the rest, if any, is a write that never finished
}

absl::Status AnchorFile::Rewrite() {
  std::string header = NewHeader(entropy_);
  std::string chain = header;
  const std::string bytes = Cat(header, Encode(highest_, &chain));
  if (absl::Status status = WriteFileAtomically(path_, bytes); !status.ok()) return status;
  absl::StatusOr<Fd> fd = OpenFile(path_, O_WRONLY | O_APPEND);
  if (!fd.ok()) return fd.status();
  fd_ = std::move(*fd);
  chain_ = std::move(chain);
  size_ = bytes.size();
  compact_at_ = std::max(kCompactBytes, 2 * size_);
  return absl::OkStatus();
}

std::vector<sync::AnchorRecord> AnchorFile::Load() const { return InOrder(highest_); }

std::vector<sync::AnchorRecord> AnchorFile::InOrder(const Records& records) {
  std::vector<sync::AnchorRecord> out;
  out.reserve(records.size());
  for (const auto& [log, record] : records) out.push_back(record);
  return out;
}

absl::Status AnchorFile::Append(std::span<const sync::AnchorRecord> records) {
  if (!failed_.ok()) return failed_;
  Records fresh;
  for (const sync::AnchorRecord& record : records) {
    const sync::AnchorRecord* known = FindIn(fresh, record.log);
    if (known == nullptr) known = FindIn(highest_, record.log);
    if (known != nullptr && record.size == known->size && record.root != known->root) {
      return absl::FailedPreconditionError(
          Cat("log ", record.log.hex(), " was already signed at size ", std::to_string(record.size),
              " with another root: this head would fork it"));
    }
    if (known == nullptr || record.size > known->size) fresh.insert_or_assign(record.log, record);
  }
  if (fresh.empty()) return absl::OkStatus();
  failed_ = AppendDurably(fresh);
  return failed_;
}

absl::Status AnchorFile::AppendDurably(const Records& fresh) {
  for (const auto& [log, record] : fresh) highest_.insert_or_assign(log, record);
  if (missing() || size_ >= compact_at_) return Rewrite();
  const std::string bytes = Encode(fresh, &chain_);
  if (absl::Status status = Write(fd_, bytes, path_); !status.ok()) return status;
  if (absl::Status status = SyncData(fd_, path_); !status.ok()) return status;
  size_ += bytes.size();
  return absl::OkStatus();
}

}  // namespace entente::store
