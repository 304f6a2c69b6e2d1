#include "node/core/evidence_commands.h"

#include <algorithm>
#include <utility>

#include "node/core/carry.h"
#include "node/core/grant_commands.h"
#include "node/model/decide.h"

namespace entente::core {

absl::StatusOr<v1::AddEvidenceResponse> AddEvidence(State& state, absl::Time now,
                                                    const Caller& caller,
                                                    const v1::AddEvidenceRequest& request,
                                                    const std::vector<UploadedFile>& uploads) {
  const auto context = ContextFor(state, now, caller, request.jit(), request.idempotency_key());
  if (!context.ok()) return context.status();
  v1::EvidenceItem item = request.item();
  for (const std::string& parent : request.parents()) {
    const auto record = state.model.ResolveKind(parent, model::kEvidenceKind);
    if (!record.ok()) return record.status();
    item.add_parents((*record)->id().str());
  }
  const auto audience = state.BodiesByCode(ToVector(request.audience()));
  if (!audience.ok()) return audience.status();
  std::vector<v1::FileRef> files;
  files.reserve(uploads.size());
  for (const UploadedFile& upload : uploads) files.push_back(upload.file);
  const bool repeated = state.model.ByIdempotencyKey(request.idempotency_key()).has_value();
  auto view = Carry(state, now, request.idempotency_key(),
                    [&] { return model::PlanAddEvidence(*context, item, files, *audience); });
  if (!view.ok()) return view.status();
  if (!repeated) {
    for (const v1::FileRef& file : files) state.replica.AddLocalFile(file);
  }
  v1::AddEvidenceResponse response;
  *response.mutable_record() = state.model.View(**state.model.Resolve(view->id()), now);
  return response;
}

bool IsToBeReviewed(const State& state, const v1::RecordView& item, int64_t by) {
  return item.keep_until() != 0 && item.keep_until() <= by && !item.has_erasure() &&
         item.owner() == state.CodeOf(state.self);
}

absl::StatusOr<v1::ListEvidenceResponse> ListEvidence(State& state, absl::Time now, const Caller&,
                                                      const v1::ListEvidenceRequest& request) {
  v1::ListEvidenceResponse response;
  const absl::Status s =
      ListKind(state, now, request.jit(), model::kEvidenceKind, [&](v1::RecordView view) {
        const int64_t by = request.keep_until_before();
        const bool due = by == 0 || IsToBeReviewed(state, view, by);
        const bool on_line =
            request.line_code().empty() || view.evidence().line_code() == request.line_code();
        if (due && on_line) *response.add_records() = std::move(view);
      });
  if (!s.ok()) return s;
  return response;
}

absl::StatusOr<v1::ShowEvidenceResponse> ShowEvidence(State& state, absl::Time now, const Caller&,
                                                      const v1::ShowEvidenceRequest& request) {
  const auto record = state.model.ResolveKind(request.record(), model::kEvidenceKind);
  if (!record.ok()) return record.status();
  v1::ShowEvidenceResponse response;
  *response.mutable_record() = state.model.View(**record, now);
  return response;
}

v1::ReleasePreview PreviewRelease(State& state, const model::PlanContext& context,
                                  const model::Record& record, const sync::Members& added) {
  const model::Decision decision = model::DecideRelease(context, record, added);
  const v1::RecordView view = state.model.View(record, context.now);
  v1::ReleasePreview preview;
  preview.set_ref(view.ref());
  preview.set_title(view.title());
  preview.set_allowed(decision.allowed);
  preview.set_because(decision.because);
  for (const PartyId& party : added) {
    const std::string code = state.CodeOf(party);
    if (std::find(view.audience().begin(), view.audience().end(), code) == view.audience().end()) {
      preview.add_becomes_readable_for(code);
    }
  }
  for (const v1::FileView& file : view.files()) preview.add_files(file.name());
  return preview;
}

void AddOriginals(const Originals& originals, v1::ReleasePreview* preview) {
  for (const v1::OriginalView& original : originals.shown) *preview->add_originals() = original;
  preview->set_not_own(originals.not_own);
}

absl::StatusOr<v1::ReleaseEvidenceResponse> ReleaseEvidence(
    State& state, absl::Time now, const Caller& caller, const v1::ReleaseEvidenceRequest& request) {
  const auto added = state.BodiesByCode(ToVector(request.to()));
  if (!added.ok()) return added.status();
  if (added->empty() || request.records().empty()) {
    return absl::InvalidArgumentError(
        "a release needs records and at least one body [SCHEMA]\n  Next: entente evidence release "
        "E-… --to XC");
  }
  v1::ReleaseEvidenceResponse response;
  if (state.model.ByIdempotencyKey(request.idempotency_key()).has_value()) {
    response.set_done(true);
    return response;
  }
  std::vector<sync::Draft> drafts;
  bool key_used = false;
  for (const std::string& ref : request.records()) {
    const auto record = state.model.ResolveKind(ref, model::kEvidenceKind);
    if (!record.ok()) return record.status();
    const model::PlanContext context{state.model,
                                     now,
                                     caller.user,
                                     caller.role,
                                     (*record)->jit(),
                                     state.entropy,
                                     key_used ? "" : request.idempotency_key()};
    key_used = true;
    *response.add_preview() = PreviewRelease(state, context, **record, *added);
    if (!request.dry_run()) {
      absl::StatusOr<model::Plan> plan =
          model::PlanRelease(context, **record, *added, request.legal_basis(), request.purpose());
      if (!plan.ok()) return plan.status();  // one refusal and nothing is released
      for (sync::Draft& draft : plan->drafts) drafts.push_back(std::move(draft));
    }
    if (!request.with_originals()) continue;
    const std::string& basis =
        request.legal_basis().empty() ? request.purpose() : request.legal_basis();
    absl::StatusOr<Originals> originals =
        PlanOriginals(state, context, **record, *added, {}, basis, !request.dry_run());
    if (!originals.ok()) return originals.status();
    AddOriginals(*originals, response.mutable_preview(response.preview_size() - 1));
    for (sync::Draft& draft : originals->drafts) drafts.push_back(std::move(draft));
  }
  if (request.dry_run()) return response;
  if (absl::Status s = state.Append(now, std::move(drafts)); !s.ok()) return s;
  response.set_done(true);
  return response;
}

}  // namespace entente::core
