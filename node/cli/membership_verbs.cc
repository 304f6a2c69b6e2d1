// entente agreement exclude, suspend, resume: leaving a body out.
#include "crypto/bytes.h"
#include "node/cli/context.h"
#include "node/cli/show.h"
#include "node/cli/verbs.h"

namespace entente::cli {
namespace {

Flag ReasonFlag() { return {"reason", "TEXT", "why; the other bodies can read it"}; }

absl::Status Exclude(Context& context) {
  v1::ExcludeBodyRequest request;
  request.set_jit(context.args.Get("jit"));
  request.set_body(context.args.First());
  request.set_reason(context.args.Get("reason"));
  if (absl::Status s = context.Confirm(
          Cat("From this moment your body addresses nothing more to ", request.body(),
              ". When all other parties have signed too, what it writes no longer counts. This "
              "cannot be taken back. What it holds already, it keeps."));
      !s.ok()) {
    return s;
  }
  request.set_idempotency_key(context.Key());
  v1::ExcludeBodyResponse response;
  if (absl::Status s = context.Call("AgreementService/ExcludeBody", request, &response); !s.ok()) {
    return s;
  }
  return context.Show(response,
                      [&] { return Cat("signed\n", AgreementSheet(response.agreement())); });
}

absl::Status SetSuspension(Context& context, bool lift) {
  v1::SuspendBodyRequest request;
  request.set_jit(context.args.Get("jit"));
  request.set_body(context.args.First());
  request.set_reason(context.args.Get("reason"));
  request.set_lift(lift);
  request.set_idempotency_key(context.Key());
  v1::SuspendBodyResponse response;
  if (absl::Status s = context.Call("AgreementService/SuspendBody", request, &response); !s.ok()) {
    return s;
  }
  return context.Show(response, [&] {
    return Cat(lift ? "lifted\n" : "suspended\n", AgreementSheet(response.agreement()));
  });
}

absl::Status Suspend(Context& context) { return SetSuspension(context, /*lift=*/false); }
absl::Status Resume(Context& context) { return SetSuspension(context, /*lift=*/true); }

}  // namespace

std::vector<Verb> MembershipVerbs() {
  return {
      {.noun = "agreement",
       .verb = "exclude",
       .args = "BODY",
       .summary = "sign that a party no longer takes part",
       .detail =
           "Your body stops sharing with it at once. The exclusion is complete when all other "
           "parties have signed; it cannot be taken back. The excluded body is told nothing by "
           "this; what it received before stays with it.",
       .example = "entente agreement exclude XD --reason \"Its node was seized.\"",
       .flags = {ReasonFlag(), JitFlag()},
       .args_min = 1,
       .args_max = 1,
       .run = Exclude},
      {.noun = "agreement",
       .verb = "suspend",
       .args = "BODY",
       .summary = "stop sharing with a body for now, alone and at once",
       .example = "entente agreement suspend XD --reason \"Its words no longer match.\"",
       .flags = {ReasonFlag(), JitFlag()},
       .args_min = 1,
       .args_max = 1,
       .run = Suspend},
      {.noun = "agreement",
       .verb = "resume",
       .args = "BODY",
       .summary = "share again with a body that yours has suspended",
       .example = "entente agreement resume XD --reason \"Cleared up by telephone.\"",
       .flags = {ReasonFlag(), JitFlag()},
       .args_min = 1,
       .args_max = 1,
       .run = Resume},
  };
}

}  // namespace entente::cli
