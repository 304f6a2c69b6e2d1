#include "node/service/file_service.h"

#include <future>
#include <memory>
#include <utility>

#include "node/service/errors.h"
#include "node/service/media_type.h"

namespace entente::service {
namespace {

constexpr int kWorkers = 4;

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
      entropy_(entropy),
      workers_(kWorkers) {}

// One file on its way in. gRPC reads, a worker seals and writes, one message after the other.
class FileServiceImpl::Upload : public grpc::ServerReadReactor<v1::UploadFileRequest> {
 public:
  Upload(FileServiceImpl& service, grpc::CallbackServerContext& context,
         v1::UploadFileResponse& response)
      : service_(service),
        context_(context),
        token_(TokenOf(context)),
        response_(response),
        slot_(service) {
    StartRead(&message_);
  }

  void OnReadDone(bool ok) override {
    service_.workers_.Run([this, ok] {
      const absl::Status status = ok ? Take() : End();
      if (ok && status.ok()) {
        StartRead(&message_);
      } else {
        Finish(ToGrpc(status));
      }
    });
  }
  void OnDone() override { delete this; }

 private:
  absl::Status Begin() {
    absl::StatusOr<core::Caller> caller = service_.dispatcher_.Admit(kUpload, token_);
    if (!caller.ok()) return caller.status();
    caller_ = *std::move(caller);
    if (absl::Status status = slot_.Check(); !status.ok()) return status;
    if (absl::Status status = CheckFirst(message_); !status.ok()) return status;
    promised_ = message_.size();
    absl::StatusOr<std::unique_ptr<store::UploadWriter>> writer =
        service_.blobs_->BeginUpload(message_.name(), promised_, service_.entropy_);
    if (!writer.ok()) return writer.status();
    writer_ = *std::move(writer);
    return absl::OkStatus();
  }

  absl::Status Take() {
    if (writer_ == nullptr) {
      if (absl::Status status = Begin(); !status.ok()) return status;
    }
    const std::string& data = message_.data();
    if (data.size() > kDataBytesMax) {
      return absl::InvalidArgumentError("one message of an upload holds at most 1 MiB");
    }
    if (writer_->bytes_received() + data.size() > promised_) {
      return SizeDiffers("More bytes came than the first message said.");
    }
    if (probe_.size() < kMediaTypeProbeBytes) {
      probe_.append(data, 0, kMediaTypeProbeBytes - probe_.size());
    }
    if (absl::Status wrote = writer_->Write(data); !wrote.ok()) return wrote;
    if (writer_->bytes_received() - alive_at_ >= kSignOfLifeBytes) {
      alive_at_ = writer_->bytes_received();
      service_.uploads_.Touch(caller_.user);
      (void)service_.sessions_.Resolve(token_);
    }
    message_.Clear();
    return absl::OkStatus();
  }

  absl::Status End() {
    if (writer_ == nullptr || context_.IsCancelled()) return CutShort();
    if (writer_->bytes_received() != promised_) {
      return SizeDiffers("Fewer bytes came than the first message said.");
    }
    absl::StatusOr<v1::FileRef> file = writer_->Finish();
    if (!file.ok()) return file.status();
    file->set_media_type(std::string(SniffMediaType(probe_)));
    response_.set_size(file->plain_size());
    response_.set_sha256(Hex(file->plain_sha256()));
    const absl::StatusOr<BlobId> blob = BlobId::From(file->blob_id());
    absl::StatusOr<std::string> id = service_.uploads_.Put(caller_.user, *std::move(file));
    if (!id.ok()) {
      if (blob.ok()) service_.blobs_->DiscardUpload(*blob).IgnoreError();
      return id.status();
    }
    response_.set_upload_id(*std::move(id));
    return absl::OkStatus();
  }

