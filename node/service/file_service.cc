#include "node/service/file_service.h"

#include <utility>

#include "node/service/errors.h"
#include "node/service/media_type.h"

namespace entente::service {
namespace {

constexpr size_t kDataBytesMax = 1u << 20;
// A long transfer is a sign of life: neither the session nor the files already sent grow old.
constexpr uint64_t kSignOfLifeBytes = 64u << 20;
constexpr std::string_view kUpload = "/entente.v1.FileService/UploadFile";
constexpr std::string_view kDownload = "/entente.v1.FileService/DownloadFile";

absl::Status CutShort() {
  return Error(absl::StatusCode::kCancelled,
               {.what = "the transfer was cut short",
                .code = "CUT_SHORT",
                .why = "The connection ended before the file did; nothing was kept.",
                .next = "start it again"});
}

absl::Status CheckFirst(const v1::UploadFileRequest& first) {
  if (!first.name().empty()) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument,
               {.what = "the uploaded file has no name",
                .code = "BAD_VALUE",
                .why = "The first message of an upload names the file and its size."});
}

absl::Status SizeDiffers(std::string_view what) {
  return Error(absl::StatusCode::kInvalidArgument,
               {.what = "the file is not as long as was promised",
                .code = "SIZE_CHANGED",
                .why = what,
                .next = "make sure nothing writes to the file, then add it again"});
}

}  // namespace

std::string TokenOf(const grpc::ServerContextBase& context) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find("entente-session");
  if (found == metadata.end()) return "";
  return Unhex({found->second.data(), found->second.size()}).value_or("");
}

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return {static_cast<grpc::StatusCode>(status.code()), MessageWithCode(status)};
}

// One of the bounded number of transfers.
class FileServiceImpl::Slot {
 public:
  explicit Slot(FileServiceImpl& service)
      : service_(service), got_(service.transfers_.fetch_add(1) < service.options_.transfers_max) {}
  ~Slot() { service_.transfers_.fetch_sub(1); }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

  absl::Status Check() const {
    if (service_.blobs_ == nullptr) {
      return Error(absl::StatusCode::kUnimplemented,
                   {.what = "this program keeps no files", .code = "UNKNOWN_METHOD"});
    }
    if (got_) return absl::OkStatus();
    return Error(absl::StatusCode::kResourceExhausted,
                 {.what = "too many files are being transferred at this moment",
                  .code = "TOO_MANY_TRANSFERS",
                  .next = "wait for one of them to finish, then try again"});
  }

 private:
  FileServiceImpl& service_;
  const bool got_;
};

FileServiceImpl::FileServiceImpl(const ApiServer::Options& options, Backend& backend,
                                 Dispatcher& dispatcher, Sessions& sessions, UploadDesk& uploads,
                                 store::BlobStore* blobs, Entropy& entropy)
    : options_(options),
      backend_(backend),
      dispatcher_(dispatcher),
      sessions_(sessions),
      uploads_(uploads),
      blobs_(blobs),
      entropy_(entropy) {}

absl::StatusOr<core::Caller> FileServiceImpl::Admit(const grpc::ServerContext& context,
                                                    std::string_view method) {
  return dispatcher_.Admit(method, TokenOf(context));
}

grpc::Status FileServiceImpl::UploadFile(grpc::ServerContext* context,
                                         grpc::ServerReader<v1::UploadFileRequest>* reader,
                                         v1::UploadFileResponse* response) {
  return ToGrpc(Receive(context, reader, response));
}

grpc::Status FileServiceImpl::DownloadFile(grpc::ServerContext* context,
                                           const v1::DownloadFileRequest* request,
                                           grpc::ServerWriter<v1::DownloadFileResponse>* writer) {
  return ToGrpc(Send(context, *request, writer));
}

