#include "node/driver/file_pool.h"

#include <utility>

namespace entente::driver {
namespace {

// Chunks that share one sync: protocol §11 says up to 32.
constexpr size_t kChunksPerSync = 32;

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

}  // namespace

FilePool::FilePool(store::BlobStore& blobs, int threads, Post post, Compact compact)
    : blobs_(blobs), post_(std::move(post)), compact_(std::move(compact)) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

FilePool::~FilePool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void FilePool::Submit(sync::FileJob job) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(job));
  }
  wake_.notify_one();
}

bool FilePool::Take(std::vector<sync::FileJob>* jobs) {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
  if (stopping_) return false;
  jobs->push_back(std::move(queue_.front()));
  queue_.pop_front();
  const auto* first = std::get_if<sync::WriteChunkJob>(&jobs->front());
  if (first == nullptr) return true;
  const BlobId blob = first->blob;
  for (auto it = queue_.begin(); it != queue_.end() && jobs->size() < kChunksPerSync;) {
    const auto* other = std::get_if<sync::WriteChunkJob>(&*it);
    if (other != nullptr && other->blob == blob) {
      jobs->push_back(std::move(*it));
      it = queue_.erase(it);
    } else {
      ++it;
    }
  }
  return true;
}

void FilePool::Run() {
  std::vector<sync::FileJob> jobs;
  while (Take(&jobs)) {
    Do(jobs);
    jobs.clear();
  }
}

void FilePool::Do(const std::vector<sync::FileJob>& jobs) {
  std::visit(
      Overloaded{
          [this](const sync::ReadChunkJob& job) {
            sync::ChunkRead out{job.blob, job.index, job.requester, absl::OkStatus(), 0, "", {}};
            absl::StatusOr<store::BlobStore::Chunk> chunk = blobs_.ReadChunk(job.blob, job.index);
            if (chunk.ok()) {
              out.count = chunk->count;
              out.sealed = std::move(chunk->sealed);
              out.path = std::move(chunk->path);
            } else {
              out.status = chunk.status();
            }
            post_(sync::Input(std::move(out)));
          },
          [this, &jobs](const sync::WriteChunkJob&) { WriteChunks(jobs); },
          [this](const sync::VerifyBlobJob& job) {
            const BlobId blob = *BlobId::From(job.file.blob_id());
            post_(sync::Input(sync::BlobVerified{blob, blobs_.VerifyBlob(job.file)}));
          },
          [this](const sync::CheckChunksJob& job) { CheckChunks(job); },
          [this](const sync::EraseJob& job) {
            post_(sync::Input(sync::Erased{job.id, Erase(job)}));
          },
          [this](const sync::AdoptUploadJob& job) {
            // A failure is found again at the next start, which adopts what entries name.
            static_cast<void>(blobs_.Adopt(job.blob).ok());
          },
      },
      jobs.front());
}

absl::Status FilePool::Erase(const sync::EraseJob& job) {
  for (const BlobId& file : job.files) {
    if (absl::Status s = blobs_.Remove(file); !s.ok()) return s;
  }
  if (compact_ == nullptr) return absl::OkStatus();
  for (const auto& [from, to] : job.ranges) {
    if (absl::Status s = compact_(from, to); !s.ok()) return s;
  }
  return absl::OkStatus();
}

void FilePool::CheckChunks(const sync::CheckChunksJob& job) {
  sync::ChunksChecked out{job.blob, 0, {}, absl::OkStatus()};
  for (const uint64_t index : job.indices) {
    const absl::Status read = blobs_.ReadChunk(job.blob, index).status();
    if (absl::IsDataLoss(read)) {
      out.damaged.push_back(index);
    } else if (!read.ok()) {
      out.status = read;
      break;
    }
    ++out.checked;
  }
  post_(sync::Input(std::move(out)));
}

void FilePool::WriteChunks(const std::vector<sync::FileJob>& jobs) {
  std::vector<store::BlobStore::ChunkIn> chunks;
  for (const sync::FileJob& any : jobs) {
    const auto& job = std::get<sync::WriteChunkJob>(any);
    chunks.push_back({job.index, job.count, job.sealed, job.path});
  }
  const BlobId blob = std::get<sync::WriteChunkJob>(jobs.front()).blob;
  const std::vector<absl::Status> verdicts = blobs_.WriteChunks(blob, chunks);
  for (size_t i = 0; i < jobs.size(); ++i) {
    const auto& job = std::get<sync::WriteChunkJob>(jobs[i]);
    post_(sync::Input(sync::ChunkWritten{job.blob, job.index, job.sender, verdicts[i]}));
  }
}

}  // namespace entente::driver
