// Stand-ins for parts that documents name: ports, credentials, the database, the node, and other servers.
import { generateKeyPairSync } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findFreePort } from '../support/centripush-process.ts'
import { makeCheckout } from './checkout.ts'

/** The parts that stand in for those of a document. */
export interface StandIns {
  /** The folder in which all blocks run. */
  folder: string
  /** The environment of commands. */
  env: Record<string, string>
  /** The server of the requests, `http://127.0.0.1:PORT`, and its API key. */
  url: string
  key: string
  /** Replaces the names of the document in a text. */
  replace(text: string): string
}

/** The parts of a document that differ from those of others. */
export interface Parts {
  python?: string | undefined
  env?: Record<string, string>
  key?: string
  /** Texts of the document, and those in their place. */
  texts?: Record<string, string>
  /** Files in the folder of credentials. */
  credentials?: Record<string, string>
}

/** The folder of credentials in documents. */
const CREDENTIALS = '/etc/centripush'
/** The ports in documents: those of the server and of a simulator. */
const PORTS = ['8000', '9099']

/** Makes a folder with stand-ins. */
export async function makeStandIns({ python, env = {}, key = '', texts = {}, credentials = {} }: Parts) {
  const folder = await makeCheckout(python)
  const directory = join(folder, 'etc')
  await mkdir(directory)
  const files = { 'AuthKey_ABCDE12345.p8': makeSigningKey(), ...credentials }
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content)
  const ports = await Promise.all(PORTS.map(async (port) => [port, String(await findFreePort())] as const))
  const [[, port = ''] = []] = ports
  const standIns: StandIns = {
    folder,
    env: { CENTRIPUSH_HTTP_SERVER_PORT: port, ...env },
    url: `http://127.0.0.1:${port}`,
    key,
    replace(text) {
      let replaced = text
      for (const [shown, real] of Object.entries({ ...texts, [CREDENTIALS]: directory })) {
        replaced = replaced.replaceAll(shown, real)
      }
      for (const [shown, real] of ports)
        replaced = replaced.replace(new RegExp(`(:|--port )${shown}\\b`, 'g'), `$1${real}`)
      return replaced
    },
  }
  return standIns
}

/** A signing key of APNs. */
function makeSigningKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}
