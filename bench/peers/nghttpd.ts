// The sink: nghttpd of nghttp2, one process, one thread, answering every request with a file.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from 'node:tls'
import { makeCertificates } from '../../src/simulators/certificates.ts'

/** What it answers, as FCM would: 50 bytes. */
export const ANSWER = '{"name":"projects/bench/messages/0123456789abcdef"}'.slice(0, 50)

export interface Sink {
  origin: string
  /** The authority that vouches for it (PEM). */
  ca: string
  /** A directory for what a run needs; removed with the sink. */
  directory: string
  stop(): Promise<void>
}

/** Starts a sink on a free port; its certificate is made for it. */
export async function startNghttpd(): Promise<Sink> {
  const directory = await mkdtemp(join(tmpdir(), 'centripush-nghttpd-'))
  const { cert, key, caCert } = await makeCertificates()
  const file = (name: string) => join(directory, name)
  await Promise.all([
    writeFile(file('cert.pem'), cert),
    writeFile(file('key.pem'), key, { mode: 0o600 }),
    writeFile(file('send'), ANSWER),
  ])
  const port = await findFreePort()
  const options = ['-a', '127.0.0.1', '-d', directory, '-m', '1000', '-n', '1']
  const server = spawn('nghttpd', [...options, String(port), file('key.pem'), file('cert.pem')], { stdio: 'ignore' })
  const stop = async () => {
    const closed = once(server, 'close')
    if (server.kill()) await closed
    await rm(directory, { recursive: true, force: true })
  }
  await waitUntilListening(server, port).catch(async (error) => {
    await stop()
    throw error
  })
  return { origin: `https://127.0.0.1:${port}`, ca: caCert, directory, stop }
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
