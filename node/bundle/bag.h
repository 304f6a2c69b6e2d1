// The outer form of a bundle: a bag after RFC 8493, so that archives and courts can keep and check
// it with tools that know nothing of us (`sha256sum -c`, any BagIt validator).
//
//   bagit.txt bag-info.txt README.txt                 what this is
//   manifest-sha256.txt manifest-sha512.txt           of everything in data/
//   tagmanifest-sha256.txt tagmanifest-sha512.txt     of the five files above
//   data/report.html data/provenance.jsonld           for people, for other systems
//   data/proof/…                                      what signs for all of it, and a time stamp
//                                                     (RFC 3161) over the signature, if there is
//                                                     one
//   data/files/E-7K3M9Q/1-ledger.csv                  the evidence
//
// Texts only; who reads or writes the files is somebody else.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/hash.h"

namespace entente::bundle {

inline constexpr std::string_view kBagDeclaration =
    "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
inline constexpr std::string_view kProofPath = "data/proof/bundle.pb";
inline constexpr std::string_view kSignaturePath = "data/proof/signature.txt";
inline constexpr std::string_view kTimestampPath = "data/proof/timestamp.tsr";
inline constexpr std::string_view kBagInfoPath = "bag-info.txt";
inline constexpr std::string_view kReportPath = "data/report.html";
inline constexpr std::string_view kGraphPath = "data/provenance.jsonld";

// One file of the bag.
struct Digests {
  uint64_t size = 0;
  Hash sha256;
  Hash512 sha512;
};

// Takes a file in pieces.
class DigestWriter {
 public:
  void Update(std::string_view bytes);
  Digests Finish();  // once

 private:
  uint64_t size_ = 0;
  crypto::Sha256Stream sha256_;
  crypto::Sha512Stream sha512_;
};
Digests DigestsOf(std::string_view bytes);

// The four manifests, by name, that follow from the files of the bag by path: those below data/ and
// the others. The tag manifests are over the others and the two manifests.
std::map<std::string, std::string> Manifests(const std::map<std::string, Digests>& files);

// `bag_info` with another count of the payload's bytes and files.
std::string WithPayloadOxum(std::string_view bag_info, uint64_t bytes, uint64_t files);

// A name that every file system takes, for the file at `position` (from 1) of an item: what is not
// a letter, a digit or one of "._-" becomes "_". The name itself stands in the report.
std::string EnclosedName(size_t position, std::string_view name);

}  // namespace entente::bundle