  FileServiceImpl& service_;
  grpc::CallbackServerContext& context_;
  const std::string token_;
  v1::UploadFileResponse& response_;
  const Slot slot_;
  core::Caller caller_;
  v1::UploadFileRequest message_;
  std::unique_ptr<store::UploadWriter> writer_;
  uint64_t promised_ = 0;
  std::string probe_;
  uint64_t alive_at_ = 0;
};

// One file on its way out: a worker opens the next piece when gRPC has taken the one before.
class FileServiceImpl::Download : public grpc::ServerWriteReactor<v1::DownloadFileResponse> {
 public:
  Download(FileServiceImpl& service, grpc::CallbackServerContext& context,
           const v1::DownloadFileRequest& request)
      : service_(service), token_(TokenOf(context)), request_(request), slot_(service) {
    service_.workers_.Run([this] {
      const absl::Status status = Begin();
      if (!status.ok()) return Finish(ToGrpc(status));
      StartWrite(&message_);
    });
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(ToGrpc(CutShort()));
    service_.workers_.Run([this] {
      absl::StatusOr<std::string> data = reader_->Next();
      if (!data.ok() || data->empty()) return Finish(ToGrpc(data.status()));
      sent_ += data->size();
      message_.Clear();
      message_.set_data(*std::move(data));
      if (sent_ - alive_at_ >= kSignOfLifeBytes) {
        alive_at_ = sent_;
        (void)service_.sessions_.Resolve(token_);
      }
      StartWrite(&message_);
    });
  }
  void OnDone() override { delete this; }

 private:
  absl::Status Begin() {
    const absl::StatusOr<core::Caller> caller = service_.dispatcher_.Admit(kDownload, token_);
    if (!caller.ok()) return caller.status();
    if (absl::Status status = slot_.Check(); !status.ok()) return status;
    const absl::StatusOr<v1::FileRef> file = service_.FileOf(*caller, request_);
    if (!file.ok()) return file.status();
    absl::StatusOr<std::unique_ptr<store::BlobReader>> reader = service_.OpenReader(*file);
    if (!reader.ok()) return reader.status();
    reader_ = *std::move(reader);
    message_.set_name(file->name());
    message_.set_size(file->plain_size());
    message_.set_sha256(Hex(file->plain_sha256()));
    return absl::OkStatus();
  }

  FileServiceImpl& service_;
  const std::string token_;
  const v1::DownloadFileRequest& request_;
  const Slot slot_;
  v1::DownloadFileResponse message_;
  std::unique_ptr<store::BlobReader> reader_;
  uint64_t sent_ = 0;
  uint64_t alive_at_ = 0;
};

absl::StatusOr<v1::FileRef> FileServiceImpl::FileOf(const core::Caller& caller,
                                                    const v1::DownloadFileRequest& request) {
  core::Command command;
  command.caller = caller;
  command.method = std::string(kDownload);
  command.request = std::make_shared<v1::DownloadFileRequest>(request);
  // Shared: whoever answers may still be in set_value when this thread has the answer.
  const auto answered = std::make_shared<std::promise<core::Answer>>();
  backend_.Submit(std::move(command),
                  [answered](core::Answer answer) { answered->set_value(std::move(answer)); });
  const core::Answer answer = answered->get_future().get();
  if (!answer.status.ok()) return answer.status;
  const auto* file = dynamic_cast<const v1::FileRef*>(answer.response.get());
  if (file == nullptr) return absl::InternalError("no file came for a download");
  return *file;
}

grpc::ServerReadReactor<v1::UploadFileRequest>* FileServiceImpl::UploadFile(
    grpc::CallbackServerContext* context, v1::UploadFileResponse* response) {
  return new Upload(*this, *context, *response);
}

grpc::ServerWriteReactor<v1::DownloadFileResponse>* FileServiceImpl::DownloadFile(
    grpc::CallbackServerContext* context, const v1::DownloadFileRequest* request) {
  return new Download(*this, *context, *request);
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

}  // namespace entente::service
