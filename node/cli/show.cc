#include "node/cli/show.h"

#include <map>

#include "absl/strings/str_join.h"
#include "crypto/bytes.h"
#include "node/cli/erasure_text.h"
#include "node/cli/table.h"
#include "node/cli/text.h"
#include "node/cli/times.h"
#include "node/cli/words.h"

namespace entente::cli {
namespace {

using google::protobuf::RepeatedPtrField;

std::string StateOf(const v1::RecordView& record) {
  return StateWord(record.state()) + (record.overdue() ? ", overdue" : "");
}

void AddLine(const v1::LineOfEnquiry& line, Facts* facts) {
  facts->Add("Code", line.code());
  facts->Add("Kind", EnumWord(line.kind()));
  facts->Add("Hypothesis", line.hypothesis());
}

void AddTask(const v1::RecordView& record, Facts* facts) {
  const v1::Task& task = record.task();
  facts->Add("Asked of", record.executor());
  facts->Add("Kind", EnumWord(task.kind()));
  facts->Add("Due", FormatDeadline(task.due()));
  facts->Add("Urgency", EnumWord(task.urgency()));
  facts->Add("Legal basis", task.legal_basis());
  facts->Add("Formalities", task.formalities());
  facts->Add("Line of enquiry", task.line_code());
  facts->Add("Description", task.description());
  facts->Add("Assignee", task.assignee());
  facts->Add("Declined because", task.decline_reason());
  facts->Add("Result", task.result_note());
}

void AddEvidence(const v1::EvidenceItem& item, Facts* facts) {
  facts->Add("Kind", EnumWord(item.kind()));
  facts->Add("Exhibit number", item.exhibit_no());
  facts->Add("National reference", item.national_ref());
  facts->Add("Measure", item.measure());
  facts->Add("Order", item.order_ref());
  facts->Add("Authority", item.authority());
  facts->Add("Place", item.place());
  facts->Add("Law", item.law());
  if (item.obtained_from() != 0) facts->Add("Obtained from", FormatTime(item.obtained_from()));
  if (item.obtained_to() != 0) facts->Add("Obtained to", FormatTime(item.obtained_to()));
  facts->Add("Provenance", EnumWord(item.provenance_class()));
  facts->Add("Handling", EnumWord(item.handling()));
  facts->Add("Handling text", item.handling_text());
  facts->Add("Line of enquiry", item.line_code());
  facts->Add("Language", item.language());
  facts->Add("Note", item.note());
}

void AddCard(const v1::RecordView& record, Facts* facts) {
  const v1::Card& card = record.card();
  facts->Add("Reference", card.reference());
  facts->Add("Responsible", record.executor());
  facts->Add("Kind", EnumWord(card.task_kind()));
  facts->Add("Due", FormatDeadline(card.due()));
  facts->Add("Urgency", EnumWord(card.urgency()));
}

std::string FileState(const v1::FileView& file) {
  if (file.state() == "here" || file.size() == 0) return file.state();
  const uint64_t percent =
      file.bytes_here() >= file.size()
          ? 99
          : static_cast<uint64_t>(100.0 * static_cast<double>(file.bytes_here()) /
                                  static_cast<double>(file.size()));
  return Cat(file.state(), ", ", std::to_string(percent), "% here");
}

std::string FileTable(const RepeatedPtrField<v1::FileView>& files) {
  Table table({"FILE", "SIZE", "STATE", "TYPE"});
  std::string hashes;
  for (const v1::FileView& file : files) {
    table.Add({file.name(), HumanBytes(file.size()), FileState(file), file.media_type()});
    hashes += Cat("SHA-256 ", Clean(file.sha256()), "  ", Clean(file.name()), "\n");
  }
  return files.empty() ? "" : Cat("\n", table.Render(), hashes);
}

// A hand-over and its answer are two lines; one without an answer says so in words.
std::string CustodyWhat(const v1::CustodyView& event) {
  std::string what = StateWord(event.kind());
  if (!event.to().empty()) what += Cat(" ", JoinCodes(event.to()));
  if (event.kind() == "RELEASED_TO") {
    what += event.answered() ? ", received" : ", not yet received by all";
  }
  if (event.corrected()) what += ", put right later";
  if (!event.corrects().empty()) what += ", puts an earlier event right";
  return what;
}

std::string CustodyTable(const RepeatedPtrField<v1::CustodyView>& custody) {
  Table table({"WHEN", "BODY", "PERSON", "WHAT", "FILE", "WHERE, WITH", "PURPOSE"});
  for (const v1::CustodyView& event : custody) {
    std::string where = event.place();
    if (!event.instrument().empty()) where += Cat(where.empty() ? "" : ", ", event.instrument());
    table.Add({FormatTime(event.time()), event.body(), event.actor(), CustodyWhat(event),
               event.file_name(), where, event.purpose()});
  }
  return custody.empty() ? "" : Cat("\nCustody\n", table.Render());
}

std::string CorrectionTable(const RepeatedPtrField<v1::CorrectionView>& corrections) {
  Table table({"WHEN", "PERSON", "FACTS", "REASON", "NOTED BY", "NOT YET NOTED BY"});
  for (const v1::CorrectionView& correction : corrections) {
    table.Add({FormatTime(correction.time()), correction.user(),
               absl::StrJoin(correction.fields(), ", "), correction.reason(),
               JoinCodes(correction.noted_by()), JoinCodes(correction.waiting_for())});
  }
  return corrections.empty() ? "" : Cat("\nCorrections\n", table.Render());
}

std::string ConflictTable(const RepeatedPtrField<v1::Conflict>& conflicts) {
  Table table({"FIELD", "VALUES"});
  for (const v1::Conflict& conflict : conflicts) {
    table.Add({conflict.field(), absl::StrJoin(conflict.values(), " | ")});
  }
  return conflicts.empty() ? "" : Cat("\nChanged by two at once; both are kept\n", table.Render());
}

std::string SignerTable(const RepeatedPtrField<v1::SignerState>& signers) {
  Table table({"BODY", "STATE", "PERSON", "WHEN", "REASON"});
  for (const v1::SignerState& signer : signers) {
    table.Add({signer.code(), StateWord(signer.state()), signer.user(),
               signer.time() == 0 ? "" : FormatTime(signer.time()), signer.reason()});
  }
  return signers.empty() ? "" : Cat("\n", table.Render());
}

std::string Joined(const RepeatedPtrField<std::string>& texts) {
  return absl::StrJoin(texts, ", ");
}

}  // namespace

std::string JoinCodes(const Codes& codes) {
  std::string out;
  for (const std::string& code : codes) out += Cat(out.empty() ? "" : ", ", code);
  return out;
}

std::string RecordSheet(const v1::RecordView& record) {
  Facts facts;
  facts.Add("Title", record.title());
  facts.Add("State", StateOf(record));
  facts.Add("Owner", record.owner());
  facts.Add("Who can see this", JoinCodes(record.audience()));
  if (record.has_line()) AddLine(record.line(), &facts);
  if (record.has_task()) AddTask(record, &facts);
  if (record.has_evidence()) AddEvidence(record.evidence(), &facts);
  if (record.has_card()) AddCard(record, &facts);
  if (record.has_note()) facts.Add("Text", record.note().text());
  if (record.keep_until() != 0) {
    facts.Add("To be reviewed by", FormatDay(record.keep_until(), DayMeans::kEnd));
  }
  if (record.has_erasure()) {
    facts.Add("Erased", FormatTime(record.erasure().time()));
    facts.Add("Erased by", record.erasure().actor());
    facts.Add("Reason", record.erasure().basis());
  }
  if (record.created() != 0) facts.Add("Created", FormatTime(record.created()));
  facts.Add("Changed", FormatTime(record.changed()));
  if (record.refused() > 0) {
    facts.Add("Without effect",
              Cat(std::to_string(record.refused()),
                  " change(s) that broke a rule: entente history ", record.ref()));
  }
  return Cat(Clean(record.ref()), "  ", Clean(record.kind()), "\n", facts.Render(),
             FileTable(record.files()), CorrectionTable(record.corrections()),
             CustodyTable(record.custody()), ConflictTable(record.conflicts()),
             ErasureTable(record));
}

namespace {

// What people must know before they address anything: who is left out, by whom, and why.
std::string StandingLines(const RepeatedPtrField<v1::BodyStanding>& standings) {
  std::string out;
  for (const v1::BodyStanding& standing : standings) {
    if (standing.excluded()) {
      out += Cat("\n", standing.code(), " is excluded, by ", JoinCodes(standing.signed_by()));
    } else if (standing.signed_by_size() > 0) {
      out += Cat("\nThe exclusion of ", standing.code(), " is signed by ",
                 JoinCodes(standing.signed_by()), " and waits for ",
                 JoinCodes(standing.waiting_for()));
    }
    if (standing.suspended_by_size() > 0) {
      out += Cat("\n", standing.code(), " is suspended by ", JoinCodes(standing.suspended_by()));
    }
    if (!standing.reason().empty()) out += Cat(": ", Clean(standing.reason()));
    out += "\n";
  }
  return out;
}

}  // namespace

std::string OriginalSheet(const v1::OriginalView& original) {
  Facts facts;
  facts.Add("Person", original.user());
  facts.Add("Reason", original.justification());
  for (const v1::OriginalField& field : original.fields()) facts.Add(field.name(), field.value());
  facts.Add("Files", Joined(original.files()));
  facts.Add("Names", Joined(original.names()));
  return Cat(std::to_string(original.number()), "  ", Clean(original.what()), ", as signed by ",
             Clean(original.body()), " on ", FormatTime(original.time()), "\n", facts.Render());
}

std::string ReleaseSheet(const v1::ReleasePreview& preview) {
  Facts facts;
  facts.Add("Record", Cat(preview.ref(), "  ", preview.title()));
  facts.Add("Becomes readable for", JoinCodes(preview.becomes_readable_for()));
  facts.Add("Files", Joined(preview.files()));
  facts.Add("Allowed", preview.allowed() ? "yes" : Cat("no: ", preview.because()));
  if (preview.not_own() > 0) {
    facts.Add("Not handed on",
              Cat(std::to_string(preview.not_own()), " entries of other bodies; only they can"));
  }
  std::string text = facts.Render();
  if (!preview.originals().empty()) text += "\nHanded on in full, as signed\n";
  for (const v1::OriginalView& original : preview.originals()) text += OriginalSheet(original);
  return text;
}

std::string AgreementSheet(const v1::AgreementView& view) {
  const v1::Agreement& agreement = view.agreement();
  std::map<std::string, std::string> codes;
  std::string parties;
  for (const v1::AgreementBody& body : agreement.bodies()) {
    codes[body.party()] = body.code();
    if (body.participant()) continue;
    parties += Cat(parties.empty() ? "" : ", ", body.code(), " ", body.name());
  }
  const auto people = [&codes](const RepeatedPtrField<v1::AgreementPerson>& persons) {
    std::string out;
    for (const v1::AgreementPerson& person : persons) {
      out += Cat(out.empty() ? "" : "; ", codes[person.party()], " ", person.user(),
                 person.function().empty() ? "" : Cat(" (", person.function(), ")"));
    }
    return out;
  };
  std::string bases;
  for (const int basis : agreement.legal_bases()) {
    bases += Cat(bases.empty() ? "" : ", ", EnumWord(*v1::LegalBasis_descriptor(), basis));
  }
  Facts facts;
  facts.Add("Code name", agreement.code_name());
  facts.Add("State",
            Cat("version ", std::to_string(view.version()), ", ", StateWord(view.state())));
  facts.Add("Problem", view.problem());
  facts.Add("Purpose", agreement.purpose());
  facts.Add("Legal basis", bases);
  facts.Add("Offences", Joined(agreement.offences()));
  facts.Add("Parties", parties);
  facts.Add("Participants", JoinCodes(view.participants()));
  facts.Add("Leaders", people(agreement.leaders()));
  facts.Add("Members", people(agreement.members()));
  facts.Add("Space administrators", people(agreement.space_administrators()));
  facts.Add("Third-country controller", agreement.third_country_controller().empty()
                                            ? ""
                                            : codes[agreement.third_country_controller()]);
  facts.Add("In force from", FormatDay(agreement.period_from(), DayMeans::kStart));
  facts.Add("Until the end of", FormatDay(agreement.period_to(), DayMeans::kEnd));
  facts.Add("States of operation", Joined(agreement.states_of_operation()));
  facts.Add("Languages", Joined(agreement.languages()));
  facts.Add("Evidence", agreement.evidence_clause());
  if (agreement.keep_months() > 0) {
    facts.Add("Evidence reviewed", Cat(std::to_string(agreement.keep_months()),
                                       " months after the end, unless an item says otherwise"));
  }
  facts.Add("Disclosure", agreement.disclosure_clause());
  facts.Add("Assets", agreement.asset_clause());
  facts.Add("Use", agreement.use_restrictions());
  facts.Add("Finance", agreement.financial_arrangements());
  facts.Add("Data protection", agreement.data_protection());
  facts.Add("Proposed by", view.proposed_by());
  facts.Add("JIT", view.jit());
  facts.Add("Proposal", view.proposal());
  return Cat(facts.Render(), SignerTable(view.signers()), StandingLines(view.standings()));
}

std::string StrategySheet(const v1::StrategyView& view) {
  const v1::Strategy& strategy = view.strategy();
  Facts facts;
  facts.Add("Title", strategy.title());
  facts.Add("State", view.version() == 0 ? StateWord(view.state())
                                         : Cat("version ", std::to_string(view.version()), ", ",
                                               StateWord(view.state())));
  facts.Add("Draft", view.ref());
  facts.Add("Objectives", strategy.objectives());
  facts.Add("Priorities", Joined(strategy.priorities()));
  facts.Add("Financial strand", strategy.financial_strand().empty()
                                    ? Cat("none: ", strategy.no_financial_strand_reason())
                                    : strategy.financial_strand());
  facts.Add("Victims", strategy.victim_strand());
  facts.Add("Risks", strategy.risks());
  facts.Add("Lines of enquiry", Joined(strategy.line_codes()));
  facts.Add("Review", FormatDay(strategy.review_date(), DayMeans::kStart));
  facts.Add("Proposal", view.proposal());
  return Cat(facts.Render(), SignerTable(view.signers()));
}

std::string PeerTable(const RepeatedPtrField<v1::PeerStatus>& peers, absl::Time now) {
  Table table({"BODY", "NAME", "CONNECTED", "ROUTE", "LAST CONTACT", "WAITING", "PROBLEM"});
  for (const v1::PeerStatus& peer : peers) {
    table.Add({peer.code(), peer.name(), peer.connected() ? "yes" : "no", peer.route(),
               FormatAgo(peer.last_contact(), now), std::to_string(peer.waiting()),
               peer.last_problem()});
  }
  return table.Render();
}

std::string KeyLines(const v1::KeyStatus& keys) {
  Facts facts;
  facts.Add("Fresh keys", Cat("since ", FormatDay(keys.reading_key_since(), DayMeans::kStart),
                              ", next by ", FormatDay(keys.next_rotation(), DayMeans::kStart)));
  if (keys.rekey_debt() + keys.rekey_debt_of_others() > 0) {
    facts.Add("Old keys", Cat(std::to_string(keys.rekey_debt()), " of our audiences and ",
                              std::to_string(keys.rekey_debt_of_others()),
                              " of others still use an older key of somebody; each changes with "
                              "its next entry"));
  }
  if (!keys.behind().empty()) {
    facts.Add("Not told yet", Cat(JoinCodes(keys.behind()), " does not know our newest key"));
  }
  return facts.Render();
}

}  // namespace entente::cli
