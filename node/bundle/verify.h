// Whether a bundle is what its signatures say, without a node: the proof is verified and opened,
// every other text is made again and compared byte for byte, every file of evidence is hashed.
// Nothing else may be there. So a change of any byte, anywhere, is found and named.
//
// Pure: files come through BundleTree. Tests: tests/node/bundle/verify_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "node/bundle/bag.h"
#include "node/bundle/opened_bundle.h"
#include "node/bundle/report.h"

namespace entente::bundle {

// The files of a folder, by path relative to it ("data/report.html").
class BundleTree {
 public:
  virtual ~BundleTree() = default;
  // Everything that is no folder, and folders that are empty with a "/" behind their names.
  virtual absl::StatusOr<std::set<std::string>> List() const = 0;
  // ResourceExhausted beyond `bytes_max`; Unavailable for what is no plain file.
  virtual absl::StatusOr<std::string> Read(const std::string& path, size_t bytes_max) const = 0;
  virtual absl::StatusOr<Digests> Digest(const std::string& path) const = 0;
};

// A bundle as its proof says it must be: made once, compared with as many folders as there are.
class ExpectedBundle {
 public:
  // Errors as OpenedBundle::Open.
  static absl::StatusOr<ExpectedBundle> From(std::string_view proof, std::string_view signature,
                                             std::string_view timestamp = "");

  struct Comparison {
    std::vector<std::string> refusals;  // empty: the very bundle
    uint64_t files = 0;
    uint64_t bytes = 0;
  };
  Comparison Compare(const BundleTree& tree, const std::set<std::string>& there) const;

  const OpenedBundle& opened() const { return *opened_; }
  const std::vector<EnclosedFile>& enclosed() const { return enclosed_; }

 private:
  std::unique_ptr<OpenedBundle> opened_;
  std::map<std::string, std::string> texts_;
  std::vector<EnclosedFile> enclosed_;
};

struct Verdict {
  bool intact = false;                 // nothing was refused
  bool bodies_confirmed = false;       // the words of every body were given
  std::vector<std::string> refusals;   // what is wrong, the first reason first
  std::vector<std::string> shown;      // what the bundle proves
  std::vector<std::string> not_shown;  // what it leaves open
};

// What the person knows from elsewhere.
struct Known {
  std::set<std::string> words;        // the eight of each body, as it gave them itself
  std::string time_authorities = {};  // certificates of time-stamping authorities, PEM
};
Verdict Verify(const BundleTree& tree, const Known& known);

}  // namespace entente::bundle
