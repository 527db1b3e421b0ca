import { apiKilled } from './cases/api-killed.ts'
import { audienceChanged } from './cases/audience-changed.ts'
import { cancelledWhileCutOff, cancelledWhileFrozen } from './cases/cancelled-while-interrupted.ts'
import { fanOutKilled } from './cases/fan-out-killed.ts'
import { rangeWorkerKilled } from './cases/range-worker-killed.ts'
import { ratesKept } from './cases/rates-kept.ts'
import { sendCancelled } from './cases/send-cancelled.ts'
import { storeFull } from './cases/store-full.ts'
import { storeKilled } from './cases/store-killed.ts'
import { storeRestarted } from './cases/store-restarted.ts'
import { storeStalled } from './cases/store-stalled.ts'
import { usersAcknowledge } from './cases/users-acknowledge.ts'
import { workerFrozen } from './cases/worker-frozen.ts'
import { reliableWorkerKilled, workerKilled } from './cases/worker-killed.ts'
import { workersRestarted } from './cases/workers-restarted.ts'
import type { FaultCase } from './fault-case.ts'

/** Every fault case, in the order of docs/reliability.md. */
export const FAULT_CASES: readonly FaultCase[] = [
  workerKilled,
  reliableWorkerKilled,
  rangeWorkerKilled,
  audienceChanged,
  fanOutKilled,
  workersRestarted,
  workerFrozen,
  apiKilled,
  storeKilled,
  storeRestarted,
  storeStalled,
  storeFull,
  usersAcknowledge,
  sendCancelled,
  cancelledWhileCutOff,
  cancelledWhileFrozen,
  ratesKept,
]
