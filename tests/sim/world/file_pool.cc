// Chunk files without a disk: what the daemon's pool does, at once and in memory.
#include <utility>

#include "crypto/file_chunks.h"
#include "crypto/hash.h"
#include "crypto/merkle.h"
#include "tests/sim/world/world.h"

namespace entente::sim {
namespace {

sync::Input Read(Node& node, const sync::ReadChunkJob& job) {
  sync::ChunkRead out{job.blob, job.index, job.requester, absl::OkStatus(), 0, "", {}};
  const auto it = node.disk.blobs.find(job.blob);
  if (it == node.disk.blobs.end() || !it->second.chunks.contains(job.index)) {
    out.status = absl::NotFoundError("no such chunk");
    return out;
  }
  // The tree as it was when the file came, which lies beside it.
  const crypto::VectorMerkleSource tree(it->second.leaves);
  out.count = it->second.count;
  out.sealed = it->second.chunks.at(job.index);
  if (crypto::ChunkLeaf(out.sealed) != it->second.leaves[job.index]) {
    out.status = absl::DataLossError("a chunk is not what it was");
    return out;
  }
  out.path = *crypto::InclusionProof(tree, job.index, it->second.count);
  return out;
}

sync::Input Write(Node& node, const sync::WriteChunkJob& job) {
  sync::ChunkWritten out{job.blob, job.index, job.sender, absl::OkStatus()};
  if (crypto::VerifyInclusion(crypto::ChunkLeaf(job.sealed), job.index, job.count, job.path,
                              *Hash::From(job.blob.view()))
          .ok()) {
    Disk::Blob& blob = node.disk.blobs[job.blob];
    blob.count = job.count;
    blob.leaves.resize(job.count);
    blob.leaves[job.index] = crypto::ChunkLeaf(job.sealed);
    blob.chunks[job.index] = job.sealed;
  } else {
    out.status = absl::DataLossError("not of this blob");
  }
  return out;
}

sync::Input Verify(Node& node, const sync::VerifyBlobJob& job) {
  const BlobId blob = *BlobId::From(job.file.blob_id());
  sync::BlobVerified out{blob, absl::OkStatus()};
  const Disk::Blob& held = node.disk.blobs[blob];
  absl::StatusOr<crypto::FileOpener> opener =
      crypto::FileOpener::Create(*crypto::Secret32::From(job.file.file_key()),
                                 job.file.plain_size(), job.file.chunk_bytes(), job.file.commit());
  if (!opener.ok() || held.chunks.size() != held.count || held.count == 0) {
    out.status = opener.ok() ? absl::NotFoundError("chunks are missing") : opener.status();
    return out;
  }
  crypto::Sha256Stream sha;
  for (const auto& [i, sealed] : held.chunks) {
    if (crypto::ChunkLeaf(sealed) != held.leaves[i]) {
      out.status = absl::FailedPreconditionError("damaged on this disk");
      return out;
    }
    absl::StatusOr<std::string> plain = opener->OpenChunk(i, sealed);
    if (!plain.ok()) out.status = plain.status();
    if (plain.ok()) sha.Update(*plain);
  }
  if (out.status.ok() && sha.Finish().view() != job.file.plain_sha256()) {
    out.status = absl::DataLossError("another file than promised");
  }
  return out;
}

sync::Input Check(Node& node, const sync::CheckChunksJob& job) {
  sync::ChunksChecked out{job.blob, 0, {}, absl::OkStatus()};
  for (const uint64_t index : job.indices) {
    const auto read = std::get<sync::ChunkRead>(Read(node, {job.blob, index, {}}));
    if (absl::IsDataLoss(read.status)) {
      out.damaged.push_back(index);
    } else if (!read.status.ok()) {
      out.status = read.status;
    }
    ++out.checked;
  }
  return out;
}

}  // namespace

void World::RunFileJob(Node& node, const sync::FileJob& job) {
  sync::Input answer = sync::Tick{};
  if (const auto* read = std::get_if<sync::ReadChunkJob>(&job)) {
    answer = Read(node, *read);
    if (absl::IsDataLoss(std::get<sync::ChunkRead>(answer).status)) {
      counters_.Hit("damaged chunk kept back");
    }
  } else if (const auto* write = std::get_if<sync::WriteChunkJob>(&job)) {
    answer = Write(node, *write);
  } else if (const auto* verify = std::get_if<sync::VerifyBlobJob>(&job)) {
    answer = Verify(node, *verify);
  } else if (const auto* check = std::get_if<sync::CheckChunksJob>(&job)) {
    answer = Check(node, *check);
    counters_.Hit("damaged chunk found", std::get<sync::ChunksChecked>(answer).damaged.size());
  } else if (const auto* erase = std::get_if<sync::EraseJob>(&job)) {
    for (const BlobId& file : erase->files) node.disk.blobs.erase(file);
    answer = sync::Erased{erase->id, absl::OkStatus()};
  } else {
    return;
  }
  After(absl::Microseconds(200), [&node, boots = node.boots, answer = std::move(answer)] {
    if (node.boots == boots) node.Give(answer);
  });
}

core::UploadedFile World::Upload(Node& node, const std::string& name, const std::string& text) {
  const crypto::Secret32 key = entropy_.Draw<crypto::Secret32>();
  const crypto::FileSealer sealer(key, text.size());
  std::vector<Hash> leaves;
  Disk::Blob blob;
  blob.count = sealer.chunk_count();
  for (uint64_t i = 0; i < blob.count; ++i) {
    const std::string plain = text.substr(i * crypto::kChunkBytes, crypto::kChunkBytes);
    blob.chunks[i] = *sealer.SealChunk(i, plain);
    leaves.push_back(crypto::ChunkLeaf(blob.chunks[i]));
  }
  blob.leaves = leaves;
  const crypto::VectorMerkleSource tree(leaves);
  const Hash root = *crypto::RangeFrom(tree, 0, blob.count)->Root();
  core::UploadedFile out;
  out.upload_id = entropy_.Bytes(16);
  out.file.set_blob_id(root.str());
  out.file.set_chunk_bytes(crypto::kChunkBytes);
  out.file.set_chunk_count(blob.count);
  out.file.set_plain_size(text.size());
  out.file.set_plain_sha256(crypto::Sha256(text).str());
  out.file.set_file_key(std::string(key.view()));
  out.file.set_commit(sealer.commit().str());
  out.file.set_name(name);
  node.disk.blobs[*BlobId::From(root.view())] = std::move(blob);
  return out;
}

}  // namespace entente::sim
