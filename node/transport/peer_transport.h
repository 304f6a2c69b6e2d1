// Streams between this node and its peers: listens, dials, pins, queues. Which of two connections
// to one peer survives is the core's to say (it closes one); while any is open this side does not
// dial.
//
// Events come on gRPC's threads, in order for each session: Opened, then its Frames, then Closed,
// exactly once. They must not block nor call Stop.
// A message that is no frame (frame_guard.h) comes as an empty frame, the last of its session.
//
// Nothing a peer does makes a queue grow without bound: what waits to be sent to it is capped (the
// session is closed when it is exceeded), and so is what was read and not yet released by whoever
// got it (reading pauses, and TCP slows the peer).
//
// Thread-safe. Example:
//   auto transport = PeerTransport::Start({.listen = {"127.0.0.1:7400"}}, keys->tls, entropy,
//   events);
//   (*transport)->SetPeers(targets);           // again whenever cards or routes change
//   (*transport)->Send(session, std::move(frame));
// Design §6. Tests: tests/node/transport/peer_transport_test.cc.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "crypto/entropy.h"
#include "crypto/tls_identity.h"
#include "entente/v1/peer.pb.h"
#include "node/transport/acceptor.h"
#include "sync/effects.h"

namespace entente::transport {

class PeerTransport {
 public:
  // Called once the frame has been dealt with, on any thread.
  using Release = std::function<void()>;
  struct Events {
    std::function<void(const sync::SessionOpened&)> opened;
    std::function<void(sync::SessionId, v1::Frame, Release)> frame;
    std::function<void(sync::SessionId, std::string reason)> closed;
  };

  struct Options {
    std::vector<std::string> listen;  // see Acceptor::Options::addresses; may be empty
    Acceptor::Options acceptor;       // its addresses are taken from `listen`

    absl::Duration back_off_min = absl::Milliseconds(200);
    absl::Duration back_off_max = absl::Seconds(30);
    absl::Duration connect_timeout = absl::Seconds(10);
    absl::Duration keepalive = absl::Seconds(30);
    absl::Duration close_grace = absl::Seconds(5);  // for what was queued before Close

    // More than the core ever queues for a peer that reads (sync/limits.h: wants, pushes, chunks).
    size_t send_bytes_max = 64 << 20;
    // Read from one session and not yet released; one message more may be under way. Each frame
    // counts 256 bytes besides its own.
    size_t receive_bytes_max = 2 << 20;
    size_t receive_frames_max = 256;
    size_t sessions_per_peer_max = 4;
    // What gRPC itself may take for all connections that came in.
    size_t memory_max = 128 << 20;
    int threads_max = 64;
  };

  // A peer as the core knows it. Its key may connect; it is dialled when `dial` says so.
  struct Target {
    PartyId party;
    Hash spki;
    std::vector<std::string> addresses;
    bool dial = false;
  };

  // `entropy` must outlive the transport; it is drawn from on one thread at a time.
  static absl::StatusOr<std::unique_ptr<PeerTransport>> Start(Options options,
                                                              const crypto::TlsIdentity& identity,
                                                              Entropy& entropy, Events events);
  ~PeerTransport();  // stops
  PeerTransport(const PeerTransport&) = delete;
  PeerTransport& operator=(const PeerTransport&) = delete;

  // The whole list. Sessions of a party that is no longer on it are cut at once.
  void SetPeers(std::vector<Target> targets);

  // Never waits. A frame for a session that is gone is dropped: its Closed is on the way.
  void Send(sync::SessionId session, v1::Frame frame);

  // Sends what was queued, within `close_grace`, then ends the stream. `reason` comes back with
  // Closed; it does not travel.
  void Close(sync::SessionId session, std::string reason);

  // Dials everybody who is due anyway, now: after a network change, or when a person asks.
  void DialNow();

  // Cuts everything; every open session gets its Closed first. Waits for events under way. Once.
  void Stop();

  // Where it listens, with real ports.
  std::vector<std::string> listening() const;
  // Waiting to be sent to this session, in bytes; 0 when it is gone.
  size_t QueuedBytes(sync::SessionId session) const;
  Acceptor::Counts connections() const;

  struct Impl;  // for peer_transport.cc

 private:
  explicit PeerTransport(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

// What gRPC's server is told about connections that come in, by gRPC's names; together with TLS
// 1.3, pins on both ends (tls.h) and the acceptor these are the bounds of docs/operating.md.
std::vector<std::pair<std::string, int>> PeerServerSettings(const PeerTransport::Options& options);

}  // namespace entente::transport
