#include "node/bundle/report.h"

#include <cctype>
#include <map>
#include <set>
#include <utility>

#include "crypto/words.h"
#include "node/bundle/bag.h"
#include "sync/hlc.h"

namespace entente::bundle {
namespace {

using Row = std::vector<std::string>;

int64_t Seconds(uint64_t hlc) { return absl::ToUnixSeconds(sync::TimeFromHlc(hlc)); }

// "RELEASED_TO" is "released to".
std::string Word(std::string_view name) {
  std::string out(name);
  for (char& c : out) c = c == '_' ? ' ' : static_cast<char>(std::tolower(c));
  return out;
}

template <class Items>
std::string Joined(const Items& items, std::string_view between = ", ") {
  std::string out;
  for (const std::string& item : items) out += Cat(out.empty() ? "" : between, item);
  return out;
}

class Writer {
 public:
  explicit Writer(const OpenedBundle& bundle) : bundle_(bundle) {
    for (const EnclosedFile& enclosed : EnclosedFiles(bundle)) {
      places_[{enclosed.record, Hex(enclosed.file.blob_id())}] = enclosed.path;
    }
  }

  Report Write() {
    Introduce();
    for (const model::Record* record : bundle_.records()) Item(*record);
    AgreementVersions();
    Logs();
    Bodies();
    Limits();
    return std::move(out_);
  }

 private:
  std::string Code(const PartyId& party) const { return bundle_.directory().CodeOf(party); }
  std::string Body(const PartyId& party) const {
    const model::BodyInfo* body = bundle_.directory().Find(party);
    return body == nullptr || body->name.empty() ? Code(party)
                                                 : Cat(body->name, " (", body->code, ")");
  }
  ReportSection& Section(std::string heading, int level) {
    ReportSection& section = out_.sections.emplace_back();
    section.heading = std::move(heading);
    section.level = level;
    return section;
  }

  void Introduce() {
    const v1::BundleProof& proof = bundle_.proof();
    out_.title = "Evidence and its custody";
    std::string by = Body(bundle_.exporter());
    if (!proof.user().empty()) by += Cat(", ", proof.user());
    out_.introduction.push_back(Cat("Made on ", ReportTime(proof.exported()), " by ", by,
                                    ", from the case ", bundle_.CodeName(),
                                    ". Purpose: ", proof.purpose(), "."));
    out_.introduction.emplace_back(
        "Everything below follows from entries that the bodies named here signed when they acted. "
        "The entries and signatures are in data/proof/bundle.pb. Anyone can check them, and that "
        "not a single byte of this bundle has been changed, with the program entente-verify, "
        "without a network and without any of these bodies. Times are the acting body's own clock, "
        "in UTC.");
  }

  void Item(const model::Record& record) {
    const v1::RecordView view = bundle_.View(record);
    const model::Folded folded = bundle_.model().Fold(record);
    ReportSection& facts = Section(Cat(view.ref(), "  ", view.title()), 2);
    facts.table.rows.push_back({"Owner", Body(folded.owner)});
    facts.table.rows.push_back({"State", Word(view.state())});
    facts.table.rows.push_back(
        {"Registered", Cat(ReportTime(view.created()), ", by ", folded.created_user)});
    const std::set<std::string> readers(view.audience().begin(), view.audience().end());
    facts.table.rows.push_back({"Readable for", Joined(readers)});
    const v1::OriginalView fields = bundle_.model().ViewFields(*folded.record);
    for (const v1::OriginalField& field : fields.fields()) {
      if (field.name() == "title") continue;
      std::string name = field.name();
      if (!name.empty()) name[0] = static_cast<char>(std::toupper(name[0]));
      facts.table.rows.push_back({std::move(name), field.value()});
    }
    if (!fields.names().empty()) {
      facts.table.rows.push_back({"Derives from", Joined(fields.names())});
    }
    for (const v1::Conflict& conflict : view.conflicts()) {
      facts.table.rows.push_back(
          {Cat(conflict.field(), ", written twice"), Joined(conflict.values())});
    }
    Files(record, view);
    Corrections(view);
    Custody(view);
    History(record);
  }

