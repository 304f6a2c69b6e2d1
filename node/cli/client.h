// One connection to one node, signed in. Everything a verb does goes through Call, by method name;
// files go through Upload and Download.
//
// Not thread-safe. Errors are those of the node (stable code in the message), or Unavailable
// [UNREACHABLE], or [BAD_KEY_FILE].
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entente/v1/client.pb.h"
#include "node/cli/files.h"
#include "node/cli/profile.h"

namespace entente::cli {

class Client {
 public:
  // Signs in when the target has a key file.
  static absl::StatusOr<std::unique_ptr<Client>> Connect(const Target& target,
                                                         absl::Duration timeout);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // `method` as "TaskService/AcceptTask". A session that has ended is renewed once.
  absl::Status Call(std::string_view method, const google::protobuf::Message& request,
                    google::protobuf::Message* response);

  using Progress = std::function<void(uint64_t bytes_done, uint64_t bytes_total)>;

  // Sends the file under `name` in constant memory, and checks that it did not change meanwhile;
  // when it did, the node keeps nothing.
  absl::StatusOr<v1::UploadFileResponse> Upload(FileSource& file, const std::string& name,
                                                const Progress& progress);

  // `open` gets the head (name, size, SHA-256) before the first byte and says where the bytes go.
  using OpenSink = std::function<absl::StatusOr<std::unique_ptr<FileSink>>(
      const v1::DownloadFileResponse& head)>;
  // The file is in place when this returns OK. Returns the head.
  absl::StatusOr<v1::DownloadFileResponse> Download(const v1::DownloadFileRequest& request,
                                                    const OpenSink& open, const Progress& progress);

 private:
  struct Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace entente::cli
