#include "node/cli/agreement_form.h"

#include "absl/strings/numbers.h"
#include "crypto/bytes.h"
#include "node/cli/times.h"
#include "node/cli/words.h"

namespace entente::cli {
namespace {

constexpr uint32_t kKeepMonthsMax = 1200;

using People = google::protobuf::RepeatedPtrField<v1::AgreementPerson>;

void AddPerson(const BodyPerson& person, People* people) {
  v1::AgreementPerson* added = people->Add();
  added->set_party(person.code);
  added->set_user(person.user);
  added->set_function(person.function);
}

absl::Status AddPeople(const Args& args, const std::string& flag, People* people) {
  for (const std::string& text : args.All(flag)) {
    const BodyPerson person = SplitPerson(text);
    if (person.code.empty() || person.user.empty()) {
      return UsageError(Cat("--", flag, " names a body and a person"),
                        Cat("--", flag, " \"XA:Anna Arven:prosecutor\""));
    }
    AddPerson(person, people);
  }
  return absl::OkStatus();
}

void AddTexts(const Args& args, const std::string& flag,
              google::protobuf::RepeatedPtrField<std::string>* texts) {
  for (const std::string& text : args.All(flag)) texts->Add(std::string(text));
}

absl::Status SetWhen(const Args& args, const std::string& flag, DayMeans day, int64_t* seconds) {
  if (!args.Has(flag)) return absl::OkStatus();
  const absl::StatusOr<int64_t> when = ParseWhen(args.Get(flag), day);
  if (!when.ok()) return when.status();
  *seconds = *when;
  return absl::OkStatus();
}

void SetTexts(const Args& args, v1::Agreement* agreement) {
  const auto set = [&args](const std::string& flag, std::string* text) {
    if (args.Has(flag)) *text = args.Get(flag);
  };
  set("code-name", agreement->mutable_code_name());
  set("purpose", agreement->mutable_purpose());
  set("evidence-clause", agreement->mutable_evidence_clause());
  set("disclosure-clause", agreement->mutable_disclosure_clause());
  set("asset-clause", agreement->mutable_asset_clause());
  set("use-restrictions", agreement->mutable_use_restrictions());
  set("finance", agreement->mutable_financial_arrangements());
  set("data-protection", agreement->mutable_data_protection());
  set("controller", agreement->mutable_third_country_controller());
  AddTexts(args, "offence", agreement->mutable_offences());
  AddTexts(args, "suspect", agreement->mutable_suspects_known());
  AddTexts(args, "state-of-operation", agreement->mutable_states_of_operation());
  AddTexts(args, "language", agreement->mutable_languages());
}

void AddBody(const std::string& code, bool participant, v1::Agreement* agreement) {
  v1::AgreementBody* body = agreement->add_bodies();
  body->set_code(code);
  body->set_participant(participant);
}

}  // namespace

std::vector<Flag> AgreementFlags() {
  return {
      {"file", "FILE", "read the rest from a file of `flag: value` lines, or JSON"},
      {"code-name", "NAME", "what the team is called, for example LANTERN"},
      {"purpose", "TEXT", "what is investigated"},
      {"legal-basis", "BASIS", EnumWords(*v1::LegalBasis_descriptor()), true},
      {"party", "XA[:LEADER[:FUNCTION]]", "a party, which signs; with its leader", true},
      {"participant", "EJ", "a body that gives support and does not sign", true},
      {"leader", "XA:NAME[:FUNCTION]", "a leader, from the party named", true},
      {"member", "XA:NAME[:FUNCTION]", "a member", true},
      {"admin", "XA:NAME", "a space administrator, of a Member State or the EPPO", true},
      {"from", "DATE", "first day (UTC)"},
      {"to", "DATE", "last day (UTC)"},
      {"offence", "TEXT", "an offence", true},
      {"suspect", "TEXT", "a suspect, if known", true},
      {"state-of-operation", "TEXT", "a State where the team works", true},
      {"controller", "XA", "controller for third-country data"},
      {"language", "CODE", "a working language", true},
      {"evidence-clause", "TEXT", "how evidence is gathered and handed over"},
      {"disclosure-clause", "TEXT", "what the defence sees, and who decides"},
      {"asset-clause", "TEXT", "freezing, confiscation, sharing"},
      {"use-restrictions", "TEXT", "what results may be used for"},
      {"finance", "TEXT", "who pays for what"},
      {"data-protection", "TEXT", "controllers and retention"},
      {"keep-months", "NUMBER",
       "evidence is reviewed, and as a rule erased, so long after the end"},
  };
}

BodyPerson SplitPerson(std::string_view text) {
  BodyPerson person;
  const size_t first = text.find(':');
  person.code = std::string(text.substr(0, first));
  if (first == std::string_view::npos) return person;
  text.remove_prefix(first + 1);
  const size_t second = text.find(':');
  person.user = std::string(text.substr(0, second));
  if (second != std::string_view::npos) person.function = std::string(text.substr(second + 1));
  return person;
}

absl::Status FillAgreement(const Args& args, v1::Agreement* agreement) {
  SetTexts(args, agreement);
  for (const std::string& word : args.List("legal-basis")) {
    const absl::StatusOr<v1::LegalBasis> basis = ParseEnumWord<v1::LegalBasis>(word);
    if (!basis.ok()) return basis.status();
    agreement->add_legal_bases(*basis);
  }
  for (const std::string& text : args.All("party")) {
    const BodyPerson party = SplitPerson(text);
    AddBody(party.code, false, agreement);
    if (!party.user.empty()) AddPerson(party, agreement->mutable_leaders());
  }
  for (const std::string& code : args.List("participant")) AddBody(code, true, agreement);
  int64_t from = agreement->period_from();
  int64_t to = agreement->period_to();
  for (const absl::Status& status :
       {AddPeople(args, "leader", agreement->mutable_leaders()),
        AddPeople(args, "member", agreement->mutable_members()),
        AddPeople(args, "admin", agreement->mutable_space_administrators()),
        SetWhen(args, "from", DayMeans::kStart, &from), SetWhen(args, "to", DayMeans::kEnd, &to)}) {
    if (!status.ok()) return status;
  }
  if (args.Has("keep-months")) {
    uint32_t months = 0;
    if (!absl::SimpleAtoi(args.Get("keep-months"), &months) || months < 1 ||
        months > kKeepMonthsMax) {
      return UsageError(Cat("--keep-months is a number from 1 to ", std::to_string(kKeepMonthsMax)),
                        "--keep-months 60");
    }
    agreement->set_keep_months(months);
  }
  agreement->set_period_from(from);
  agreement->set_period_to(to);
  return absl::OkStatus();
}

}  // namespace entente::cli