  void Files(const model::Record& record, const v1::RecordView& view) {
    ReportSection& section = Section("Files", 3);
    if (view.files().empty()) {
      section.paragraphs.emplace_back("The item has no file.");
      return;
    }
    section.table.columns = {"Name", "Bytes", "SHA-256", "Kind, as recognised", "In this bundle"};
    for (const v1::FileView& file : view.files()) {
      const auto place = places_.find({&record, file.blob()});
      section.table.rows.push_back({file.name(), std::to_string(file.size()), file.sha256(),
                                    file.media_type(),
                                    place == places_.end() ? "not enclosed" : place->second});
    }
  }

  void Corrections(const v1::RecordView& view) {
    if (view.corrections().empty()) return;
    ReportSection& section = Section("Facts that were put right", 3);
    section.table.columns = {"When", "Who", "Facts", "Reason", "Noted by", "Entry"};
    for (const v1::CorrectionView& correction : view.corrections()) {
      const std::set<std::string> noted(correction.noted_by().begin(), correction.noted_by().end());
      section.table.rows.push_back({ReportTime(correction.time()), correction.user(),
                                    Joined(correction.fields()), correction.reason(),
                                    noted.empty() ? "nobody yet" : Joined(noted),
                                    correction.entry().substr(0, 16)});
    }
  }

  void Custody(const v1::RecordView& view) {
    ReportSection& section = Section("Custody", 3);
    if (view.custody().empty()) {
      section.paragraphs.emplace_back(
          "No hand-over has been recorded: it was not given to another body.");
      return;
    }
    section.table.columns = {"When",       "Body",        "Who",     "What",
                             "To or from", "Where, with", "Purpose", "Entry"};
    for (const v1::CustodyView& event : view.custody()) {
      std::string what = event.kind() == "RECEIVED_BY" ? "received" : Word(event.kind());
      if (event.kind() == "RELEASED_TO") {
        what += event.answered() ? ", receipt confirmed" : ", receipt not confirmed";
      }
      if (!event.file_name().empty()) what += Cat(": ", event.file_name());
      if (!event.corrects().empty()) {
        what += Cat(", puts right entry ", event.corrects().substr(0, 16));
      }
      if (event.corrected()) what += ", put right later";
      std::string where = event.place();
      if (!event.instrument().empty()) where += Cat(where.empty() ? "" : "; ", event.instrument());
      section.table.rows.push_back(
          {ReportTime(event.time()), event.body(), event.actor(), what,
           event.kind() == "RECEIVED_BY" ? Cat("from ", event.from()) : Joined(event.to()), where,
           event.purpose(), event.entry().substr(0, 16)});
    }
  }

  void History(const model::Record& record) {
    ReportSection& section = Section("Everything that was done to it", 3);
    section.table.columns = {"When", "Body", "Who", "What", "Effect", "Entry"};
    for (const v1::HistoryItem& item : bundle_.model().History(record)) {
      section.table.rows.push_back({ReportTime(item.time()), item.body(), item.user(), item.what(),
                                    item.refused().empty() ? "yes" : Cat("none: ", item.refused()),
                                    item.entry().substr(0, 16)});
    }
  }

  void AgreementVersions() {
    ReportSection& section = Section("The agreement it rests on", 2);
    section.table.columns = {"Version", "Code name", "Period", "Signed by"};
    for (const sync::ProposalState* version : bundle_.Agreements()) {
      v1::Agreement agreement;
      if (!agreement.ParseFromString(version->proposal.text())) continue;
      std::set<std::string> signers;
      for (const auto& [party, signer] : version->signers) {
        if (!signer.is_signed) continue;
        signers.insert(Cat(Code(party), signer.user.empty() ? "" : Cat(", ", signer.user), ", ",
                           ReportTime(Seconds(signer.hlc))));
      }
      section.table.rows.push_back(
          {std::to_string(version->proposal.version()), agreement.code_name(),
           Cat(ReportTime(agreement.period_from()), " to ", ReportTime(agreement.period_to())),
           Joined(signers, "; ")});
    }
  }

