// A bundle's proof, verified and opened: the same road as in a node, from bytes over signatures,
// keys and rules to views, with nothing but what the bundle brings.
//
//   signature of the exporter → cards → logs (heads, entries, receipts) → agreements → records
//
// What it cannot know is whose the cards are: that is for people to compare (crypto/words.h).
// Not thread-safe. Tests: tests/node/bundle/forgery_test.cc.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entente/v1/bundle.pb.h"
#include "node/core/decisions.h"
#include "node/model/directory.h"
#include "node/model/kinds.h"
#include "node/model/model.h"
#include "sync/card_book.h"
#include "sync/exclusion.h"
#include "sync/proven_log.h"

namespace entente::bundle {

inline constexpr uint32_t kFormat = 1;

class OpenedBundle {
 public:
  // InvalidArgument: malformed, or of a format this program does not know; Unauthenticated: not as
  // it was signed. The text says what, for people who do not know the format.
  static absl::StatusOr<std::unique_ptr<OpenedBundle>> Open(std::string_view proof,
                                                            std::string_view signature);
  OpenedBundle(const OpenedBundle&) = delete;
  OpenedBundle& operator=(const OpenedBundle&) = delete;

  const v1::BundleProof& proof() const { return proof_; }
  const Hash& digest() const { return digest_; }  // SHA-256 of the proof
  const JitId& jit() const { return jit_; }
  const PartyId& exporter() const { return exporter_; }
  absl::Time exported() const { return absl::FromUnixSeconds(proof_.exported()); }

  // In the order of the proof.
  const std::vector<const model::Record*>& records() const { return records_; }
  v1::RecordView View(const model::Record& record) const { return model_.View(record, exported()); }
  const model::Model& model() const { return model_; }
  const model::Directory& directory() const { return directory_; }
  const sync::CardBook& cards() const { return cards_; }
  const std::map<LogId, sync::ProvenLog>& logs() const { return logs_; }
  // Versions of the agreement that everybody it names confirmed, oldest first.
  std::vector<const sync::ProposalState*> Agreements() const;
  // Of the case, by the newest of them.
  std::string CodeName() const;
  bool Withheld(const BlobId& blob) const { return withheld_.contains(blob); }

 private:
  // Said of logs of excluded bodies nothing is asked here; the exporter states where they end.
  struct Nothing : sync::KvReader {
    absl::StatusOr<std::optional<std::string>> Get(std::string_view) const override {
      return std::optional<std::string>();
    }
    absl::Status Scan(std::string_view, std::string_view, const Visitor&) const override {
      return absl::OkStatus();
    }
  };

  OpenedBundle(v1::BundleProof proof, const Hash& digest, const JitId& jit,
               const PartyId& exporter);
  absl::Status TakeCards();
  absl::Status TakeLogs();
  void TakeEntries();
  absl::Status FindRecords();
  model::EffectLimit LimitOf(const LogId& log) const;

  v1::BundleProof proof_;
  Hash digest_;
  JitId jit_;
  PartyId exporter_;
  sync::CardBook cards_;
  model::KindRegistry kinds_;
  model::Directory directory_;
  std::map<LogId, sync::ProvenLog> logs_;
  Nothing nothing_;
  sync::OverlayKv overlay_{nothing_};
  sync::LogBook log_book_{overlay_};
  core::Decisions decisions_;
  sync::Exclusions exclusions_;
  model::Model model_;
  std::vector<const model::Record*> records_;
  std::set<BlobId> withheld_;
};

}  // namespace entente::bundle
