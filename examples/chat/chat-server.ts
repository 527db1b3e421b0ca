// The backend of the chat: it serves the page, makes connection tokens, and sends messages with publish_or_push. A real
// backend checks who its users are; this one believes the name in the address.
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { json } from 'node:stream/consumers'
import { SignJWT } from 'jose'
import * as v from 'valibot'

export const CHANNEL = 'room'

const FILES = import.meta.dirname
/** The file for browsers, which the package does not export. */
const LIBRARY = join(dirname(createRequire(import.meta.url).resolve('centrifuge')), '../dist/centrifuge.js')

/** The files of the page by their paths. */
const PAGES: Record<string, { file: string; type: string }> = {
  '/': { file: `${FILES}/public/index.html`, type: 'text/html; charset=utf-8' },
  '/chat.js': { file: `${FILES}/public/chat.js`, type: 'text/javascript' },
  '/acknowledge.js': { file: `${FILES}/../clients/acknowledge.js`, type: 'text/javascript' },
  '/service-worker.js': { file: `${FILES}/../clients/service-worker.js`, type: 'text/javascript' },
  '/centrifuge.js': { file: LIBRARY, type: 'text/javascript' },
}

export interface ChatOptions {
  /** The address of the node for browsers: `http://…`. */
  node: string
  /** `client.token.hmac_secret_key` of the node. */
  tokenSecret: string
  /** The base URL of centripush, and its API key. */
  centripush: { url: string; key: string }
  delayMs: number
  /** The public VAPID key for subscriptions of real browsers; undefined: phones are simulated. */
  vapidKey: string | undefined
  /** The subscription of a user's simulated phone, and the notifications that it has shown. */
  phone: { subscribe(user: string): string; listShown(user: string): string[] } | undefined
  port?: number
}

/** A running chat. */
export interface Chat {
  url: string
  stop(): Promise<void>
}

const Message = v.object({ from: v.string(), text: v.string() })

/** Starts the backend on 127.0.0.1. */
export async function startChat(options: ChatOptions): Promise<Chat> {
  /** Everyone who has opened the page: the recipients of messages. */
  const users = new Set<string>()
  let lastNumber = 0

  const routes: Record<string, (incoming: IncomingMessage, url: URL) => Promise<unknown>> = {
    'GET /session': async (_, url) => {
      const user = url.searchParams.get('user') ?? ''
      users.add(user)
      const key = new TextEncoder().encode(options.tokenSecret)
      const token = await new SignJWT()
        .setSubject(user)
        .setExpirationTime('12h')
        .setProtectedHeader({ alg: 'HS256' })
        .sign(key)
      const phone = options.phone?.subscribe(user)
      return {
        token,
        node: options.node,
        push: `${options.centripush.url}/push`,
        channel: CHANNEL,
        phone,
        vapidKey: options.vapidKey,
      }
    },
    'GET /phone': async (_, url) => options.phone?.listShown(url.searchParams.get('user') ?? '') ?? [],
    'POST /messages': async (incoming) => {
      const { from, text } = v.parse(Message, await json(incoming))
      const uid = `message-${Date.now()}-${++lastNumber}`
      return send(options, { from, text, uid, users: [...users].filter((user) => user !== from) })
    },
  }

  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const url = new URL(incoming.url ?? '/', 'http://localhost')
    const page = PAGES[url.pathname]
    const route = routes[`${incoming.method} ${url.pathname}`]
    if (page) outgoing.writeHead(200, { 'content-type': page.type }).end(await readFile(page.file))
    else if (route)
      outgoing.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(await route(incoming, url)))
    else outgoing.writeHead(404).end()
  }
  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch((error: unknown) => {
      console.error(error)
      outgoing.destroy()
    })
  })
  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const stop = async () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://localhost:${port}`, stop }
}

interface Outgoing {
  uid: string
  from: string
  text: string
  users: string[]
}

/** Publishes a message in the room, and pushes it to those who do not see it within the delay. */
async function send({ centripush, delayMs }: ChatOptions, { uid, from, text, users }: Outgoing): Promise<unknown> {
  const publish = { channel: CHANNEL, data: { from, text } }
  // Without anyone to push to it is a plain publication.
  if (users.length === 0) return callApi(centripush, 'publish', publish)
  const payload = { uid, title: from, body: text, url: '/' }
  const push = { uid, recipient: { filter: { users } }, notification: { webpush: { payload } } }
  return callApi(centripush, 'publish_or_push', { publish, push, delay_ms: delayMs })
}

async function callApi({ url, key }: ChatOptions['centripush'], method: string, body: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json', 'x-api-key': key }
  const answer = await fetch(`${url}/api/${method}`, { method: 'POST', headers, body: JSON.stringify(body) })
  return answer.json()
}
