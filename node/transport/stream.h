// One stream of frames over gRPC, whichever side opened it: what PeerTransport and the two kinds of
// gRPC reactor share. Private to node/transport.
//
// Duplex<Base> holds the rules: one write at a time with the rest queued under a bound, reading
// only while what was handed out and not released stays under bounds of bytes and of frames, and no
// gRPC operation once the stream has ended. Messages are plain bytes for gRPC: frame_guard.h looks
// at them before they are parsed, and what is no frame arrives as an empty one, so that whoever
// judges the peer hears of it; nothing more is read after it.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "entente/v1/peer.pb.h"
#include "grpcpp/grpcpp.h"
#include "node/transport/frame_guard.h"

namespace entente::transport {

class Stream {
 public:
  virtual ~Stream() = default;
  virtual void Send(v1::Frame frame) = 0;
  // Ends it once what is queued has been sent.
  virtual void EndWhenSent() = 0;
  // Ends it now.
  virtual void Cut() = 0;
  virtual size_t QueuedBytes() const = 0;
};

struct StreamLimits {
  size_t send_bytes_max = 0;
  size_t receive_bytes_max = 0;
  size_t receive_frames_max = 0;
};

// What a frame costs beyond its bytes, so that empty ones are not free.
inline constexpr size_t kFrameOverheadBytes = 256;

inline std::string Flatten(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  bytes.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

// `Base` is a gRPC reactor over byte buffers.
template <class Base>
class Duplex : public Base, public Stream, public std::enable_shared_from_this<Duplex<Base>> {
 public:
  explicit Duplex(StreamLimits limits) : limits_(limits) {}

  void Send(v1::Frame frame) override {
    const std::string message = SerializeFrame(std::move(frame));
    const grpc::Slice slice(message);
    std::unique_lock lock(mutex_);
    if (ended_ || ending_) return;
    const size_t bytes = message.size() + kFrameOverheadBytes;
    if (queued_bytes_ + bytes > limits_.send_bytes_max) {
      lock.unlock();
      return Cut();
    }
    queued_bytes_ += bytes;
    queue_.emplace_back(&slice, 1);
    if (!writing_) WriteFront();
  }

  void EndWhenSent() override {
    const std::lock_guard lock(mutex_);
    if (std::exchange(ending_, true) || writing_ || ended_) return;
    SayEnd();
  }

  void Cut() override {
    MarkEnded();
    Abort();
  }

  size_t QueuedBytes() const override {
    const std::lock_guard lock(mutex_);
    return queued_bytes_;
  }

  void OnReadDone(bool ok) override {
    if (!ok) return PeerEnded();
    std::optional<v1::Frame> frame = ParseFrame(Flatten(in_));
    const size_t bytes = in_.Length() + kFrameOverheadBytes;
    in_.Clear();
    const bool good = frame.has_value();
    {
      const std::lock_guard lock(mutex_);
      unreleased_bytes_ += bytes;
      ++unreleased_frames_;
      deaf_ = deaf_ || !good;
    }
    Deliver(std::move(frame).value_or(v1::Frame()),
            [self = this->shared_from_this(), bytes] { self->Released(bytes); });
    ReadOn();
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return Cut();
    const std::lock_guard lock(mutex_);
    writing_ = false;
    queued_bytes_ -= queue_.front().Length() + kFrameOverheadBytes;
    queue_.pop_front();
    if (ended_) return;
    if (!queue_.empty()) return WriteFront();
    if (ending_) SayEnd();
  }

 protected:
  // What differs between the two sides.
  virtual void Deliver(v1::Frame frame, std::function<void()> release) = 0;
  virtual void SayEnd() = 0;     // all is sent; called with the mutex held
  virtual void Abort() = 0;      // ends the call, whatever gRPC is doing; may come twice
  virtual void PeerEnded() = 0;  // nothing more will be read

  // Reads the next message, unless enough waits to be released or the stream has ended.
  void ReadOn() {
    const std::lock_guard lock(mutex_);
    ReadOnLocked();
  }

  // No operation starts any more.
  void MarkEnded() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  void MarkEndedLocked() { ended_ = true; }

 private:
  void ReadOnLocked() {
    paused_ = unreleased_bytes_ >= limits_.receive_bytes_max ||
              unreleased_frames_ >= limits_.receive_frames_max;
    if (!paused_ && !ended_ && !deaf_) this->StartRead(&in_);
  }

  void Released(size_t bytes) {
    const std::lock_guard lock(mutex_);
    unreleased_bytes_ -= bytes;
    --unreleased_frames_;
    if (paused_) ReadOnLocked();
  }

  void WriteFront() {  // with the mutex held
    writing_ = true;
    grpc::WriteOptions options;
    if (queue_.size() > 1) options.set_buffer_hint();
    this->StartWrite(&queue_.front(), options);
  }

  const StreamLimits limits_;
  mutable std::mutex mutex_;
  std::deque<grpc::ByteBuffer> queue_;
  size_t queued_bytes_ = 0;
  bool writing_ = false;
  bool ending_ = false;
  grpc::ByteBuffer in_;
  size_t unreleased_bytes_ = 0;
  size_t unreleased_frames_ = 0;
  bool paused_ = false;
  bool deaf_ = false;
  bool ended_ = false;
};

}  // namespace entente::transport
