// A blob store with small chunks, and files that go through it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "crypto/entropy.h"
#include "crypto/hash.h"
#include "gtest/gtest.h"
#include "node/store/blob_store.h"
#include "tests/node/store/store_test_util.h"

namespace entente::store {

class BlobTest : public testing::Test {
 protected:
  static constexpr uint32_t kChunk = 1024;

  std::unique_ptr<BlobStore> Open(const std::string& dir) {
    BlobStore::Options options;
    options.chunk_bytes = kChunk;
    options.reserve = reserve_;
    options.is_named = is_named_;
    auto opened = BlobStore::Open(dir, options);
    EXPECT_OK(opened);
    return opened.ok() ? std::move(*opened) : nullptr;
  }
  static std::string Content(uint64_t size) {
    std::string content(size, '\0');
    for (size_t i = 0; i < size; ++i) content[i] = static_cast<char>(i * 31 + i / 251);
    return content;
  }
  static BlobId IdOf(const v1::FileRef& file) { return *BlobId::From(file.blob_id()); }

  absl::StatusOr<v1::FileRef> Upload(BlobStore& store, std::string_view content) {
    auto upload = store.BeginUpload("name", content.size(), entropy_);
    if (!upload.ok()) return upload.status();
    for (size_t at = 0; at < content.size(); at += 777) {
      absl::Status status = (*upload)->Write(content.substr(at, 777));
      if (!status.ok()) return status;
    }
    return (*upload)->Finish();
  }
  // An adopted file.
  v1::FileRef Add(BlobStore& store, std::string_view content) {
    const auto file = Upload(store, content);
    EXPECT_OK(file);
    EXPECT_OK(store.Adopt(IdOf(*file)));
    return *file;
  }
  static absl::StatusOr<std::string> ReadAll(const BlobStore& store, const v1::FileRef& file) {
    auto reader = store.OpenReader(file);
    if (!reader.ok()) return reader.status();
    std::string all;
    while (true) {
      const auto piece = (*reader)->Next();
      if (!piece.ok()) return piece.status();
      if (piece->empty()) return all;
      all += *piece;
    }
  }
  // All chunks as a peer would send them. The views point into the second vector.
  struct Parcelled {
    std::vector<BlobStore::Chunk> held;
    std::vector<BlobStore::ChunkIn> chunks;
  };
  static Parcelled ChunksOf(const BlobStore& store, const v1::FileRef& file) {
    Parcelled out;
    out.held.reserve(file.chunk_count());
    for (uint64_t i = 0; i < file.chunk_count(); ++i) {
      auto chunk = store.ReadChunk(IdOf(file), i);
      EXPECT_OK(chunk);
      out.held.push_back(std::move(*chunk));
      const BlobStore::Chunk& held = out.held.back();
      out.chunks.push_back({i, held.count, held.sealed, held.path});
    }
    return out;
  }
  static std::string BlobPath(const std::string& dir, const BlobId& blob, std::string_view end) {
    const std::string hex = blob.hex();
    return Cat(dir, "/", hex.substr(0, 2), "/", hex.substr(2, 2), "/", hex, end);
  }

  TempDir dir_;
  const std::string here_ = dir_ / "here";
  const std::string there_ = dir_ / "there";
  SeededEntropy entropy_{9};
  SpaceReserve reserve_;
  std::function<bool(const BlobId&)> is_named_;
};

}  // namespace entente::store
