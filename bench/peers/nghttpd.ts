// The sink: nghttpd of nghttp2, one process with one thread, which answers every request with a file.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from 'node:tls'
import { makeCertificates } from '../../src/simulators/certificates.ts'
import { findProgram } from '../harness/programs.ts'

/** Its answer: 50 bytes in the form of FCM's. */
export const ANSWER = '{"name":"projects/bench/messages/0123456789abcdef"}'.slice(0, 50)

/** A running sink. */
export interface Sink {
  origin: string
  pid: number
  /** Its certificate authority (PEM). */
  ca: string
  /** A directory for files of a run, which is removed with the sink. */
  directory: string
  stop(): Promise<void>
}

/**
 * Starts a sink on a free port, with a new certificate.
 * @param answers by path, without the first slash and without a query; other paths are answered with 404
 */
export async function startNghttpd(answers: Record<string, string> = { send: ANSWER }): Promise<Sink> {
  const program = findProgram('nghttpd')
  const directory = await mkdtemp(join(tmpdir(), 'centripush-nghttpd-'))
  const { cert, key, caCert } = await makeCertificates()
  const file = (name: string) => join(directory, name)
  const write = async (name: string, text: string) => {
    await mkdir(dirname(file(name)), { recursive: true })
    await writeFile(file(name), text, { mode: 0o600 })
  }
  await Promise.all([
    write('cert.pem', cert),
    write('key.pem', key),
    ...Object.entries(answers).map(([path, answer]) => write(path, answer)),
  ])
  const port = await findFreePort()
  const options = ['-a', '127.0.0.1', '-d', directory, '-m', '1000', '-n', '1']
  const server = spawn(program, [...options, String(port), file('key.pem'), file('cert.pem')], { stdio: 'ignore' })
  const stop = async () => {
    const closed = once(server, 'close')
    if (server.kill()) await closed
    await rm(directory, { recursive: true, force: true })
  }
  await waitUntilListening(server, port).catch(async (error) => {
    await stop()
    throw error
  })
  return { origin: `https://127.0.0.1:${port}`, pid: server.pid ?? 0, ca: caCert, directory, stop }
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address ? address.port : 0
}

async function waitUntilListening(server: ChildProcess, port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (server.exitCode !== null) throw new Error('nghttpd did not start')
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['h2'] })
    const isUp = await once(socket, 'secureConnect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (isUp) return
    await delay(50)
  }
  throw new Error('nghttpd does not listen')
}
