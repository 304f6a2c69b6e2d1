// entente task …: what one body asks of another.
#include "crypto/bytes.h"
#include "node/cli/context.h"
#include "node/cli/show.h"
#include "node/cli/table.h"
#include "node/cli/text.h"
#include "node/cli/times.h"
#include "node/cli/verbs.h"
#include "node/cli/words.h"

namespace entente::cli {
namespace {

absl::Status FillTask(const Args& args, v1::Task* task) {
  task->set_title(args.Get("title"));
  task->set_description(args.Get("description"));
  task->set_legal_basis(args.Get("legal-basis"));
  task->set_formalities(args.Get("formalities"));
  task->set_line_code(args.Get("line"));
  const auto kind = ParseEnumWord<v1::TaskKind>(args.Has("kind") ? args.Get("kind") : "other");
  if (!kind.ok()) return kind.status();
  task->set_kind(*kind);
  const auto urgency =
      ParseEnumWord<v1::Urgency>(args.Has("urgency") ? args.Get("urgency") : "routine");
  if (!urgency.ok()) return urgency.status();
  task->set_urgency(*urgency);
  if (args.Has("due")) {
    const absl::StatusOr<int64_t> due = ParseWhen(args.Get("due"), DayMeans::kEnd);
    if (!due.ok()) return due.status();
    task->set_due(*due);
  }
  return absl::OkStatus();
}

absl::Status Assign(Context& context) {
  const Args& args = context.args;
  v1::AssignTaskRequest request;
  if (absl::Status s = FillTask(args, request.mutable_task()); !s.ok()) return s;
  request.set_jit(args.Get("jit"));
  request.set_to(args.Get("to"));
  if (request.to().empty()) return UsageError("`task assign` needs to know whom", "--to XB");
  for (const std::string& code : args.List("audience")) request.add_audience(code);
  for (const std::string& code : args.List("coordinator")) request.add_coordinators(code);
  request.set_no_card(args.Has("no-card"));
  request.set_idempotency_key(context.Key());
  v1::AssignTaskResponse response;
  if (absl::Status s = context.Call("TaskService/AssignTask", request, &response); !s.ok()) {
    return s;
  }
  return context.Done(response, response.record().ref(),
                      Cat("asked ", Clean(request.to()), ": ", Clean(response.record().ref()),
                          "; readable for ", Clean(JoinCodes(response.record().audience()))));
}

// Everything that moves a task answers with it.
template <class Response>
absl::Status Moved(Context& context, std::string_view method,
                   const google::protobuf::Message& request) {
  Response response;
  if (absl::Status s = context.Call(method, request, &response); !s.ok()) return s;
  const v1::RecordView& record = response.record();
  return context.Done(response, record.ref(),
                      Cat(Clean(record.ref()), " is now: ", StateWord(record.state())));
}

absl::Status Accept(Context& context) {
  v1::AcceptTaskRequest request;
  request.set_task(context.args.First());
  request.set_assignee(context.args.Get("assignee"));
  request.set_idempotency_key(context.Key());
  return Moved<v1::AcceptTaskResponse>(context, "TaskService/AcceptTask", request);
}

absl::Status Decline(Context& context) {
  v1::DeclineTaskRequest request;
  request.set_task(context.args.First());
  request.set_reason(context.args.Get("reason"));
  request.set_idempotency_key(context.Key());
  return Moved<v1::DeclineTaskResponse>(context, "TaskService/DeclineTask", request);
}

absl::Status Update(Context& context) {
  v1::UpdateTaskRequest request;
  request.set_task(context.args.First());
  request.set_state(StateName(context.args.Get("state")));
  request.set_reason(context.args.Get("reason"));
  request.set_note(context.args.Get("note"));
  request.set_idempotency_key(context.Key());
  return Moved<v1::UpdateTaskResponse>(context, "TaskService/UpdateTask", request);
}

absl::Status Complete(Context& context) {
  v1::CompleteTaskRequest request;
  request.set_task(context.args.First());
  request.set_outcome(StateName(context.args.Get("outcome")));
  request.set_note(context.args.Get("note"));
  request.set_reason(context.args.Get("reason"));
  for (const std::string& ref : context.args.List("result")) request.add_results(ref);
  request.set_idempotency_key(context.Key());
  return Moved<v1::CompleteTaskResponse>(context, "TaskService/CompleteTask", request);
}

absl::Status Withdraw(Context& context) {
  v1::WithdrawTaskRequest request;
  request.set_task(context.args.First());
  request.set_reason(context.args.Get("reason"));
  request.set_idempotency_key(context.Key());
  return Moved<v1::WithdrawTaskResponse>(context, "TaskService/WithdrawTask", request);
}

absl::Status List(Context& context) {
  v1::ListTasksRequest request;
  request.set_jit(context.args.Get("jit"));
  v1::ListTasksResponse response;
  if (absl::Status s = context.Call("TaskService/ListTasks", request, &response); !s.ok()) {
    return s;
  }
  return context.Show(response, [&] {
    Table table({"REF", "TITLE", "FROM", "TO", "STATE", "DUE", "WHO CAN SEE THIS"});
    for (const v1::RecordView& record : response.records()) {
      table.Add({record.ref(), record.title(), record.owner(), record.executor(),
                 StateWord(record.state()) + (record.overdue() ? ", overdue" : ""),
                 record.task().due() == 0 ? "" : FormatDeadline(record.task().due()),
                 JoinCodes(record.audience())});
    }
    return table.Render();
  });
}

absl::Status Show(Context& context) {
  v1::ShowTaskRequest request;
  request.set_task(context.args.First());
  v1::ShowTaskResponse response;
  if (absl::Status s = context.Call("TaskService/ShowTask", request, &response); !s.ok()) return s;
  return context.Show(response, [&] { return RecordSheet(response.record()); });
}

Verb OfOneTask(std::string verb, std::string summary, std::string example, std::vector<Flag> flags,
               absl::Status (*run)(Context&)) {
  return {.noun = "task",
          .verb = std::move(verb),
          .args = "REF",
          .summary = std::move(summary),
          .example = std::move(example),
          .flags = std::move(flags),
          .args_min = 1,
          .args_max = 1,
          .run = run};
}

Verb AssignVerb() {
  return {
      .noun = "task",
      .verb = "assign",
      .summary = "ask another body to do something",
      .detail =
          "Only that body moves the task forward. The coordinator gets a card with kind, "
          "State and dates, and no text.",
      .example =
          "entente task assign --to XB --title \"Account statements\" --kind bank-data "
          "--due 2026-04-01",
      .flags = {{"to", "XB", "the body that is asked"},
                {"title", "TEXT", "one line"},
                {"kind", "KIND", EnumWords(*v1::TaskKind_descriptor())},
                {"due", "DATE", "until when; a day means its end"},
                {"urgency", "WORD", EnumWords(*v1::Urgency_descriptor())},
                {"description", "TEXT", "what is asked"},
                {"legal-basis", "TEXT", "on which ground"},
                {"formalities", "TEXT", "what must be observed for admissibility"},
                {"line", "CODE", "line of enquiry"},
                {"audience", "XC", "further bodies that can read it", true},
                {"coordinator", "EJ", "bodies that get the card (default: all coordinators)", true},
                {"no-card", "", "no card for coordinators"},
                JitFlag()},
      .run = Assign};
}

}  // namespace

std::vector<Verb> TaskVerbs() {
  return {
      AssignVerb(),
      OfOneTask("accept", "accept a task for your body", "entente task accept T-7K3M9Q",
                {{"assignee", "NAME", "who does it"}}, Accept),
      OfOneTask("decline", "decline a task, with a reason",
                "entente task decline T-7K3M9Q --reason \"No double criminality.\"",
                {{"reason", "TEXT", "why; the asking body can read it"}}, Decline),
      OfOneTask("update", "say how a task stands",
                "entente task update T-7K3M9Q --state in-progress",
                {{"state", "STATE", "in-progress, blocked; by the asking body: reviewed, closed"},
                 {"reason", "TEXT", "why, where a reason is needed"},
                 {"note", "TEXT", "how it goes"}},
                Update),
      OfOneTask("done", "report the result of a task",
                "entente task done T-7K3M9Q --result E-7K3M9Q --note \"Statements attached.\"",
                {{"outcome", "WORD", "executed (default), partly-executed, impossible"},
                 {"note", "TEXT", "the result in words"},
                 {"result", "REF", "an evidence item that is the result", true},
                 {"reason", "TEXT", "why not, or not all of it"}},
                Complete),
      OfOneTask("withdraw", "withdraw a task your body has set",
                "entente task withdraw T-7K3M9Q --reason \"No longer needed.\"",
                {{"reason", "TEXT", "why"}}, Withdraw),
      {.noun = "task",
       .verb = "list",
       .summary = "list the tasks your body can see",
       .example = "entente task list",
       .flags = {JitFlag()},
       .run = List},
      OfOneTask("show", "show a task", "entente task show T-7K3M9Q", {}, Show),
  };
}

}  // namespace entente::cli
