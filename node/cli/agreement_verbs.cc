// entente agreement …: the document that everything else rests on.
#include "crypto/bytes.h"
#include "node/cli/agreement_form.h"
#include "node/cli/context.h"
#include "node/cli/form.h"
#include "node/cli/show.h"
#include "node/cli/table.h"
#include "node/cli/text.h"
#include "node/cli/times.h"
#include "node/cli/verbs.h"
#include "node/cli/words.h"

namespace entente::cli {
namespace {

absl::Status Propose(Context& context) {
  v1::ProposeAgreementRequest request;
  const absl::StatusOr<Args> args =
      WithForm(context.verb(), context.args, request.mutable_agreement());
  if (!args.ok()) return args.status();
  if (absl::Status s = FillAgreement(*args, request.mutable_agreement()); !s.ok()) return s;
  if (context.dry_run()) {
    v1::AgreementView view;
    *view.mutable_agreement() = request.agreement();
    view.set_state("NOT_YET_PROPOSED");
    for (const v1::AgreementBody& body : request.agreement().bodies()) {
      if (body.participant()) view.add_participants(body.code());
    }
    return context.Show(view, [&] { return AgreementSheet(view); });
  }
  request.set_jit(args->Get("jit"));
  request.set_idempotency_key(context.Key());
  v1::ProposeAgreementResponse response;
  if (absl::Status s = context.Call("AgreementService/ProposeAgreement", request, &response);
      !s.ok()) {
    return s;
  }
  return context.Done(response, response.proposal(),
                      Cat("proposed to every body it names\n  JIT       ", response.jit(),
                          "\n  proposal  ", response.proposal(),
                          "\nIt comes into force when all parties have signed: entente agreement "
                          "sign"));
}

// What a signature covers, in words, before it is given.
absl::Status ConfirmSigning(Context& context, const std::string& jit, const std::string& proposal) {
  if (!context.terminal().in_is_terminal) return absl::OkStatus();
  v1::ShowAgreementRequest request;
  request.set_jit(jit);
  v1::ShowAgreementResponse response;
  if (absl::Status s = context.Call("AgreementService/ShowAgreement", request, &response);
      !s.ok()) {
    return s;
  }
  std::string text;
  for (const v1::AgreementView& view : response.agreements()) {
    const bool meant =
        proposal.empty() ? view.state() == "SIGNING" : view.proposal().rfind(proposal, 0) == 0;
    if (meant) text += AgreementSheet(view) + "\n";
  }
  return context.Confirm(Cat(text, "Signing binds your body to this text, towards all parties."));
}

absl::Status Sign(Context& context) {
  v1::SignAgreementRequest request;
  request.set_jit(context.args.Get("jit"));
  request.set_proposal(context.args.First());
  if (absl::Status s = ConfirmSigning(context, request.jit(), request.proposal()); !s.ok()) {
    return s;
  }
  request.set_idempotency_key(context.Key());
  v1::SignAgreementResponse response;
  if (absl::Status s = context.Call("AgreementService/SignAgreement", request, &response);
      !s.ok()) {
    return s;
  }
  return context.Show(response, [&] {
    return context.quiet() ? response.agreement().proposal() + "\n"
                           : Cat("signed\n", AgreementSheet(response.agreement()));
  });
}

absl::Status Reject(Context& context) {
  v1::RejectAgreementRequest request;
  request.set_jit(context.args.Get("jit"));
  request.set_proposal(context.args.First());
  request.set_reason(context.args.Get("reason"));
  request.set_idempotency_key(context.Key());
  v1::RejectAgreementResponse response;
  if (absl::Status s = context.Call("AgreementService/RejectAgreement", request, &response);
      !s.ok()) {
    return s;
  }
  return context.Done(response, response.agreement().proposal(),
                      "rejected; all bodies it names will see that, and the reason");
}

absl::Status Show(Context& context) {
  v1::ShowAgreementRequest request;
  request.set_jit(context.args.rest().empty() ? context.args.Get("jit") : context.args.First());
  v1::ShowAgreementResponse response;
  if (absl::Status s = context.Call("AgreementService/ShowAgreement", request, &response);
      !s.ok()) {
    return s;
  }
  return context.Show(response, [&] {
    std::string text;
    for (const v1::AgreementView& view : response.agreements()) {
      text += Cat(text.empty() ? "" : "\n", AgreementSheet(view));
    }
    return text;
  });
}

absl::Status List(Context& context) {
  v1::ListAgreementsResponse response;
  if (absl::Status s =
          context.Call("AgreementService/ListAgreements", v1::ListAgreementsRequest(), &response);
      !s.ok()) {
    return s;
  }
  return context.Show(response, [&] {
    Table table({"NAME", "VERSION", "STATE", "UNTIL THE END OF", "SIGNED", "JIT"});
    for (const v1::AgreementView& view : response.agreements()) {
      int done = 0;
      for (const v1::SignerState& signer : view.signers()) {
        done += signer.state() == "SIGNED" || signer.state() == "CONFIRMED" ? 1 : 0;
      }
      table.Add({view.agreement().code_name(), std::to_string(view.version()),
                 StateWord(view.state()), FormatDay(view.agreement().period_to(), DayMeans::kEnd),
                 Cat(std::to_string(done), " of ", std::to_string(view.signers_size())),
                 view.jit().substr(0, 16) + "…"});
    }
    return table.Render();
  });
}

}  // namespace

std::vector<Verb> AgreementVerbs() {
  std::vector<Flag> propose = AgreementFlags();
  propose.push_back({"jit", "JIT", "amend this JIT's agreement instead of founding a new JIT"});
  propose.push_back({"dry-run", "", "show what would be proposed, and to whom"});
  return {
      {.noun = "agreement",
       .verb = "propose",
       .summary = "propose an agreement, or an amendment, to the bodies it names",
       .detail = "Nothing can be exchanged before every party has signed. Cards of all bodies must "
                 "be trusted here first.",
       .example =
           "entente agreement propose --code-name LANTERN --purpose \"Trafficking in human "
           "beings\" "
           "--legal-basis fd2002-465 --party \"XA:Anna Arven:prosecutor\" "
           "--party \"XB:Bo Borl:investigating judge\" --participant EJ --admin \"XA:Anna Arven\" "
           "--from 2026-03-01 --to 2027-02-28",
       .flags = std::move(propose),
       .run = Propose},
      {.noun = "agreement",
       .verb = "sign",
       .args = "[PROPOSAL]",
       .summary = "sign an agreement for your body",
       .detail = "Without an id: the only one that waits for your body.",
       .example = "entente agreement sign",
       .flags = {JitFlag()},
       .args_max = 1,
       .run = Sign},
      {.noun = "agreement",
       .verb = "reject",
       .args = "[PROPOSAL]",
       .summary = "reject a proposed agreement, with a reason",
       .example = "entente agreement reject --reason \"The period is too short.\"",
       .flags = {{"reason", "TEXT", "why; all bodies it names can read it"}, JitFlag()},
       .args_max = 1,
       .run = Reject},
      {.noun = "agreement",
       .verb = "show",
       .args = "[JIT]",
       .summary = "show the agreement, its versions and who has signed",
       .example = "entente agreement show LANTERN",
       .flags = {JitFlag()},
       .args_max = 1,
       .run = Show},
      {.noun = "agreement",
       .verb = "list",
       .summary = "list all agreements and proposals",
       .example = "entente agreement list",
       .run = List},
  };
}

}  // namespace entente::cli
