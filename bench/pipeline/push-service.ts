// A provider of the pipeline: a sink that accepts the pushes with the provider's answers, and the project's simulator
// for the exchange of credentials.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { InferInput } from 'valibot'
import type { ProviderName } from '../../src/config/provider-names.ts'
import type { ConfigSchema } from '../../src/config/schema.ts'
import { ApnsSimulator } from '../../src/simulators/apns/apns-simulator.ts'
import { FcmSimulator } from '../../src/simulators/fcm/fcm-simulator.ts'
import { HmsSimulator } from '../../src/simulators/hms/hms-simulator.ts'
import { WebPushSimulator } from '../../src/simulators/webpush/webpush-simulator.ts'
import { startNghttpd } from '../peers/nghttpd.ts'
import { CountingSink } from '../sinks/counting-sink.ts'

/** The `push_notifications` section of a server's configuration. */
export type PushConfig = NonNullable<InferInput<typeof ConfigSchema>['push_notifications']>

/** A server that accepts the pushes. */
export interface PushSink {
  origin: string
  ca: string
  pid: number
  stop(): Promise<void>
}

/** A sink and its simulator. */
export interface PushService {
  config: PushConfig
  sink: PushSink
  /** The path of the pushes, without the first slash. */
  path: string
  /** Undefined for a sink that does not count. */
  counting: CountingSink | undefined
  stop(): Promise<void>
}

/** nghttpd is a C server, but it only serves the paths of its files, and APNs has a path for each device. */
export type SinkKind = 'nghttpd' | 'counting'

/** Options of the counting sink. */
export interface SinkManners {
  delayMs?: number
  maxStreams?: number
  timeMark?: string
}

/** The simulator's part: the provider's section of the configuration, and the simulator's certificate authority. */
interface Credentials {
  /** The path, status and body of the sink's answers. */
  path: string
  status: number
  answer: string
  headers?: Record<string, string>
  ca: string
  section(origin: string, caFile: string): PushConfig
  stop(): Promise<void>
}

/** The path of all Web Push endpoints; the query identifies a subscription. */
export const WEBPUSH_PATH = 'push'

const START: Record<ProviderName, (directory: string) => Promise<Credentials>> = {
  fcm: async (directory) => {
    const simulator = await FcmSimulator.start({ directory })
    const { files, project, origin: auth_endpoint } = simulator
    return {
      path: `v1/projects/${project}/messages:send`,
      status: 200,
      answer: `{\n  "name": "projects/${project}/messages/0:1767225600000000%1f2e3d4c5b6a7980"\n}\n`,
      ca: files.ca,
      section: (push_endpoint, ca_file) => ({
        fcm: { credentials_file: files.credentials, push_endpoint, auth_endpoint, ca_file },
      }),
      stop: () => simulator.stop(),
    }
  },
  hms: async (directory) => {
    const simulator = await HmsSimulator.start({ directory })
    const { app, files, authEndpoint: auth_endpoint } = simulator
    return {
      path: `v1/${app.id}/messages:send`,
      status: 200,
      answer: '{"code":"80000000","msg":"Success","requestId":"157968000000000000000000"}',
      ca: files.ca,
      section: (push_endpoint, ca_file) => ({
        hms: { app_id: app.id, app_secret: app.secret, push_endpoint, auth_endpoint, ca_file },
      }),
      stop: () => simulator.stop(),
    }
  },
  apns: async (directory) => {
    const simulator = await ApnsSimulator.start({ directory })
    const { account, files } = simulator
    return {
      path: '3/device',
      status: 200,
      answer: '',
      // APNs returns the id of the request. Reading the same id in all answers costs as much.
      headers: { 'apns-id': '5c1cb0e5-0000-4000-8000-6a7980f1e2d3' },
      ca: files.ca,
      section: (endpoint, ca_file) => ({
        apns: {
          endpoint,
          bundle_id: account.bundleId,
          auth_type: 'token',
          token_key_file: files.tokenKey,
          token_key_id: account.keyId,
          token_team_id: account.teamId,
          ca_file,
        },
      }),
      stop: () => simulator.stop(),
    }
  },
  webpush: async (directory) => {
    const simulator = await WebPushSimulator.start({ directory })
    const { files, vapidKeys } = simulator
    return {
      path: WEBPUSH_PATH,
      status: 201,
      answer: '',
      ca: files.ca,
      section: (origin, ca_file) => ({
        webpush: {
          vapid_public_key: vapidKeys.publicKey,
          vapid_private_key: vapidKeys.privateKey,
          subject: 'mailto:bench@example.com',
          extra_allowed_endpoint_origins: [toEndpointOrigin(origin)],
          private_endpoint_networks: ['127.0.0.1/32'],
          ca_file,
        },
      }),
      stop: () => simulator.stop(),
    }
  },
}

/** Replaces the address of an endpoint with a name, because addresses are refused. */
export function toEndpointOrigin(origin: string): string {
  return origin.replace('127.0.0.1', 'localhost')
}

/** Starts a sink and its simulator; `manners` apply to the counting sink. */
export async function startPushService(
  provider: ProviderName,
  kind: SinkKind,
  manners: SinkManners = {},
): Promise<PushService> {
  const directory = await mkdtemp(join(tmpdir(), 'centripush-bench-'))
  const credentials = await START[provider](directory)
  const { path, status, answer, headers = {} } = credentials
  const counting = kind === 'counting' ? await CountingSink.start({ status, answer, headers, ...manners }) : undefined
  const sink: PushSink = counting ?? (await startNghttpd({ [path]: answer }))
  const caFile = join(directory, 'authorities.pem')
  await writeFile(caFile, `${sink.ca}\n${await readFile(credentials.ca, 'utf8')}`)
  return {
    config: { enabled_providers: [provider], ...credentials.section(sink.origin, caFile) },
    sink,
    path,
    counting,
    stop: async () => {
      await Promise.all([sink.stop(), credentials.stop()])
      await rm(directory, { recursive: true, force: true })
    },
  }
}
