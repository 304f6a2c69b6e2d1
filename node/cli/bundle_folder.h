// The folder of a bundle, written whole or not at all: everything goes into a folder of another
// name beside it, which takes the name once the last byte is on the disk.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "node/bundle/bag.h"

namespace entente::cli {

// One file, read once.
absl::StatusOr<bundle::Digests> DigestFile(const std::string& place);
// Every file below a folder, by path relative to it.
absl::StatusOr<std::map<std::string, bundle::Digests>> DigestFolder(const std::string& folder);

class BundleFolder {
 public:
  // AlreadyExists [FILE_EXISTS] when there is something of that name.
  static absl::StatusOr<std::unique_ptr<BundleFolder>> Make(const std::string& path);
  ~BundleFolder();  // removes what was not finished
  BundleFolder(const BundleFolder&) = delete;
  BundleFolder& operator=(const BundleFolder&) = delete;

  // Where `path`, relative and below the folder, is to be written; its folders are made.
  // InvalidArgument for a path that leads out of it.
  absl::StatusOr<std::string> PlaceFor(std::string_view path);
  absl::Status Write(std::string_view path, std::string_view content);
  // Reads every file again, compares those with a known SHA-256 (hex, by path), adds the manifests
  // and gives the folder its name. DataLoss [WRONG_HASH].
  absl::Status Finish(const std::map<std::string, std::string>& sha256);

 private:
  BundleFolder(std::string path, std::string partial)
      : path_(std::move(path)), partial_(std::move(partial)) {}
  const std::string path_;
  std::string partial_;  // empty once finished
};

}  // namespace entente::cli
