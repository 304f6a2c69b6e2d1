// entente strategy …, entente line …: what is pursued, and along which lines.
#include "crypto/bytes.h"
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

absl::Status FillStrategy(const Args& args, v1::Strategy* strategy) {
  const auto set = [&args](const std::string& flag, std::string* text) {
    if (args.Has(flag)) *text = args.Get(flag);
  };
  set("title", strategy->mutable_title());
  set("objectives", strategy->mutable_objectives());
  set("financial", strategy->mutable_financial_strand());
  set("no-financial-because", strategy->mutable_no_financial_strand_reason());
  set("victims", strategy->mutable_victim_strand());
  set("risks", strategy->mutable_risks());
  for (const std::string& text : args.All("priority")) strategy->add_priorities(text);
  for (const std::string& code : args.List("line")) strategy->add_line_codes(code);
  if (args.Has("review")) {
    const absl::StatusOr<int64_t> when = ParseWhen(args.Get("review"), DayMeans::kStart);
    if (!when.ok()) return when.status();
    strategy->set_review_date(*when);
  }
  return absl::OkStatus();
}

absl::Status Draft(Context& context) {
  v1::DraftStrategyRequest request;
  const absl::StatusOr<Args> args =
      WithForm(context.verb(), context.args, request.mutable_strategy());
  if (!args.ok()) return args.status();
  if (absl::Status s = FillStrategy(*args, request.mutable_strategy()); !s.ok()) return s;
  request.set_jit(args->Get("jit"));
  request.set_idempotency_key(context.Key());
  v1::DraftStrategyResponse response;
  if (absl::Status s = context.Call("StrategyService/DraftStrategy", request, &response); !s.ok()) {
    return s;
  }
  return context.Done(
      response, response.ref(),
      Cat("drafted as ", Clean(response.ref()),
          "; only your body can see it\nNext: entente strategy propose ", Clean(response.ref())));
}

// Proposing, signing and rejecting answer with the strategy alike.
template <class Response>
absl::Status ShowResult(Context& context, std::string_view method,
                        const google::protobuf::Message& request, std::string_view done) {
  Response response;
  if (absl::Status s = context.Call(method, request, &response); !s.ok()) return s;
  return context.Show(response, [&] {
    return context.quiet() ? response.strategy().proposal() + "\n"
                           : Cat(done, "\n", StrategySheet(response.strategy()));
  });
}

absl::Status Propose(Context& context) {
  v1::ProposeStrategyRequest request;
  request.set_jit(context.args.Get("jit"));
  request.set_draft(context.args.First());
  if (context.dry_run()) {
    v1::ShowAgreementRequest ask;
    ask.set_jit(request.jit());
    v1::ShowAgreementResponse agreement;
    if (absl::Status s = context.Call("AgreementService/ShowAgreement", ask, &agreement); !s.ok()) {
      return s;
    }
    return context.Show(agreement, [&] {
      std::string readers;
      for (const v1::AgreementView& view : agreement.agreements()) {
        if (view.state() != "IN_FORCE") continue;
        for (const v1::AgreementBody& body : view.agreement().bodies()) {
          if (!body.participant()) readers += Cat(readers.empty() ? "" : ", ", Clean(body.code()));
        }
      }
      return Cat("would become readable for, and wait for the signature of: ", readers, "\n");
    });
  }
  request.set_idempotency_key(context.Key());
  return ShowResult<v1::ProposeStrategyResponse>(context, "StrategyService/ProposeStrategy",
                                                 request, "proposed to all parties");
}

absl::Status Sign(Context& context) {
  v1::SignStrategyRequest request;
  request.set_jit(context.args.Get("jit"));
  request.set_proposal(context.args.First());
  request.set_idempotency_key(context.Key());
  if (absl::Status s = context.Confirm("Signing agrees to this strategy for your body."); !s.ok()) {
    return s;
  }
  return ShowResult<v1::SignStrategyResponse>(context, "StrategyService/SignStrategy", request,
                                              "signed");
}

absl::Status Reject(Context& context) {
  v1::RejectStrategyRequest request;
  request.set_jit(context.args.Get("jit"));
  request.set_proposal(context.args.First());
  request.set_reason(context.args.Get("reason"));
  request.set_idempotency_key(context.Key());
  return ShowResult<v1::RejectStrategyResponse>(context, "StrategyService/RejectStrategy", request,
                                                "rejected");
}

absl::Status Show(Context& context) {
  v1::ShowStrategyRequest request;
  request.set_jit(context.args.Get("jit"));
  v1::ShowStrategyResponse response;
  if (absl::Status s = context.Call("StrategyService/ShowStrategy", request, &response); !s.ok()) {
    return s;
  }
  return context.Show(response, [&] {
    std::string text;
    for (const v1::StrategyView& view : response.strategies()) {
      text += Cat(text.empty() ? "" : "\n", StrategySheet(view));
    }
    return text;
  });
}

