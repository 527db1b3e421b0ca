import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { PostgresHost, PostgresTarget } from '../../config/postgres/postgres-dsn.ts'
import { ConnectError, NO_TLS, TLS_FAILED } from './connect-error.ts'
import { waitForSocket } from './socket-event.ts'
import { readTlsFiles, type TlsFiles } from './tls-files.ts'

/** The time for one server, in ms, unless the DSN has `connect_timeout`. */
const CONNECT_TIMEOUT_MS = 5000
/** The request for TLS (PostgreSQL, "Message Formats", SSLRequest): its length, and the number 80877103. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])
const ACCEPTED = 'S'.charCodeAt(0)
const REFUSED = 'N'.charCodeAt(0)

/**
 * Connects to one server, with TLS as the DSN asks for. `allow` is the same as `prefer`: TLS if the server has it.
 * @param signal ends the attempt
 * @throws ConnectError
 */
export async function openSocket(host: PostgresHost, target: PostgresTarget, signal: AbortSignal): Promise<Socket> {
  const attempt = new AbortController()
  const abort = () => attempt.abort()
  const timer = setTimeout(abort, target.connectTimeoutMs || CONNECT_TIMEOUT_MS)
  signal.addEventListener('abort', abort)
  if (signal.aborted) abort()
  try {
    return await openInMode(host, target, attempt.signal)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  }
}

async function openInMode(host: PostgresHost, { tls }: PostgresTarget, signal: AbortSignal): Promise<Socket> {
  // As in libpq, a socket of the file system needs no TLS.
  if (tls.mode === 'disable' || isLocal(host)) return await openPlain(host, signal)
  const files = await readTlsFiles(tls)
  if (tls.mode !== 'prefer' && tls.mode !== 'allow') return await openTls(host, files, signal)
  try {
    return await openTls(host, files, signal)
  } catch (error) {
    const isTls = error instanceof ConnectError && (error.code === TLS_FAILED || error.code === NO_TLS)
    if (isTls) return await openPlain(host, signal)
    throw error
  }
}

/** Whether a host is the directory of a socket, or the name of an abstract socket. */
function isLocal({ address }: PostgresHost): boolean {
  return address.startsWith('/') || address.startsWith('@')
}

async function openPlain(host: PostgresHost, signal: AbortSignal): Promise<Socket> {
  const { address, port } = host
  const path = `${address.replace(/^@/, '\0')}/.s.PGSQL.${port}`
  const socket = isLocal(host) ? connect({ path }) : connect({ host: address, port })
  await waitForSocket(socket, 'connect', signal, (error, code) => {
    return new ConnectError(`no connection to ${describeHost(host)}: ${code}`, code, { cause: error })
  })
  return socket
}

/** Asks for TLS on a new connection, and makes the handshake. */
async function openTls(host: PostgresHost, files: TlsFiles, signal: AbortSignal): Promise<Socket> {
  const socket = await openPlain(host, signal)
  socket.write(SSL_REQUEST)
  const answer = await waitForSocket(socket, 'data', signal, (error, code) => {
    return new ConnectError(`${describeHost(host)} does not answer the request for TLS: ${code}`, code, {
      cause: error,
    })
  })
  // More than one byte was not sent by the server: it would be taken for its encrypted answer (CVE-2021-23222).
  if (!Buffer.isBuffer(answer) || answer.length !== 1 || answer[0] !== ACCEPTED) {
    socket.destroy()
    const isRefused = Buffer.isBuffer(answer) && answer[0] === REFUSED
    const why = isRefused ? 'does not support TLS' : 'does not answer the request for TLS'
    throw new ConnectError(`${describeHost(host)} ${why}, but sslmode asks for it`, NO_TLS)
  }
  const encrypted = connectTls({ socket, ...files.makeOptions(host.name) })
  await waitForSocket(encrypted, 'secureConnect', signal, (error) => {
    return new ConnectError(`TLS with ${describeHost(host)} failed: ${error.message}`, TLS_FAILED, { cause: error })
  })
  return encrypted
}

/** A host as an operator writes it. */
export function describeHost({ address, port }: PostgresHost): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
