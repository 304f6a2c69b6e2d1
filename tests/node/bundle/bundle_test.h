// A bundle made by a federation in one process, as a tree in memory that tests may spoil.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "crypto/words.h"
#include "node/bundle/opened_bundle.h"
#include "node/bundle/verify.h"
#include "tests/node/core/core_test.h"

namespace entente::bundle {

class MemoryTree : public BundleTree {
 public:
  std::map<std::string, std::string> files;

  absl::StatusOr<std::set<std::string>> List() const override {
    std::set<std::string> out;
    for (const auto& [path, content] : files) out.insert(path);
    return out;
  }
  absl::StatusOr<std::string> Read(const std::string& path, size_t bytes_max) const override {
    const std::string& content = files.at(path);
    if (content.size() > bytes_max) return absl::ResourceExhaustedError("too large");
    return content;
  }
  absl::StatusOr<Digests> Digest(const std::string& path) const override {
    return DigestsOf(files.at(path));
  }
};

class BundleTest : public core::CoreTest {
 protected:
  static constexpr std::string_view kLedger = "date,amount\n2026-03-03,4000\n";

  absl::StatusOr<std::string> AddLedger(const std::vector<std::string>& audience,
                                        const std::string& name = "ledger.csv",
                                        const std::string& title = "Ledger of Lime Street") {
    v1::AddEvidenceRequest request;
    request.mutable_item()->set_title(title);
    request.mutable_item()->set_kind(v1::EVIDENCE_KIND_FINANCIAL);
    request.mutable_item()->set_measure("search of 3 March");
    request.mutable_item()->set_exhibit_no("LS/4");
    for (const std::string& body : audience) request.add_audience(body);
    const auto added =
        Call<v1::AddEvidenceResponse>("XA", "EvidenceService/AddEvidence", request,
                                      {world_.Upload(node("XA"), name, std::string(kLedger))});
    if (!added.ok()) return added.status();
    return added->record().ref();
  }
  absl::StatusOr<v1::MakeBundleResponse> Make(const std::string& who,
                                              const std::vector<std::string>& refs,
                                              bool without_files = false,
                                              const std::string& purpose = "Trial in Corvia") {
    v1::MakeBundleRequest request;
    for (const std::string& ref : refs) request.add_records(ref);
    request.set_purpose(purpose);
    request.set_without_files(without_files);
    return Call<v1::MakeBundleResponse>(who, "BundleService/MakeBundle", request);
  }
  // As the command writes it; every file of evidence is the ledger.
  static MemoryTree TreeOf(const v1::MakeBundleResponse& made) {
    MemoryTree out;
    for (const v1::BundleText& text : made.texts()) out.files[text.path()] = text.content();
    for (const v1::BundleFile& file : made.files()) out.files[file.path()] = kLedger;
    std::map<std::string, Digests> digests;
    for (const auto& [path, content] : out.files) digests[path] = DigestsOf(content);
    for (auto& [name, text] : Manifests(digests)) out.files[name] = text;
    return out;
  }
  // The words of the bodies, as people got them elsewhere.
  std::set<std::string> Words() {
    std::set<std::string> out;
    for (auto& node : world_.nodes()) out.insert(crypto::WordString(node->who.party));
    return out;
  }
  // An item shared with XB, which has received its file, and released to XC later.
  MemoryTree Ledger() {
    const absl::StatusOr<std::string> ref = AddLedger({"XB"});
    EXPECT_OK(ref);
    Settle();
    v1::ReleaseEvidenceRequest release;
    release.add_records(*ref);
    release.add_to("XC");
    release.set_purpose("identification of victims");
    EXPECT_OK(Call<v1::ReleaseEvidenceResponse>("XA", "EvidenceService/ReleaseEvidence", release));
    Settle();
    const auto made = Make("XA", {*ref});
    EXPECT_OK(made);
    return made.ok() ? TreeOf(*made) : MemoryTree();
  }
};

inline bool Says(const std::vector<std::string>& lines, std::string_view text) {
  for (const std::string& line : lines) {
    if (line.find(text) != std::string::npos) return true;
  }
  return false;
}

}  // namespace entente::bundle
