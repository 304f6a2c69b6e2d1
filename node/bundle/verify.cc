#include "node/bundle/verify.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "crypto/hash.h"
#include "crypto/timestamp.h"
#include "crypto/words.h"
#include "node/bundle/contents.h"
#include "node/bundle/opened_bundle.h"

namespace entente::bundle {
namespace {

constexpr size_t kProofBytesMax = 1 << 30;
constexpr size_t kSignatureBytesMax = 4096;
constexpr size_t kRefusalsMax = 100;

std::string Quoted(std::string_view text) { return Cat("\"", model::CleanForDisplay(text), "\""); }

// One folder against what it must be.
class Comparer {
 public:
  Comparer(const BundleTree& tree, const std::set<std::string>& there)
      : tree_(tree), there_(there) {}

  ExpectedBundle::Comparison Run(const std::map<std::string, std::string>& texts,
                                 const std::vector<EnclosedFile>& enclosed) {
    std::map<std::string, Digests> files;
    for (const auto& [path, text] : texts) {
      files.emplace(path, DigestsOf(text));
      Text(path, text);
    }
    for (const EnclosedFile& file : enclosed) File(file, &files);
    for (const auto& [path, text] : Manifests(files)) Text(path, text);
    for (const std::string& extra : there_) {
      if (!expected_.contains(extra)) Refuse(Cat(Quoted(extra), " does not belong to the bundle"));
    }
    return std::move(out_);
  }

 private:
  void Refuse(std::string why) {
    if (out_.refusals.size() < kRefusalsMax) out_.refusals.push_back(std::move(why));
  }
  bool IsThere(const std::string& path) {
    expected_.insert(path);
    if (there_.contains(path)) return true;
    Refuse(Cat(Quoted(path), " is missing"));
    return false;
  }

  void Text(const std::string& path, const std::string& text) {
    if (!IsThere(path)) return;
    const absl::StatusOr<std::string> found = tree_.Read(path, text.size());
    if (absl::IsResourceExhausted(found.status()) || (found.ok() && *found != text)) {
      return Refuse(Cat(Quoted(path), " is not as it was when the bundle was signed"));
    }
    if (!found.ok()) return Refuse(std::string(ToStd(found.status().message())));
    out_.files += 1;
    out_.bytes += text.size();
  }

  void File(const EnclosedFile& file, std::map<std::string, Digests>* files) {
    if (!IsThere(file.path)) return;
    const absl::StatusOr<Digests> found = tree_.Digest(file.path);
    if (!found.ok()) return Refuse(std::string(ToStd(found.status().message())));
    files->emplace(file.path, *found);
    if (found->size != file.file.plain_size() || found->sha256.view() != file.file.plain_sha256()) {
      return Refuse(Cat(Quoted(file.path), " is not the file that was registered as ",
                        Quoted(file.file.name())));
    }
    out_.files += 1;
    out_.bytes += found->size;
  }

  const BundleTree& tree_;
  const std::set<std::string>& there_;
  std::set<std::string> expected_;
  ExpectedBundle::Comparison out_;
};

// What the entries prove, in sentences.
class Account {
 public:
  Account(const ExpectedBundle& expected, const std::set<std::string>& words)
      : bundle_(&expected.opened()), enclosed_(expected.enclosed()) {
    for (const std::string& typed : words) words_.insert(crypto::NormalizeWords(typed));
  }

  Verdict Give(const ExpectedBundle::Comparison& compared,
               const std::optional<crypto::Timestamp>& stamped) {
    out_.intact = true;
    out_.shown.push_back(
        Cat("Nothing in this bundle has been changed since ", Body(bundle_->exporter()),
            " signed it on ", ReportTime(bundle_->proof().exported()), ": ",
            std::to_string(compared.files), " files, ", std::to_string(compared.bytes), " bytes."));
    if (stamped.has_value()) SayStamped(*stamped);
    for (const model::Record* record : bundle_->records()) SayItem(*record);
    SayAgreements();
    SayLogs();
    SayBodies();
    out_.not_shown.emplace_back(
        "That what was registered is true; that a body's clock was right beyond what others "
        "confirmed; who acted inside a body beyond what the body says.");
    return std::move(out_);
  }

