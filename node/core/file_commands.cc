#include "node/core/file_commands.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "node/core/carry.h"
#include "node/model/plans.h"

namespace entente::core {
namespace {

using Progress = sync::BlobSync::Progress;
// One item, its fold and one of its files.
using Visit = std::function<void(const model::Record&, const model::Folded&, const v1::FileRef&)>;

absl::Status EachFile(State& state, const std::string& jit_text,
                      const google::protobuf::RepeatedPtrField<std::string>& refs,
                      const Visit& visit) {
  std::vector<const model::Record*> records;
  for (const std::string& ref : refs) {
    const auto record = state.model.ResolveKind(ref, model::kEvidenceKind);
    if (!record.ok()) return record.status();
    records.push_back(*record);
  }
  if (refs.empty()) {
    JitId storage;
    const absl::StatusOr<const JitId*> jit = OptionalJit(state, jit_text, &storage);
    if (!jit.ok()) return jit.status();
    records = state.model.List(*jit, model::kEvidenceKind);
  }
  for (const model::Record* record : records) {
    const model::Folded folded = state.model.Fold(*record);
    for (const v1::FileRef& file : folded.files) visit(*record, folded, file);
  }
  return absl::OkStatus();
}

v1::FileProgress Describe(const State& state, absl::Time now, const model::Record& record,
                          const v1::FileRef& file) {
  v1::FileProgress out;
  const v1::RecordView view = state.model.View(record, now);
  out.set_ref(view.ref());
  out.set_title(view.title());
  for (const v1::FileView& shown : view.files()) {
    if (shown.blob() == Hex(file.blob_id())) *out.mutable_file() = shown;
  }
  const BlobId blob = *BlobId::From(file.blob_id());
  const Progress progress = state.replica.blobs().ProgressOf(blob, now);
  out.set_bytes_per_second(progress.bytes_per_second);
  const uint64_t left = file.plain_size() - std::min(file.plain_size(), out.file().bytes_here());
  if (progress.bytes_per_second > 0) out.set_seconds_left(left / progress.bytes_per_second + 1);
  for (const PartyId& source : progress.sources) out.add_from(state.CodeOf(source));
  std::sort(out.mutable_from()->begin(), out.mutable_from()->end());
  out.set_check_done(progress.checked);
  out.set_check_total(progress.to_check);
  if (const v1::BlobRow* row = state.replica.blobs().Find(blob)) {
    out.set_urgent(row->priority() > 0);
    out.set_checked(row->checked_at());
    out.set_checked_percent(row->checked_percent());
    out.set_damaged_chunks(static_cast<uint64_t>(row->damaged_chunks_size()));
    out.set_checked_damaged(row->checked_damaged());
  }
  return out;
}

// Whether a file can be handed out in full, and what to do if not.
absl::Status IsHere(const std::string& ref, const v1::BlobRow* row) {
  if (row != nullptr && row->damaged()) {
    return absl::FailedPreconditionError(
        Cat("the file of ", ref, " is not what its entry promises and is kept back [DAMAGED]"));
  }
  if (row == nullptr || !row->verified()) {
    return absl::FailedPreconditionError(
        Cat("the file of ", ref,
            " has not arrived here yet [NOT_ARRIVED]\n  Next: see how far it is: entente evidence "
            "files ",
            ref, ", or get it first: entente evidence fetch ", ref, " --urgent"));
  }
  if (row->damaged_chunks_size() > 0) {
    return absl::FailedPreconditionError(
        Cat("the file of ", ref,
            " is damaged on this node's disk and is fetched again from another body that has it "
            "[DAMAGED_HERE]\n  Next: see how far that is: entente evidence files ",
            ref, ", or read it again: entente evidence verify ", ref));
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::FileRef> FileNamed(const State& state, const model::Record& record,
                                      const std::string& name) {
  const model::Folded folded = state.model.Fold(record);
  const v1::FileRef* file = nullptr;
  for (const v1::FileRef& candidate : folded.files) {
    if (!name.empty() ? candidate.name() == name : folded.files.size() == 1) file = &candidate;
  }
  if (file != nullptr) return *file;
  const std::string ref = state.model.RefOf(record);
  return absl::NotFoundError(
      folded.files.empty()
          ? Cat(ref, " has no file [NO_FILE]")
          : Cat(ref, " has several files or none of that name; name one: entente evidence show ",
                ref, " [WHICH_FILE]"));
}

}  // namespace

absl::StatusOr<v1::ListFilesResponse> ListFiles(State& state, absl::Time now, const Caller&,
                                                const v1::ListFilesRequest& request) {
  v1::ListFilesResponse response;
  const absl::Status s =
      EachFile(state, request.jit(), request.records(),
               [&](const model::Record& record, const model::Folded&, const v1::FileRef& file) {
                 v1::FileProgress item = Describe(state, now, record, file);
                 if (request.missing_only() && item.file().state() == "here") return;
                 *response.add_files() = std::move(item);
               });
  if (!s.ok()) return s;
  return response;
}

absl::StatusOr<v1::FetchFilesResponse> FetchFiles(State& state, absl::Time now, const Caller&,
                                                  const v1::FetchFilesRequest& request) {
  if (request.records().empty()) {
    return absl::InvalidArgumentError(
        "say of which items [SCHEMA]\n  Next: entente evidence fetch E-…");
  }
  const v1::FileWish wish =
      request.action() == v1::FILE_ACTION_PAUSE ? v1::FILE_WISH_PAUSE : v1::FILE_WISH_FETCH;
  v1::FetchFilesResponse response;
  absl::Status wished;
  const absl::Status s =
      EachFile(state, "", request.records(),
               [&](const model::Record& record, const model::Folded&, const v1::FileRef& file) {
                 if (!request.name().empty() && file.name() != request.name()) return;
                 wished.Update(state.replica.blobs().Wish(*BlobId::From(file.blob_id()), wish,
                                                          request.urgent() ? 1 : 0));
                 *response.add_files() = Describe(state, now, record, file);
               });
  if (!s.ok()) return s;
  if (!wished.ok()) return wished;
  if (response.files().empty()) {
    return absl::NotFoundError(
        Cat(request.name().empty()
                ? std::string("no file belongs to that")
                : Cat("no file \"", model::CleanForDisplay(request.name()), "\" belongs to that"),
            " [NO_FILE]\n  Next: entente evidence files ", request.records(0)));
  }
  return response;
}

absl::StatusOr<v1::CheckFilesResponse> CheckFiles(State& state, absl::Time, const Caller&,
                                                  const v1::CheckFilesRequest& request) {
  if (request.percent() > 100) {
    return absl::InvalidArgumentError(Cat("a sample of ", std::to_string(request.percent()),
                                          " percent is more than there is [BAD_VALUE]\n  Next: say "
                                          "a number from 1 to 100"));
  }
  const uint32_t percent = request.percent() == 0 ? 100 : request.percent();
  v1::CheckFilesResponse response;
  const absl::Status s =
      EachFile(state, request.jit(), request.records(),
               [&](const model::Record&, const model::Folded&, const v1::FileRef& file) {
                 if (state.replica.blobs().Check(*BlobId::From(file.blob_id()), percent).ok()) {
                   response.set_begun(response.begun() + 1);
                 } else {
                   response.set_not_here(response.not_here() + 1);
                 }
               });
  if (!s.ok()) return s;
  return response;
}

absl::StatusOr<v1::FileRef> OpenFile(State& state, absl::Time now, const Caller& caller,
                                     const v1::DownloadFileRequest& request) {
  const auto record = state.model.ResolveKind(request.record(), model::kEvidenceKind);
  if (!record.ok()) return record.status();
  absl::StatusOr<v1::FileRef> file = FileNamed(state, **record, request.name());
  if (!file.ok()) return file;
  const v1::BlobRow* row = state.replica.blobs().Find(*BlobId::From(file->blob_id()));
  if (absl::Status here = IsHere(state.model.RefOf(**record), row); !here.ok()) return here;
  const model::PlanContext context{state.model,      now,           caller.user, caller.role,
                                   (*record)->jit(), state.entropy, ""};
  const absl::Status told = state.Append(now, model::PlanAccess(context, **record, *file).drafts);
  // That its owner cannot be told now (a reader's card is missing) is no reason to keep it back.
  if (!told.ok() && !absl::IsFailedPrecondition(told)) return told;
  return file;
}

}  // namespace entente::core
