// entente explain, history, feed, progress, show: what holds for records of every kind.
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "crypto/bytes.h"
#include "node/cli/context.h"
#include "node/cli/json.h"
#include "node/cli/show.h"
#include "node/cli/table.h"
#include "node/cli/text.h"
#include "node/cli/times.h"
#include "node/cli/verbs.h"
#include "node/cli/words.h"

namespace entente::cli {
namespace {

constexpr uint32_t kFollowSeconds = 30;

std::string ExplainText(const v1::ExplainRecordRequest& request,
                        const v1::ExplainRecordResponse& response) {
  Facts facts;
  facts.Add("Because", response.because());
  facts.Add("Ground", response.article());
  facts.Add("What would change it", response.next());
  std::string steps;
  for (const v1::ExplainStep& step : response.steps()) {
    steps += Cat("  ", step.passed() ? "yes" : "no ", "  ", Clean(step.rule()),
                 step.detail().empty() ? "" : Cat(": ", Clean(step.detail())), "\n");
  }
  const std::string action = request.action().empty() ? "see" : Clean(request.action());
  return Cat(Clean(request.for_body()), response.allowed() ? " may " : " may not ", action, " ",
             Clean(request.record()), " [", Clean(response.code()), "]\n", facts.Render(), steps);
}

absl::Status Explain(Context& context) {
  v1::ExplainRecordRequest request;
  request.set_record(context.args.First());
  request.set_for_body(context.args.Get("for"));
  request.set_action(context.args.Get("action"));
  v1::ExplainRecordResponse response;
  if (absl::Status s = context.Call("RecordService/ExplainRecord", request, &response); !s.ok()) {
    return s;
  }
  return context.Show(response, [&] { return ExplainText(request, response); });
}

absl::Status History(Context& context) {
  v1::ShowHistoryRequest request;
  request.set_record(context.args.First());
  v1::ShowHistoryResponse response;
  if (absl::Status s = context.Call("RecordService/ShowHistory", request, &response); !s.ok()) {
    return s;
  }
  return context.Show(response, [&] {
    Table table({"WHEN", "BODY", "PERSON", "WHAT", "WITHOUT EFFECT BECAUSE"});
    for (const v1::HistoryItem& item : response.items()) {
      table.Add({FormatTime(item.time()), item.body(), item.user(), item.what(), item.refused()});
    }
    return table.Render();
  });
}

absl::Status Feed(Context& context) {
  v1::ListChangesRequest request;
  uint64_t after = 0;
  uint32_t limit = 0;
  if (context.args.Has("after") && !absl::SimpleAtoi(context.args.Get("after"), &after)) {
    return UsageError("--after is a number from an earlier feed", "--after 120");
  }
  if (context.args.Has("limit") && !absl::SimpleAtoi(context.args.Get("limit"), &limit)) {
    return UsageError("--limit is a number", "--limit 100");
  }
  request.set_after(after);
  request.set_limit(limit);
  const bool follow = context.args.Has("follow");
  if (follow) request.set_wait_seconds(kFollowSeconds);
  do {
    v1::ListChangesResponse response;
    if (absl::Status s = context.Call("RecordService/ListChanges", request, &response); !s.ok()) {
      return s;
    }
    const absl::Status shown = context.Show(response, [&] {
      std::string text;
      for (const v1::Change& change : response.changes()) {
        text += Cat(std::to_string(change.token()), "  ", Clean(change.ref()), "  ",
                    Clean(change.kind()), " of ", Clean(change.owner()), "\n");
      }
      return text;
    });
    if (!shown.ok()) return shown;
    context.terminal().out.flush();
    request.set_after(response.next());
  } while (follow && context.terminal().out.good());
  return absl::OkStatus();
}

absl::Status Progress(Context& context) {
  v1::GetProgressRequest request;
  request.set_jit(context.args.Get("jit"));
  v1::GetProgressResponse response;
  if (absl::Status s = context.Call("ProgressService/GetProgress", request, &response); !s.ok()) {
    return s;
  }
  return context.Show(response, [&] {
    Table table({"BODY", "KIND", "OPEN", "DONE", "DECLINED", "OVERDUE", "NEXT DUE", "STATES"});
    for (const v1::ProgressRow& row : response.rows()) {
      std::string states;
      for (const auto& [state, count] : row.by_state()) {
        states += Cat(states.empty() ? "" : ", ", std::to_string(count), " ", StateWord(state));
      }
      table.Add({row.body(), row.kind(), std::to_string(row.open()), std::to_string(row.done()),
                 std::to_string(row.declined()), std::to_string(row.overdue()),
                 row.next_due() == 0 ? "" : FormatDeadline(row.next_due()), states});
    }
    return table.empty() ? "nothing to report yet\n" : table.Render();
  });
}

absl::Status Show(Context& context) {
  const std::string ref = context.args.First();
  if (!ref.empty() && absl::ascii_toupper(static_cast<unsigned char>(ref[0])) == 'T') {
    v1::ShowTaskRequest request;
    request.set_task(ref);
    v1::ShowTaskResponse response;
    if (absl::Status s = context.Call("TaskService/ShowTask", request, &response); !s.ok()) {
      return s;
    }
    return context.Show(response, [&] { return RecordSheet(response.record()); });
  }
  v1::ShowEvidenceRequest request;
  request.set_record(ref);
  v1::ShowEvidenceResponse response;
  if (absl::Status s = context.Call("EvidenceService/ShowEvidence", request, &response); !s.ok()) {
    return s;
  }
  return context.Show(response, [&] { return RecordSheet(response.record()); });
}

}  // namespace

std::vector<Verb> RecordVerbs() {
  return {
      {.noun = "show",
       .args = "REF",
       .summary = "show a task or an evidence item",
       .example = "entente show E-7K3M9Q",
       .args_min = 1,
       .args_max = 1,
       .run = Show},
      {.noun = "explain",
       .args = "REF",
       .summary = "why a body may or may not see a record, and what would change that",
       .example = "entente explain E-7K3M9Q --for XC",
       .flags = {{"for", "XC", "the body"},
                 {"action", "WORD", "another action than reading: release, erase …"}},
       .args_min = 1,
       .args_max = 1,
       .run = Explain},
      {.noun = "history",
       .args = "REF",
       .summary = "every change of a record: when, by whom, with what effect",
       .example = "entente history T-7K3M9Q",
       .args_min = 1,
       .args_max = 1,
       .run = History},
      {.noun = "feed",
       .summary = "what has changed, oldest first",
       .example = "entente feed --follow",
       .flags = {{"after", "NUMBER", "what came after this number of an earlier feed"},
                 {"limit", "NUMBER", "at most so many"},
                 {"follow", "", "wait for more"}},
       .run = Feed},
      {.noun = "progress",
       .summary = "how tasks stand, per country, from cards alone",
       .example = "entente progress",
       .flags = {JitFlag()},
       .run = Progress},
  };
}

}  // namespace entente::cli