 private:
  std::string Body(const PartyId& party) const {
    const model::BodyInfo* body = bundle_->directory().Find(party);
    return body == nullptr ? "an unknown body"
                           : Cat(body->code, " (", model::CleanForDisplay(body->name), ")");
  }

  void SayStamped(const crypto::Timestamp& stamped) {
    if (stamped.trusted) {
      out_.shown.push_back(
          Cat("A time-stamping authority whose certificate you gave confirms that "
              "the bundle existed on ",
              ReportTime(stamped.time), "."));
    } else {
      out_.not_shown.push_back(Cat("That the time stamp of ", ReportTime(stamped.time),
                                   " is by an authority: give its certificate with "
                                   "--time-authority FILE."));
    }
  }

  std::string Codes(const std::set<PartyId>& parties) const {
    std::set<std::string> codes;
    for (const PartyId& party : parties) codes.insert(bundle_->directory().CodeOf(party));
    std::string out;
    for (const std::string& code : codes) out += Cat(out.empty() ? "" : ", ", code);
    return out;
  }

  void SayItem(const model::Record& record) {
    const v1::RecordView view = bundle_->View(record);
    const model::Folded folded = bundle_->model().Fold(record);
    out_.shown.push_back(Cat(view.ref(), " ", Quoted(view.title()), " was registered by ",
                             Body(folded.owner), ", ", model::CleanForDisplay(folded.created_user),
                             ", on ", ReportTime(view.created()), "."));
    for (const EnclosedFile& file : enclosed_) {
      if (file.record != &record) continue;
      out_.shown.push_back(Cat(view.ref(), ": ", Quoted(file.path), " is the file registered as ",
                               Quoted(file.file.name()), ", SHA-256 ",
                               Hex(file.file.plain_sha256()), "."));
    }
    for (const v1::CustodyView& event : view.custody()) {
      if (event.kind() != "RELEASED_TO" || event.answered()) continue;
      std::string to;
      for (const std::string& code : event.to()) to += Cat(to.empty() ? "" : ", ", code);
      out_.not_shown.push_back(Cat(view.ref(), ": that ", to, " received what was handed over on ",
                                   ReportTime(event.time()), "; no receipt is in the bundle."));
    }
    if (folded.waiting) {
      out_.not_shown.push_back(Cat(view.ref(),
                                   ": all that was done to it; an entry speaks of "
                                   "another one that is not in the bundle."));
    }
    for (const model::RefusedChange& refused : folded.refused) {
      out_.not_shown.push_back(
          Cat(view.ref(), ": one act has no effect and counts for nothing: ", refused.detail,
              " (entry ", refused.leaf.hex().substr(0, 16), ")."));
    }
  }

  void SayAgreements() {
    for (const sync::ProposalState* version : bundle_->Agreements()) {
      v1::Agreement agreement;
      if (!agreement.ParseFromString(version->proposal.text())) continue;
      std::set<PartyId> signers;
      for (const auto& [party, signer] : version->signers) {
        if (signer.is_signed) signers.insert(party);
      }
      out_.shown.push_back(Cat("Version ", std::to_string(version->proposal.version()),
                               " of the agreement ", Quoted(agreement.code_name()),
                               " was signed by ", Codes(signers), "."));
    }
  }

  void SayLogs() {
    uint64_t entries = 0;
    uint64_t confirmed = 0;
    std::set<PartyId> by;
    for (const auto& [id, log] : bundle_->logs()) {
      for (const sync::OpenedEntry& entry : log.entries) {
        ++entries;
        bool other = false;
        for (const auto& [party, receipt] : log.receipts) {
          if (party == log.author || receipt.size <= entry.ref.index) continue;
          other = true;
          by.insert(party);
        }
        confirmed += other ? 1 : 0;
      }
      const sync::TrustedCard* card = bundle_->cards().FindOf(log.author, log.card.view());
      if (card != nullptr && bundle_->cards().IsRevoked(*card)) {
        out_.not_shown.push_back(Cat("That entries of ", Body(log.author),
                                     " under keys it has given up since are its own, beyond those "
                                     "that other bodies had confirmed by then."));
      }
      if (log.effect_size.has_value()) {
        out_.not_shown.push_back(Cat("Why ", Body(bundle_->exporter()), " holds entries of ",
                                     Body(log.author), " from number ",
                                     std::to_string(*log.effect_size), " on to have no effect."));
      }
    }
    out_.shown.push_back(
        Cat("All ", std::to_string(entries),
            " entries stand in their authors' logs as they were signed",
            confirmed == 0 ? "."
                           : Cat("; for ", std::to_string(confirmed),
                                 " of them another body has confirmed it: ", Codes(by), ".")));
    if (confirmed < entries) {
      out_.not_shown.push_back(Cat("For ", std::to_string(entries - confirmed), " of ",
                                   std::to_string(entries),
                                   " entries, that another body held them at the time: no "
                                   "confirmation is in the bundle."));
    }
  }

