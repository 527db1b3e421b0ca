import type { FcmSimulator } from '../../src/simulators/fcm/fcm-simulator.ts'
import { type CentripushProcess, startCentripush } from '../../tests/support/centripush-process.ts'
import { createTestDatabase } from '../../tests/support/database.ts'
import { startFcmSimulator } from '../../tests/support/fcm-simulator.ts'
import { type RecordedNode, startRecordedNode } from './recorded-node.ts'

/** centripush as an operator runs it, for one file of tests: API and worker, PostgreSQL, a node and FCM behind it. */
export interface SdkServer {
  /** The one thing that an SDK is told besides its key: `http://127.0.0.1:PORT/api`. */
  api: string
  /** What clients send. The node has another one, which they never see. */
  key: string
  fcm: FcmSimulator
  node: RecordedNode
  process: CentripushProcess
  /** Stops all of it, centripush by SIGTERM. */
  stop(): Promise<void>
}

/** Starts it on free ports, with a database of its own. HMS, APNs and Web Push are the sandbox. */
export async function startSdkServer(): Promise<SdkServer> {
  const key = 'key-of-the-clients'
  const [database, fcm, node] = await Promise.all([createTestDatabase(), startFcmSimulator(), startRecordedNode()])
  const { origin, files } = fcm.simulator
  const stopOthers = async () => {
    await Promise.all([database.drop(), fcm.stop(), node.stop()])
  }
  const process = await startCentripush({
    http_api: { key },
    upstream: { address: node.address, api_key: node.key },
    database: { postgresql: { dsn: database.dsn } },
    push_notifications: {
      fcm: { credentials_file: files.credentials, ca_file: files.ca, push_endpoint: origin, auth_endpoint: origin },
    },
  }).catch(async (error: unknown) => {
    await stopOthers()
    throw error
  })
  const stop = async () => {
    await process.stop()
    await stopOthers()
  }
  return { api: `${process.url}/api`, key, fcm: fcm.simulator, node, process, stop }
}
