// A bundle's folder on disk, read and nothing else.
#pragma once

#include <string>

#include "node/bundle/verify.h"

namespace entente::verify {

class DiskTree : public bundle::BundleTree {
 public:
  // NotFound or InvalidArgument when `root` is no folder.
  static absl::StatusOr<DiskTree> Open(const std::string& root);

  absl::StatusOr<std::set<std::string>> List() const override;
  absl::StatusOr<std::string> Read(const std::string& path, size_t bytes_max) const override;
  absl::StatusOr<bundle::Digests> Digest(const std::string& path) const override;

 private:
  explicit DiskTree(std::string root) : root_(std::move(root)) {}
  std::string root_;
};

// Any file, whole. Unavailable, naming it; ResourceExhausted beyond `bytes_max`.
absl::StatusOr<std::string> ReadPlainFile(const std::string& path, size_t bytes_max);

}  // namespace entente::verify
