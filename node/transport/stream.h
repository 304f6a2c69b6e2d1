// One stream of frames over gRPC, whichever side opened it: what PeerTransport and the two kinds of
// gRPC reactor share. Private to node/transport.
//
// Duplex<Base> holds the rules: one write at a time with the rest queued under a bound, reading
// only while what was handed out and not released stays under a bound, and no gRPC operation once
// the stream has ended.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "entente/v1/peer.pb.h"
#include "grpcpp/grpcpp.h"

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
};

// `Base` is a gRPC reactor; `Out` and `In` are messages with a field `frame`.
template <class Base, class Out, class In>
class Duplex : public Base,
               public Stream,
               public std::enable_shared_from_this<Duplex<Base, Out, In>> {
 public:
  explicit Duplex(StreamLimits limits) : limits_(limits) {}

  void Send(v1::Frame frame) override {
    std::unique_lock lock(mutex_);
    if (ended_ || ending_) return;
    Out message;
    *message.mutable_frame() = std::move(frame);
    const size_t bytes = message.ByteSizeLong();
    if (queued_bytes_ + bytes > limits_.send_bytes_max) {
      lock.unlock();
      return Cut();
    }
    queued_bytes_ += bytes;
    queue_.push_back(std::move(message));
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
    const size_t bytes = in_.ByteSizeLong();
    v1::Frame frame = std::move(*in_.mutable_frame());
    in_.Clear();
    {
      const std::lock_guard lock(mutex_);
      unreleased_ += bytes;
    }
    Deliver(std::move(frame), [self = this->shared_from_this(), bytes] { self->Released(bytes); });
    ReadOn();
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return Cut();
    const std::lock_guard lock(mutex_);
    writing_ = false;
    queued_bytes_ -= queue_.front().ByteSizeLong();
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
    paused_ = unreleased_ >= limits_.receive_bytes_max;
    if (!paused_ && !ended_) this->StartRead(&in_);
  }

  // No operation starts any more.
  void MarkEnded() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  void MarkEndedLocked() { ended_ = true; }

 private:
  void Released(size_t bytes) {
    {
      const std::lock_guard lock(mutex_);
      unreleased_ -= bytes;
      if (!paused_) return;
    }
    ReadOn();
  }

  void WriteFront() {  // with the mutex held
    writing_ = true;
    grpc::WriteOptions options;
    if (queue_.size() > 1) options.set_buffer_hint();
    this->StartWrite(&queue_.front(), options);
  }

  const StreamLimits limits_;
  mutable std::mutex mutex_;
  std::deque<Out> queue_;
  size_t queued_bytes_ = 0;
  bool writing_ = false;
  bool ending_ = false;
  In in_;
  size_t unreleased_ = 0;
  bool paused_ = false;
  bool ended_ = false;
};

}  // namespace entente::transport