absl::Status AddLine(Context& context) {
  const Args& args = context.args;
  v1::AddLineRequest request;
  v1::LineOfEnquiry& line = *request.mutable_line();
  line.set_code(args.Get("code"));
  line.set_title(args.Get("title"));
  line.set_hypothesis(args.Get("hypothesis"));
  const absl::StatusOr<v1::LineKind> kind = ParseEnumWord<v1::LineKind>(args.Get("kind"));
  if (!kind.ok()) return kind.status();
  line.set_kind(*kind);
  request.set_jit(args.Get("jit"));
  request.set_lead(args.Get("lead"));
  for (const std::string& code : args.List("support")) request.add_support(code);
  for (const std::string& code : args.List("audience")) request.add_audience(code);
  request.set_idempotency_key(context.Key());
  v1::AddLineResponse response;
  if (absl::Status s = context.Call("StrategyService/AddLine", request, &response); !s.ok()) {
    return s;
  }
  return context.Done(response, response.record().ref(),
                      Cat("added ", Clean(response.record().ref()), "; readable for ",
                          Clean(JoinCodes(response.record().audience()))));
}

absl::Status ListLines(Context& context) {
  v1::ListLinesRequest request;
  request.set_jit(context.args.Get("jit"));
  v1::ListLinesResponse response;
  if (absl::Status s = context.Call("StrategyService/ListLines", request, &response); !s.ok()) {
    return s;
  }
  return context.Show(response, [&] {
    Table table({"REF", "CODE", "TITLE", "KIND", "OWNER", "STATE", "WHO CAN SEE THIS"});
    for (const v1::RecordView& record : response.records()) {
      table.Add({record.ref(), record.line().code(), record.title(), EnumWord(record.line().kind()),
                 record.owner(), StateWord(record.state()), JoinCodes(record.audience())});
    }
    return table.Render();
  });
}

}  // namespace

std::vector<Verb> StrategyVerbs() {
  return {
      {.noun = "strategy",
       .verb = "draft",
       .summary = "draft a strategy; only your body sees it",
       .detail = "A strategy has a financial strand, or says why not.",
       .example = "entente strategy draft --title \"Strategy 1\" --objectives \"Dismantle the "
                  "network\" --financial \"Follow the couriers\" --victims \"Early contact\"",
       .flags = {{"file", "FILE", "read the rest from a file of `flag: value` lines, or JSON"},
                 {"title", "TEXT", "one line"},
                 {"objectives", "TEXT", "what is to be achieved"},
                 {"priority", "TEXT", "a priority", true},
                 {"financial", "TEXT", "the financial strand"},
                 {"no-financial-because", "TEXT", "why there is none"},
                 {"victims", "TEXT", "the victim strand"},
                 {"risks", "TEXT", "what could go wrong"},
                 {"line", "CODE", "a line of enquiry that belongs to it", true},
                 {"review", "DATE", "when to look at it again"},
                 JitFlag()},
       .run = Draft},
      {.noun = "strategy",
       .verb = "propose",
       .args = "[DRAFT]",
       .summary = "propose a draft to all parties",
       .example = "entente strategy propose S-7K3M9Q",
       .flags = {{"dry-run", "", "show who would be able to read it"}, JitFlag()},
       .args_max = 1,
       .run = Propose},
      {.noun = "strategy",
       .verb = "sign",
       .args = "[PROPOSAL]",
       .summary = "agree to a proposed strategy for your body",
       .example = "entente strategy sign",
       .flags = {JitFlag()},
       .args_max = 1,
       .run = Sign},
      {.noun = "strategy",
       .verb = "reject",
       .args = "[PROPOSAL]",
       .summary = "reject a proposed strategy, with a reason",
       .example = "entente strategy reject --reason \"No victim strand.\"",
       .flags = {{"reason", "TEXT", "why; all parties can read it"}, JitFlag()},
       .args_max = 1,
       .run = Reject},
      {.noun = "strategy",
       .verb = "show",
       .summary = "show drafts and versions, and who has signed",
       .example = "entente strategy show",
       .flags = {JitFlag()},
       .run = Show},
  };
}

std::vector<Verb> LineVerbs() {
  return {
      {.noun = "line",
       .verb = "add",
       .summary = "add a line of enquiry (also: strategy line add)",
       .example = "entente line add --code FIN-1 --title \"Money couriers\" --kind financial "
                  "--lead XB --support XA --audience XA,XB",
       .flags = {{"code", "CODE", "short code, for example FIN-1"},
                 {"title", "TEXT", "one line"},
                 {"kind", "KIND", EnumWords(*v1::LineKind_descriptor())},
                 {"lead", "XA", "the body that leads it"},
                 {"support", "XA,XB", "bodies that support it", true},
                 {"hypothesis", "TEXT", "what is supposed"},
                 AudienceFlag(),
                 JitFlag()},
       .run = AddLine},
      {.noun = "line",
       .verb = "list",
       .summary = "list lines of enquiry",
       .example = "entente line list",
       .flags = {JitFlag()},
       .run = ListLines},
  };
}

}  // namespace entente::cli
