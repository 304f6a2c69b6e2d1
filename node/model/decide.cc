#include "node/model/decide.h"

#include <algorithm>
#include <set>

namespace entente::model {
namespace {

// Runs the rules in order; the first that fails decides, and all that ran are shown.
class Rules {
 public:
  Rules(const Question& question, const Directory& directory)
      : q_(question), directory_(directory) {}

  Decision Run() {
    const bool go_on = KnowsRecord() && RoleMay() && AgreementInForce() && BodiesNamed() &&
                       OwnerDecides() && InAudience() && NotRestricted() && Classification() &&
                       Handling() && ThirdCountry();
    static_cast<void>(go_on);
    return std::move(out_);
  }

 private:
  bool Pass(std::string_view rule, std::string detail) {
    out_.steps.push_back({std::string(rule), true, std::move(detail)});
    return true;
  }
  bool Fail(std::string_view rule, std::string_view code, std::string because,
            std::string_view article, std::string next) {
    out_.steps.push_back({std::string(rule), false, because});
    out_.allowed = false;
    out_.code = std::string(code);
    out_.because = std::move(because);
    out_.article = std::string(article);
    out_.next = std::move(next);
    return false;
  }
  std::string Name(const PartyId& party) const {
    const BodyInfo* body = directory_.Find(party);
    return body == nullptr ? directory_.CodeOf(party) : body->name;
  }
  bool Writes() const { return q_.action != Action::kRead; }

  // What is not here and what is not for us look the same.
  bool KnowsRecord() {
    if (q_.erased && Writes()) {
      return Fail("record", "ERASED", "It has been erased; only the record of that is left.",
                  "Dir. (EU) 2016/680 Art. 16(2)",
                  Cat("See who has confirmed: entente evidence show ", q_.record));
    }
    if (q_.action == Action::kCreate || q_.action == Action::kAssignTask || q_.exists) return true;
    return Fail("record", "NOT_HERE", "There is no such record here, or it is not for this body.",
                "", "Ask the body that may own it to release it.");
  }

  bool RoleMay() {
    const bool reads_case = q_.role != v1::ROLE_NODE_OPERATOR && q_.role != v1::ROLE_AUDITOR;
    if (q_.role == v1::ROLE_UNSPECIFIED) return true;
    if (!reads_case) {
      return Fail("role", "ROLE", "This role runs the node and reads no case content.",
                  "Reg. (EU) 2023/969 Art. 7(10)", "Sign in as a person of the JIT.");
    }
    if (Writes() && q_.role == v1::ROLE_COORDINATOR) {
      return Fail("role", "ROLE",
                  "A coordinator follows and proposes, but does not assign or "
                  "release.",
                  "Reg. (EU) 2023/969 Art. 16", "Ask a leader or liaison prosecutor of a party.");
    }
    if (q_.action == Action::kRelease && q_.role == v1::ROLE_MEMBER) {
      return Fail("role", "ROLE", "Widening an audience is for the leader or a delegate.",
                  "Reg. (EU) 2023/969 Art. 14", "Ask the JIT leader of this body.");
    }
    return Pass("role", "The person's role allows it.");
  }

  bool AgreementInForce() {
    if (q_.agreement == nullptr) {
      return Fail("agreement", "NOT_IN_FORCE",
                  "No agreement is in force: not every party has signed and confirmed it yet.",
                  "Reg. (EU) 2023/969 Art. 13", "entente agreement show");
    }
    const int64_t now = absl::ToUnixSeconds(q_.now);
    const std::string until = absl::FormatTime(
        "%Y-%m-%d", absl::FromUnixSeconds(q_.agreement->period_to()), absl::UTCTimeZone());
    if (q_.action == Action::kErase) {
      return Pass("agreement", "What is due to be erased is erased after the JIT as well.");
    }
    if (Writes() && now >= q_.agreement->period_to()) {
      return Fail("agreement", "EXPIRED",
                  Cat("The agreement ended on ", until, "; nothing new can be exchanged."),
                  "FD 2002/465/JHA Art. 1(1)",
                  "Propose an extension: entente agreement propose --jit … --to DATE");
    }
    if (Writes() && now < q_.agreement->period_from()) {
      return Fail("agreement", "NOT_YET", "The agreement's period has not begun.",
                  "FD 2002/465/JHA Art. 1(1)", "Wait for the first day, or amend the agreement.");
    }
    return Pass("agreement", Cat("In force until ", until, "."));
  }

  bool Named(const PartyId& party) const {
    return std::any_of(q_.agreement->bodies().begin(), q_.agreement->bodies().end(),
                       [&](const auto& body) { return body.party() == party.view(); });
  }

  bool BodiesNamed() {
    std::set<PartyId> all(q_.added.begin(), q_.added.end());
    if (q_.action == Action::kCreate || q_.action == Action::kAssignTask) {
      all.insert(q_.audience.begin(), q_.audience.end());
    }
    all.insert(q_.body);
    for (const PartyId& party : all) {
      if (!Named(party)) {
        return Fail("body", "NOT_A_PARTY", Cat(Name(party), " is not named in the agreement."),
                    "Reg. (EU) 2023/969 Art. 13-14",
                    Cat("Amend the agreement so that it names ", directory_.CodeOf(party), "."));
      }
    }
    return Pass("body", "Every body concerned is named in the agreement.");
  }

