// Files of any size through the client API, in constant memory: UploadFile into the chunk store and
// DownloadFile out of it. The only streaming methods.
//
// Transfers wait for the disk on threads of their own; their number is bounded. A slow client holds
// one message, not the file: gRPC's flow control stops the stream.
// Tests: tests/e2e/size_test.py, tests/e2e/bad_input_test.py.
#pragma once

#include <atomic>
#include <string>

#include "crypto/entropy.h"
#include "entente/v1/client.grpc.pb.h"
#include "node/service/dispatcher.h"
#include "node/service/worker_pool.h"
#include "node/store/blob_store.h"

namespace entente::service {

class FileServiceImpl final : public v1::FileService::CallbackService {
 public:
  FileServiceImpl(const ApiServer::Options& options, Backend& backend, Dispatcher& dispatcher,
                  Sessions& sessions, UploadDesk& uploads, store::BlobStore* blobs,
                  Entropy& entropy);

  grpc::ServerReadReactor<v1::UploadFileRequest>* UploadFile(
      grpc::CallbackServerContext* context, v1::UploadFileResponse* response) override;
  grpc::ServerWriteReactor<v1::DownloadFileResponse>* DownloadFile(
      grpc::CallbackServerContext* context, const v1::DownloadFileRequest* request) override;

 private:
  class Upload;
  class Download;
  class Slot;
  absl::StatusOr<std::unique_ptr<store::BlobReader>> OpenReader(const v1::FileRef& file);
  // Which file it is, if the node gives it to this caller; waits for the node.
  absl::StatusOr<v1::FileRef> FileOf(const core::Caller& caller,
                                     const v1::DownloadFileRequest& request);

  const ApiServer::Options& options_;
  Backend& backend_;
  Dispatcher& dispatcher_;
  Sessions& sessions_;
  UploadDesk& uploads_;
  store::BlobStore* const blobs_;
  Entropy& entropy_;
  std::atomic<size_t> transfers_ = 0;
  WorkerPool workers_;  // last: its threads use all of the above
};

// The session token of a call, raw; empty when there is none.
std::string TokenOf(const grpc::ServerContextBase& context);
grpc::Status ToGrpc(const absl::Status& status);

}  // namespace entente::service