absl::Status FileServiceImpl::Receive(grpc::ServerContext* context,
                                      grpc::ServerReader<v1::UploadFileRequest>* reader,
                                      v1::UploadFileResponse* response) {
  const absl::StatusOr<core::Caller> caller = Admit(*context, kUpload);
  if (!caller.ok()) return caller.status();
  const Slot slot(*this);
  if (absl::Status status = slot.Check(); !status.ok()) return status;

  v1::UploadFileRequest message;
  if (!reader->Read(&message)) return CutShort();
  if (absl::Status status = CheckFirst(message); !status.ok()) return status;
  const uint64_t promised = message.size();
  absl::StatusOr<std::unique_ptr<store::UploadWriter>> writer =
      blobs_->BeginUpload(message.name(), promised, entropy_);
  if (!writer.ok()) return writer.status();

  std::string probe;
  uint64_t alive_at = 0;
  do {
    if (message.data().size() > kDataBytesMax) {
      return absl::InvalidArgumentError("one message of an upload holds at most 1 MiB");
    }
    if ((*writer)->bytes_received() + message.data().size() > promised) {
      return SizeDiffers("More bytes came than the first message said.");
    }
    if (probe.size() < kMediaTypeProbeBytes) {
      probe.append(message.data(), 0, kMediaTypeProbeBytes - probe.size());
    }
    if (absl::Status wrote = (*writer)->Write(message.data()); !wrote.ok()) return wrote;
    if ((*writer)->bytes_received() - alive_at >= kSignOfLifeBytes) {
      alive_at = (*writer)->bytes_received();
      uploads_.Touch(caller->user);
      (void)sessions_.Resolve(TokenOf(*context));
    }
  } while (reader->Read(&message));
  if (context->IsCancelled()) return CutShort();
  if ((*writer)->bytes_received() != promised) {
    return SizeDiffers("Fewer bytes came than the first message said.");
  }

  absl::StatusOr<v1::FileRef> file = (*writer)->Finish();
  if (!file.ok()) return file.status();
  file->set_media_type(std::string(SniffMediaType(probe)));
  response->set_size(file->plain_size());
  response->set_sha256(Hex(file->plain_sha256()));
  const absl::StatusOr<BlobId> blob = BlobId::From(file->blob_id());
  absl::StatusOr<std::string> id = uploads_.Put(caller->user, *std::move(file));
  if (!id.ok()) {
    if (blob.ok()) blobs_->DiscardUpload(*blob).IgnoreError();
    return id.status();
  }
  response->set_upload_id(*std::move(id));
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<store::BlobReader>> FileServiceImpl::OpenReader(
    const v1::FileRef& file) {
  auto reader = blobs_->OpenReader(file);
  if (!absl::IsNotFound(reader.status())) return reader;
  // Just registered: its upload is adopted in the background, and may be adopted here as well,
  // because an entry names it.
  const absl::StatusOr<BlobId> blob = BlobId::From(file.blob_id());
  if (!blob.ok() || !blobs_->Adopt(*blob).ok()) {
    return Error(absl::StatusCode::kUnavailable,
                 {.what = "the file is not here yet",
                  .code = "FILE_WAITING",
                  .why = "It is still being fetched from the body that released it.",
                  .next = "see how far it is: entente evidence show, entente sync status"});
  }
  return blobs_->OpenReader(file);
}

absl::Status FileServiceImpl::Send(grpc::ServerContext* context,
                                   const v1::DownloadFileRequest& request,
                                   grpc::ServerWriter<v1::DownloadFileResponse>* writer) {
  const absl::StatusOr<core::Caller> caller = Admit(*context, kDownload);
  if (!caller.ok()) return caller.status();
  const Slot slot(*this);
  if (absl::Status status = slot.Check(); !status.ok()) return status;
  const absl::StatusOr<v1::FileRef> file =
      backend_.FileForDownload(*caller, request.record(), request.name());
  if (!file.ok()) return file.status();
  absl::StatusOr<std::unique_ptr<store::BlobReader>> reader = OpenReader(*file);
  if (!reader.ok()) return reader.status();

  v1::DownloadFileResponse message;
  message.set_name(file->name());
  message.set_size(file->plain_size());
  message.set_sha256(Hex(file->plain_sha256()));
  if (!writer->Write(message)) return CutShort();
  uint64_t sent = 0;
  uint64_t alive_at = 0;
  while (true) {
    absl::StatusOr<std::string> data = (*reader)->Next();
    if (!data.ok()) return data.status();
    if (data->empty()) return absl::OkStatus();
    sent += data->size();
    message.Clear();
    message.set_data(*std::move(data));
    if (!writer->Write(message)) return CutShort();
    if (sent - alive_at >= kSignOfLifeBytes) {
      alive_at = sent;
      (void)sessions_.Resolve(TokenOf(*context));
    }
  }
}

}  // namespace entente::service