  void SayBodies() {
    out_.bodies_confirmed = true;
    for (const auto& [party, body] : bundle_->directory().all()) {
      const std::string words = crypto::WordString(party);
      if (words_.contains(words)) {
        out_.shown.push_back(Cat(Body(party), " is the body whose words you gave."));
      } else {
        out_.bodies_confirmed = false;
        out_.not_shown.push_back(Cat("Who ", Body(party), " is. The bundle's own words for it are ",
                                     words,
                                     "; ask the body itself, by telephone or on paper, and give "
                                     "with --words what it tells you."));
      }
    }
  }

  const OpenedBundle* const bundle_;
  const std::vector<EnclosedFile>& enclosed_;
  std::set<std::string> words_;
  Verdict out_;
};

Verdict Refused(std::vector<std::string> why) {
  Verdict out;
  out.refusals = std::move(why);
  return out;
}
Verdict Refused(const absl::Status& status) {
  return Refused(std::vector<std::string>{std::string(ToStd(status.message()))});
}

}  // namespace

absl::StatusOr<ExpectedBundle> ExpectedBundle::From(std::string_view proof,
                                                    std::string_view signature,
                                                    std::string_view timestamp) {
  absl::StatusOr<std::unique_ptr<OpenedBundle>> opened = OpenedBundle::Open(proof, signature);
  if (!opened.ok()) return opened.status();
  ExpectedBundle out;
  out.opened_ = *std::move(opened);
  out.texts_ = Contents(*out.opened_, proof, signature, timestamp);
  out.enclosed_ = EnclosedFiles(*out.opened_);
  return out;
}

ExpectedBundle::Comparison ExpectedBundle::Compare(const BundleTree& tree,
                                                   const std::set<std::string>& there) const {
  return Comparer(tree, there).Run(texts_, enclosed_);
}

Verdict Verify(const BundleTree& tree, const Known& known) {
  const absl::StatusOr<std::set<std::string>> there = tree.List();
  if (!there.ok()) return Refused(there.status());
  for (const std::string_view path : {kProofPath, kSignaturePath}) {
    if (!there->contains(std::string(path))) {
      return Refused({Cat("this is no bundle: it has no ", path)});
    }
  }
  const absl::StatusOr<std::string> proof = tree.Read(std::string(kProofPath), kProofBytesMax);
  if (!proof.ok()) return Refused(proof.status());
  const absl::StatusOr<std::string> signature =
      tree.Read(std::string(kSignaturePath), kSignatureBytesMax);
  if (!signature.ok()) return Refused(signature.status());
  absl::StatusOr<std::string> timestamp = std::string();
  std::optional<crypto::Timestamp> stamped;
  if (there->contains(std::string(kTimestampPath))) {
    timestamp = tree.Read(std::string(kTimestampPath), crypto::kTimestampBytesMax);
    if (!timestamp.ok()) return Refused(timestamp.status());
    const auto read =
        crypto::ReadTimestamp(*timestamp, crypto::Sha256(*signature), known.time_authorities);
    if (!read.ok()) return Refused(read.status());
    stamped = *read;
  }
  const absl::StatusOr<ExpectedBundle> expected =
      ExpectedBundle::From(*proof, *signature, *timestamp);
  if (!expected.ok()) return Refused(expected.status());
  ExpectedBundle::Comparison compared = expected->Compare(tree, *there);
  if (!compared.refusals.empty()) return Refused(std::move(compared.refusals));
  return Account(*expected, known.words).Give(compared, stamped);
}

}  // namespace entente::bundle
