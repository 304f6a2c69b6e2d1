// The pure table of two-sided work. Requester: 0, REVIEWED, CLOSED, WITHDRAWN. Executor: 0,
// ACCEPTED, DECLINED, IN_PROGRESS, BLOCKED, EXECUTED, PARTLY_EXECUTED, IMPOSSIBLE.
#include "node/model/record.h"

namespace entente::model {
namespace {

bool Finished(uint32_t executor) {
  return executor == v1::TASK_STATE_EXECUTED || executor == v1::TASK_STATE_PARTLY_EXECUTED ||
         executor == v1::TASK_STATE_IMPOSSIBLE;
}

}  // namespace

TaskPicture TaskTable(uint32_t requester, uint32_t executor) {
  const uint32_t done_so_far = executor == 0 ? uint32_t{v1::TASK_STATE_SENT} : executor;
  switch (requester) {
    case v1::TASK_STATE_WITHDRAWN:
      // Work that was done stays done; the withdrawal crossed it on the way.
      if (Finished(executor)) return {executor, true};
      return {v1::TASK_STATE_WITHDRAWN, false};
    case v1::TASK_STATE_REVIEWED:
    case v1::TASK_STATE_CLOSED:
      return {requester, false};
    default:
      return {done_so_far, false};
  }
}

}  // namespace entente::model
