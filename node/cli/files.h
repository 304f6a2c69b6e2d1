// Files on the person's own machine: what goes in as evidence, what comes out, keys and cards.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/hash.h"

namespace entente::cli {

// What a person can do about a name that is taken.
inline constexpr std::string_view kOtherName = "choose another name";

// Standard input for "-". ResourceExhausted beyond `bytes_max`.
absl::StatusOr<std::string> ReadWhole(const std::string& path, size_t bytes_max);
// AlreadyExists [FILE_EXISTS] when there is such a file. Mode 0600 or 0644.
absl::Status WriteNew(const std::string& path, std::string_view bytes, mode_t mode);
// As WriteNew, but replaces the file when `force`; a reader never sees half of it.
absl::Status WriteOut(const std::string& path, std::string_view bytes, bool force);

// A new file that is there before what it will hold: for what is made elsewhere and must not be
// made for nothing. Goes away unless kept.
class NewFile {
 public:
  // Sets `room` bytes aside where the file system can. AlreadyExists [FILE_EXISTS].
  static absl::StatusOr<std::unique_ptr<NewFile>> Make(const std::string& path, mode_t mode,
                                                       size_t room = 0);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  // Its whole content, synced. Once.
  absl::Status Keep(std::string_view bytes);

 private:
  NewFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  const std::string path_;
  const int fd_;
  bool kept_ = false;
};

// A file on its way in. It must stay as it is while it is read: a copy that no moment ever had on
// disk is not evidence.
class FileSource {
 public:
  // InvalidArgument [NOT_A_FILE] for directories, pipes and devices.
  static absl::StatusOr<std::unique_ptr<FileSource>> Open(const std::string& path);
  ~FileSource();
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  const std::string& path() const { return path_; }
  std::string name() const;  // without folders
  uint64_t size() const { return static_cast<uint64_t>(before_.st_size); }

  // Up to 1 MiB; empty at the promised end. Aborted [FILE_CHANGED] when the file has become
  // shorter.
  absl::StatusOr<std::string> Next();
  // After the last byte: Aborted [FILE_CHANGED] when size, times or length differ from the start.
  absl::Status CheckUnchanged() const;

 private:
  FileSource(std::string path, int fd, const struct stat& before)
      : path_(std::move(path)), fd_(fd), before_(before) {}
  const std::string path_;
  const int fd_;
  const struct stat before_;
  uint64_t read_ = 0;
};

// A file on its way out: written beside its place and moved there once its hash is right.
class FileSink {
 public:
  // AlreadyExists [FILE_EXISTS] unless `force`; `if_there` says what to do then, and outlives this.
  static absl::StatusOr<std::unique_ptr<FileSink>> Open(const std::string& path, bool force,
                                                        std::string_view if_there = kOtherName);
  ~FileSink();  // removes what was not committed
  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;

  absl::Status Write(std::string_view bytes);
  // DataLoss [WRONG_HASH] when size or SHA-256 (hex) differ: nothing is left.
  absl::Status Commit(uint64_t size, std::string_view sha256);
  uint64_t written() const { return written_; }

 private:
  FileSink(std::string path, std::string temporary, int fd, bool force, std::string_view if_there)
      : path_(std::move(path)),
        temporary_(std::move(temporary)),
        fd_(fd),
        force_(force),
        if_there_(if_there) {}
  const std::string path_;
  std::string temporary_;
  int fd_;
  const bool force_;
  const std::string_view if_there_;
  uint64_t written_ = 0;
  crypto::Sha256Stream hash_;
};

}  // namespace entente::cli
