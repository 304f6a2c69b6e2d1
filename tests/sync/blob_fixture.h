// One node's files between two peers, without a disk or a network: what it sends and what it has
// the pool do is kept, what peers and the pool answer is said by the test.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "sync/blob_sync.h"
#include "sync/limits.h"
#include "sync/schema.h"
#include "tests/support/status_testing.h"

namespace entente::sync {

inline PartyId Party(char c) { return *PartyId::From(std::string(32, c)); }
inline const BlobId kBlob = *BlobId::From(std::string(32, 'B'));
inline const JitId kJit = *JitId::From(std::string(32, 'J'));

class BlobFixture : public testing::Test {
 protected:
  BlobFixture() {
    for (Link* link : {&alice_, &bob_}) {
      link->session = ++sessions_;
      link->ready = true;
      links_.push_back(link);
    }
    alice_.peer = Party('a');
    bob_.peer = Party('b');
  }
  static v1::FileRef File(uint64_t chunks = 20) {
    v1::FileRef file;
    file.set_blob_id(kBlob.str());
    file.set_plain_sha256(std::string(32, 'h'));
    file.set_file_key(std::string(32, 'k'));
    file.set_commit(std::string(32, 'c'));
    file.set_chunk_bytes(1 << 20);
    file.set_chunk_count(chunks);
    file.set_plain_size(chunks << 20);
    return file;
  }
  // An entry of `author` that names a file, readable by all three.
  void Learn(const v1::FileRef& file, char author = 'a', std::string audience = "sab") {
    OpenedEntry entry;
    entry.jit = kJit;
    entry.author = Party(author);
    for (const char c : audience) entry.audience.insert(Party(c));
    *entry.body.add_files() = file;
    owned_->Learn(entry);
  }
  void Answer(Link& link, uint64_t index, uint64_t count = 20, std::string path = "") {
    v1::Chunk chunk;
    chunk.set_blob_id(kBlob.str());
    chunk.set_index(index);
    chunk.set_count(count);
    chunk.set_sealed("sealed");
    if (!path.empty()) chunk.add_path(path);
    owned_->OnChunk(link, chunk, now_);
  }
  // Chunks come, and the pool has dealt with those that it was given.
  void Deliver(Link& link, uint64_t from, uint64_t to, uint64_t count = 20) {
    for (uint64_t i = from; i < to; ++i) {
      const size_t before = jobs_.size();
      Answer(link, i, count);
      if (jobs_.size() == before) continue;  // not asked for
      owned_->OnChunkWritten({kBlob, i, link.peer, absl::OkStatus()}, now_);
    }
  }
  // `link` will not hand out the file of that id; whether that is as expected.
  bool Refuse(Link& link, const std::string& subject = kBlob.str(),
              v1::RefusalCode code = v1::REFUSAL_CODE_NOT_HERE) {
    v1::Refused refused;
    refused.set_subject(subject);
    refused.set_code(code);
    return owned_->OnRefused(link, refused);
  }
  // A file of `chunks` that is here in full.
  void Have(uint64_t chunks) {
    Learn(File(chunks), 's');
    owned_->AddLocal(File(chunks));
  }
  std::vector<uint64_t> LastCheck() const {
    for (auto it = jobs_.rbegin(); it != jobs_.rend(); ++it) {
      if (const auto* check = std::get_if<CheckChunksJob>(&*it)) return check->indices;
    }
    return {};
  }
  void Written(uint64_t index, absl::Status status = absl::OkStatus(), char sender = 'a') {
    owned_->OnChunkWritten({kBlob, index, Party(sender), std::move(status)}, now_);
  }
  using State = BlobSync::Progress::State;
  State StateOf() const { return owned_->ProgressOf(kBlob, now_).state; }
  // Other settings than the usual.
  void Start(FileOptions options) {
    owned_ = std::make_unique<BlobSync>(context_, refusals_, options, hooks_);
  }
  template <class Job>
  size_t Jobs() const {
    size_t count = 0;
    for (const FileJob& job : jobs_) count += std::holds_alternative<Job>(job) ? 1 : 0;
    return count;
  }
  v1::Frame LastTo(const Link& link) const {
    for (auto it = sent_.rbegin(); it != sent_.rend(); ++it) {
      if (it->first == &link) return it->second;
    }
    return {};
  }
  v1::RefusalCode LastRefusal(char peer) const {
    for (const Refusals::Item& item : refusals_.All()) {
      if (item.peer == Party(peer)) return static_cast<v1::RefusalCode>(item.row.code());
    }
    return v1::REFUSAL_CODE_UNSPECIFIED;
  }

  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
  MemoryKv disk_;
  OverlayKv store_{disk_};
  CardBook cards_;
  LogBook logs_{store_};
  SeededEntropy entropy_{1};
  Exclusions exclusions_{Party('s'), cards_, logs_, {}};
  Context context_{Party('s'), nullptr, cards_, store_, logs_, entropy_, 1, false, &exclusions_};
  Refusals refusals_{store_};
  SessionId sessions_ = 0;
  Link alice_, bob_;
  std::vector<Link*> links_;
  std::vector<std::pair<Link*, v1::Frame>> sent_;
  std::vector<FileJob> jobs_;
  std::vector<v1::FileRef> verified_;
  const BlobSync::Hooks hooks_{
      [this](Link& link, v1::Frame frame) { sent_.emplace_back(&link, std::move(frame)); },
      [this] { return links_; }, [this](FileJob job) { jobs_.push_back(std::move(job)); },
      [this](const v1::FileRef& file) { verified_.push_back(file); }};
  std::unique_ptr<BlobSync> owned_ = std::make_unique<BlobSync>(
      context_, refusals_, FileOptions{.answer_by_parcel = kAnswerByParcel}, hooks_);
};

}  // namespace entente::sync