  bool OwnerDecides() {
    if (q_.action != Action::kRelease && q_.action != Action::kChange &&
        q_.action != Action::kErase) {
      return true;
    }
    if (q_.body == q_.owner) return Pass("owner", "The record belongs to this body.");
    if (q_.action == Action::kErase) {
      return Fail("owner", "NOT_OWNER",
                  Cat("It belongs to ", Name(q_.owner), "; only the owner has it erased."),
                  "Dir. (EU) 2016/680 Art. 16(2)",
                  Cat("Ask ", directory_.CodeOf(q_.owner), " to erase it."));
    }
    if (q_.action == Action::kChange) {
      return Fail("owner", "NOT_OWNER",
                  Cat("It belongs to ", Name(q_.owner), "; only the owner changes it."),
                  "Dir. (EU) 2016/680 Art. 16",
                  Cat("Tell ", directory_.CodeOf(q_.owner), " what is wrong with it."));
    }
    return Fail(
        "owner", "NOT_OWNER",
        Cat("It belongs to ", Name(q_.owner), "; only the owner decides who else reads it."),
        "Dir. (EU) 2016/680 Art. 29(2)(e)",
        Cat("Ask ", directory_.CodeOf(q_.owner), " to release it."));
  }

  bool InAudience() {
    if (q_.action != Action::kRead && q_.action != Action::kMoveTask &&
        q_.action != Action::kRecordCustody) {
      return true;
    }
    if (q_.audience.contains(q_.body)) {
      return Pass("audience", Cat("The owner addressed it to ", Name(q_.body), "."));
    }
    return Fail("audience", "NOT_IN_AUDIENCE",
                Cat(Name(q_.body),
                    " is not in its audience, holds no key to it and has not been told "
                    "that it exists."),
                "Reg. (EU) 2023/969 Art. 16; Dir. (EU) 2016/680 Art. 20(2)",
                Cat("The owner, ", directory_.CodeOf(q_.owner),
                    ", can release it: entente evidence "
                    "release ",
                    q_.record, " --to ", directory_.CodeOf(q_.body)));
  }

  bool NotRestricted() {
    const bool erases = q_.action == Action::kErase;
    if (!q_.restricted || (!erases && q_.action != Action::kRelease)) return true;
    return Fail("restriction", "RESTRICTED",
                erases ? "Its owner has restricted it: what is contested, or needed as evidence, "
                         "is kept."
                       : "Its owner has restricted it: it is kept and can be read, and goes to "
                         "nobody else.",
                "Dir. (EU) 2016/680 Art. 16(3)",
                Cat("Lift the restriction first: entente evidence restrict ", q_.record,
                    " --lift --reason …"));
  }

  bool Classification() {
    if (q_.classification.empty() || q_.classification == "UNCLASSIFIED" ||
        q_.classification == "SENSITIVE") {
      return true;
    }
    return Fail("classification", "CLASSIFIED",
                "Classified information does not belong here: the space is for sensitive, "
                "non-classified data.",
                "Reg. (EU) 2023/969 rec. 23", "Use the classified channel of your State.");
  }

  bool Handling() {
    const bool widens = q_.action == Action::kRelease && !q_.added.empty();
    if (!widens || q_.handling < v1::HANDLING_CODE_H2) return true;
    if (q_.body == q_.owner && q_.handling == v1::HANDLING_CODE_H2) {
      return Pass("handling", "H2 binds those who received it; the provider itself may widen.");
    }
    return Fail("handling", "HANDLING",
                "Its handling code wants the provider's permission before anybody is added.",
                "Handling codes (Council doc. 6243/18)",
                "Record the permission of the provider first.");
  }

  bool ThirdCountry() {
    // Its readers read it already; what is recorded of it goes no further.
    const bool stays = q_.action == Action::kRecordCustody || q_.action == Action::kChange ||
                       q_.action == Action::kErase;
    if (!Writes() || stays) return true;
    std::set<PartyId> readers(q_.added.begin(), q_.added.end());
    if (q_.action != Action::kRelease) readers.insert(q_.audience.begin(), q_.audience.end());
    for (const PartyId& party : readers) {
      const BodyInfo* body = directory_.Find(party);
      if (body == nullptr || party == q_.body || !IsThirdCountry(body->kind)) continue;
      return Fail("third country", "TRANSFER_NEEDS_CONSENT",
                  Cat(body->name,
                      " is outside the Union; a transfer needs a basis and the consent of "
                      "every State of origin."),
                  "Dir. (EU) 2016/680 Art. 35-38", "Record a transfer authorisation first.");
    }
    return true;
  }

  const Question& q_;
  const Directory& directory_;
  Decision out_;
};

}  // namespace

Decision Decide(const Question& question, const Directory& directory) {
  return Rules(question, directory).Run();
}

absl::Status ToStatus(const Decision& decision) {
  if (decision.allowed) return absl::OkStatus();
  std::string text = Cat("refused: ", decision.because, " [", decision.code, "]");
  if (!decision.article.empty()) text += "\n  " + decision.article;
  if (!decision.next.empty()) text += "\n  Next: " + decision.next;
  if (decision.code == "NOT_HERE") return absl::NotFoundError(text);
  return absl::PermissionDeniedError(text);
}

}  // namespace entente::model
