import type { FcmSimulator } from '../../src/simulators/fcm/fcm-simulator.ts'
import { type CentripushProcess, startCentripush } from '../../tests/support/centripush-process.ts'
import { createTestDatabase } from '../../tests/support/database.ts'
import { startFcmSimulator } from '../../tests/support/fcm-simulator.ts'
import { type RecordedNode, startRecordedNode } from './recorded-node.ts'

/** centripush as an operator runs it: API and worker, with PostgreSQL, a node and the FCM simulator. */
export interface SdkServer {
  /** The base URL for an SDK: `http://127.0.0.1:PORT/api`. */
  api: string
  /** The API key of clients. The node has a different one. */
  key: string
  fcm: FcmSimulator
  node: RecordedNode
  process: CentripushProcess
  /** Stops centripush by SIGTERM, then the servers around it. */
  stop(): Promise<void>
}

/** Starts all servers on free ports, with a new database. HMS, APNs and Web Push use the sandbox. */
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
