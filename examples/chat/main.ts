// The chat with one command: npm run example:chat -- [--centrifugo FILE] [--vapid-public-key … --vapid-private-key …]
//
// Makes random keys, writes the configuration of the node, starts the node if its program is given, and then centripush
// and the chat. Phones are simulated unless there are VAPID keys.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { assemble } from '../../src/assemble.ts'
import { parseConfig } from '../../src/config/load.ts'
import { makeLogger } from '../../src/observability/log.ts'
import { WebPushSimulator } from '../../src/simulators/webpush/webpush-simulator.ts'
import { startChat } from './chat-server.ts'
import { makeNodeConfig } from './node-config.ts'
import { makePhones } from './phones.ts'

const POLL_MS = 500

const { values } = parseArgs({
  options: {
    centrifugo: { type: 'string' },
    'node-port': { type: 'string', default: '8001' },
    port: { type: 'string', default: '8000' },
    'chat-port': { type: 'string', default: '3000' },
    'delay-ms': { type: 'string', default: '3000' },
    'vapid-public-key': { type: 'string' },
    'vapid-private-key': { type: 'string' },
  },
})
const makeKey = () => randomBytes(16).toString('hex')
const keys = { node: makeKey(), api: makeKey(), token: makeKey(), proxy: makeKey() }
const directory = await mkdtemp(join(tmpdir(), 'centripush-chat-'))
const node = `http://127.0.0.1:${values['node-port']}`
const centripush = `http://127.0.0.1:${values.port}`
const chatOrigin = `http://localhost:${values['chat-port']}`

const nodeFile = join(directory, 'centrifugo.json')
const nodeConfig = makeNodeConfig({
  port: Number(values['node-port']),
  apiKey: keys.node,
  tokenSecret: keys.token,
  proxyKey: keys.proxy,
  proxyEndpoint: `${centripush}/proxy/rpc`,
  chatOrigin,
})
await writeFile(nodeFile, JSON.stringify(nodeConfig, undefined, 2))
const child = values.centrifugo === undefined ? undefined : spawn(values.centrifugo, ['--config', nodeFile])
if (!child) console.log(`Start the node: centrifugo --config ${nodeFile}`)
while (!(await fetch(`${node}/health`).catch(() => undefined))) await delay(POLL_MS)

const publicKey = values['vapid-public-key']
const simulator = publicKey === undefined ? await WebPushSimulator.start({ directory }) : undefined
const webpush = simulator
  ? {
      vapid_public_key: simulator.vapidKeys.publicKey,
      vapid_private_key: simulator.vapidKeys.privateKey,
      extra_allowed_endpoint_origins: [simulator.origin],
      private_endpoint_networks: ['127.0.0.1/32'],
      ca_file: simulator.files.ca,
    }
  : { vapid_public_key: publicKey, vapid_private_key: values['vapid-private-key'] }
const config = parseConfig({
  data_dir: join(directory, 'data'),
  http_server: { address: '127.0.0.1', port: values.port },
  http_api: { key: keys.api },
  rpc_proxy: { key: keys.proxy },
  client_push: { http_enabled: true },
  client: { allowed_origins: [chatOrigin], token: { hmac_secret_key: keys.token } },
  upstream: { address: node, api_key: keys.node },
  push_notifications: { webpush: { subject: 'mailto:you@example.com', ...webpush } },
  worker: { processes: 1 },
})
const server = await assemble({ config, role: 'all', logger: makeLogger({ level: 'warn', file: '' }) })
const chat = await startChat({
  node,
  tokenSecret: keys.token,
  centripush: { url: centripush, key: keys.api },
  delayMs: Number(values['delay-ms']),
  vapidKey: publicKey,
  phone: simulator && makePhones(simulator),
  port: Number(values['chat-port']),
})
console.log(`Open ${chat.url}/?user=ann and, in another window, ${chat.url}/?user=bob`)

process.once('SIGINT', async () => {
  await chat.stop()
  await server.stop(1000)
  await simulator?.stop()
  child?.kill()
  await rm(directory, { recursive: true, force: true })
})