  void Logs() {
    ReportSection& section = Section("Where the entries stand", 2);
    section.paragraphs.emplace_back(
        "Each body writes what it does into logs of its own and signs the whole log each time: an "
        "entry cannot be changed, taken out or put in later without another body noticing. Entries "
        "that do not belong to the items are in here as hashes alone. A confirmation says that "
        "another body held the log up to that entry at that time.");
    section.table.columns = {"Log", "Of", "Read by", "Entries here, of all", "Confirmed by"};
    for (const auto& [id, log] : bundle_.logs()) {
      std::set<std::string> confirmed;
      for (const auto& [party, receipt] : log.receipts) {
        confirmed.insert(Cat(Code(party), ", up to entry ", std::to_string(receipt.size), ", ",
                             ReportTime(receipt.time)));
      }
      std::set<std::string> readers;
      for (const PartyId& party : log.audience) readers.insert(Code(party));
      section.table.rows.push_back(
          {id.hex().substr(0, 16), Code(log.author), Joined(readers),
           Cat(std::to_string(log.entries.size()), " of ", std::to_string(log.size)),
           confirmed.empty() ? "nobody yet" : Joined(confirmed, "; ")});
    }
  }

  void Bodies() {
    ReportSection& section = Section("The bodies", 2);
    section.paragraphs.emplace_back(
        "Signatures show that all acts of a body come from the holder of its keys. Who that is, "
        "its eight words show: compare them with the words that the body itself gives, by "
        "telephone or on paper.");
    section.table.columns = {"Code", "Name", "Country", "Words"};
    for (const auto& [party, body] : bundle_.directory().all()) {
      section.table.rows.push_back({body.code, body.name, body.country, crypto::WordString(party)});
    }
  }

  void Limits() {
    ReportSection& section = Section("What this does not show", 2);
    section.paragraphs = {
        "That what was registered is true, or that a person named by a body acted themselves: each "
        "body answers for its own people.",
        "That a time is right beyond what other bodies confirmed: each body states its own time.",
        "What the body that made this bundle has not received, and later acts.",
        "What somebody did with a copy outside the system."};
    if (bundle_.proof().withheld_size() > 0) {
      section.paragraphs.push_back(Cat("The content of ",
                                       std::to_string(bundle_.proof().withheld_size()),
                                       " files that are named here and not enclosed."));
    }
  }

  const OpenedBundle& bundle_;
  std::map<std::pair<const model::Record*, std::string>, std::string> places_;  // by item and blob
  Report out_;
};

}  // namespace

std::string ReportTime(int64_t unix_seconds) {
  return absl::FormatTime("%Y-%m-%d %H:%M UTC", absl::FromUnixSeconds(unix_seconds),
                          absl::UTCTimeZone());
}

std::vector<EnclosedFile> EnclosedFiles(const OpenedBundle& bundle) {
  std::vector<EnclosedFile> out;
  for (const model::Record* record : bundle.records()) {
    size_t position = 0;
    for (const v1::FileRef& file : bundle.model().Fold(*record).files) {
      ++position;
      const absl::StatusOr<BlobId> blob = BlobId::From(file.blob_id());
      if (!blob.ok() || bundle.Withheld(*blob)) continue;
      out.push_back({Cat("data/files/", bundle.model().RefOf(*record), "/",
                         EnclosedName(position, file.name())),
                     record, file});
    }
  }
  return out;
}

Report MakeReport(const OpenedBundle& bundle) { return Writer(bundle).Write(); }

}  // namespace entente::bundle
