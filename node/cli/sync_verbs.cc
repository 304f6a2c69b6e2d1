// entente sync, log, parcel: what has reached whom, and whether everything is as it was signed.
#include <filesystem>
#include <system_error>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "crypto/bytes.h"
#include "node/cli/context.h"
#include "node/cli/files.h"
#include "node/cli/show.h"
#include "node/cli/table.h"
#include "node/cli/text.h"
#include "node/cli/times.h"
#include "node/cli/verbs.h"
#include "node/cli/words.h"

namespace entente::cli {
namespace {

constexpr size_t kParcelBytesMax = 4u << 20;

std::string SyncText(const v1::GetSyncStatusResponse& response) {
  Table records({"RECORD", "KIND", "BODY", "STATE"});
  for (const v1::RecordDelivery& record : response.records()) {
    for (const v1::Delivery& delivery : record.deliveries()) {
      records.Add({record.ref(), record.kind(), delivery.peer(), delivery.state()});
    }
  }
  Table refusals({"WHEN", "BODY", "WHO", "WHAT", "DETAIL", "TIMES"});
  for (const v1::RefusalView& refusal : response.refusals()) {
    refusals.Add({FormatTime(refusal.time()), refusal.peer(), refusal.direction(),
                  StateWord(refusal.code()), refusal.detail(), std::to_string(refusal.count())});
  }
  const std::string summary =
      response.in_sync() ? "everything has been verified by everyone it is for\n"
                         : Cat("not everything has been verified by everyone it is for; ",
                               std::to_string(response.only_here()), " entries are only here\n");
  return Cat(PeerTable(response.peers(), absl::Now()), records.empty() ? "" : "\n",
             records.Render(), refusals.empty() ? "" : "\nRefused\n", refusals.Render(), "\n",
             summary);
}

absl::Status Status(Context& context) {
  v1::GetSyncStatusRequest request;
  request.set_record(context.args.First());
  v1::GetSyncStatusResponse response;
  if (absl::Status s = context.Call("SyncService/GetSyncStatus", request, &response); !s.ok()) {
    return s;
  }
  return context.Show(response, [&] { return SyncText(response); });
}

absl::Status Verify(Context& context) {
  v1::VerifyLogResponse response;
  if (absl::Status s = context.Call("SyncService/VerifyLog", v1::VerifyLogRequest(), &response);
      !s.ok()) {
    return s;
  }
  if (!response.ok()) context.set_exit_code(kIntegrity);
  return context.Show(response, [&] {
    Facts facts;
    facts.Add("Logs", std::to_string(response.logs()));
    facts.Add("Entries", std::to_string(response.entries()));
    facts.Add("Opened", std::to_string(response.opened()));
    facts.Add("Not for this body", std::to_string(response.locked()));
    facts.Add("Erased, by order", std::to_string(response.erased()));
    facts.Add("Signed heads", std::to_string(response.heads()));
    facts.Add("Receipts", std::to_string(response.cosignatures()));
    facts.Add("Epochs", std::to_string(response.epochs()));
    std::string problems;
    for (const std::string& problem : response.problems()) {
      problems += Cat("PROBLEM  ", Clean(problem), "\n");
    }
    return Cat(facts.Render(), problems,
               response.ok()
                   ? "everything is as it was signed\n"
                   : "NOT everything is as it was signed: stop the node, keep the disk\n");
  });
}

absl::Status Export(Context& context) {
  const std::string out = context.args.Has("out") ? context.args.Get("out") : ".";
  std::error_code error;
  if (!std::filesystem::is_directory(out, error)) {
    return UsageError(Cat("\"", Clean(out), "\" is not a folder"), "--out DIR");
  }
  v1::ExportParcelRequest request;
  request.set_to(context.args.Get("to"));
  v1::ExportParcelResponse response;
  if (absl::Status s = context.Call("SyncService/ExportParcel", request, &response); !s.ok()) {
    return s;
  }
  const std::string stamp = absl::FormatTime("%Y%m%dT%H%M%SZ", absl::Now(), absl::UTCTimeZone());
  std::string names;
  for (int i = 0; i < response.parcels_size(); ++i) {
    const std::string path = Cat(out, "/", SafeFileName(request.to()), "-", stamp, "-",
                                 absl::StrFormat("%03d", i + 1), ".parcel");
    if (absl::Status s = WriteNew(path, response.parcels(i), 0600); !s.ok()) return s;
    names += Cat(path, "\n");
  }
  response.clear_parcels();
  return context.Show(response, [&] {
    return names.empty() ? Cat(Clean(request.to()), " has everything already\n") : names;
  });
}

absl::Status Import(Context& context) {
  for (const std::string& path : context.args.rest()) {
    const absl::StatusOr<std::string> parcel = ReadWhole(path, kParcelBytesMax);
    if (!parcel.ok()) return parcel.status();
    v1::ImportParcelRequest request;
    request.set_parcel(*parcel);
    v1::ImportParcelResponse response;
    if (absl::Status s = context.Call("SyncService/ImportParcel", request, &response); !s.ok()) {
      return s;
    }
    const absl::Status shown = context.Done(
        response, response.from(),
        response.repeated_parcel() ? Cat(Clean(path), ": was taken in before")
                                   : Cat(Clean(path), ": from ", Clean(response.from()), ", ",
                                         std::to_string(response.entries()), " new entries"));
    if (!shown.ok()) return shown;
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<Verb> SyncVerbs() {
  return {
      {.noun = "sync",
       .verb = "status",
       .args = "[REF]",
       .summary = "what has reached whom: queued, at relay, stored, verified",
       .detail = "Without a record: bodies, and what not everyone has verified yet.",
       .example = "entente sync status E-7K3M9Q",
       .args_max = 1,
       .run = Status},
      {.noun = "log",
       .verb = "verify",
       .summary = "recompute every hash, signature and seal of what is stored here",
       .detail = "Exit code 7 when anything is not as it was signed.",
       .example = "entente log verify",
       .run = Verify},
      {.noun = "parcel",
       .verb = "export",
       .summary = "write what a body does not have yet into sealed files, to carry on a disk",
       .example = "entente parcel export --to XB --out /media/disk",
       .flags = {{"to", "XB", "the body"}, {"out", "DIR", "folder to write to (default: here)"}},
       .run = Export},
      {.noun = "parcel",
       .verb = "import",
       .args = "FILE…",
       .summary = "take in parcels that came on a disk",
       .example = "entente parcel import /media/disk/*.parcel",
       .args_min = 1,
       .args_max = 10000,
       .run = Import},
  };
}

}  // namespace entente::cli
