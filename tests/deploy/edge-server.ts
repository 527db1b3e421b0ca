// A server of Debian with a file of deploy/, between a node and a centripush that only say who they are.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { findFreePort } from '../support/centripush-process.ts'

const DEPLOY = resolve(import.meta.dirname, '../../deploy')
const START_TIMEOUT_MS = 20_000
const POLL_MS = 20

/** A program that serves a file of deploy/. */
export interface EdgeProgram {
  program: string
  /** The file, and how its public address is written in it. */
  file: string
  listens: string
  /** The same on a port of the test. */
  listenOn(port: number): string
  /** The whole configuration with the content of the file. */
  wrap(content: string, directory: string): string
  arguments(configuration: string): string[]
}

/** A running edge server. */
export interface EdgeServer {
  port: number
  stop(): Promise<void>
}

/** The modules of nginx with temporary files. */
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']

export const NGINX: EdgeProgram = {
  program: 'nginx',
  file: 'nginx.conf',
  listens: 'listen 80;',
  listenOn: (port) => `listen 127.0.0.1:${port};`,
  wrap: (content, directory) => `
    daemon off;
    pid ${directory}/pid;
    error_log stderr;
    events {}
    http {
      access_log off;
      ${TEMPORARY.map((name) => `${name}_temp_path ${directory}/${name};`).join('\n')}
      ${content}
    }`,
  arguments: (configuration) => ['-c', configuration],
}

export const CADDY: EdgeProgram = {
  program: 'caddy',
  file: 'Caddyfile',
  listens: 'push.example.com {',
  listenOn: (port) => `http://127.0.0.1:${port} {`,
  wrap: (content) => `{\nadmin off\n}\n${content}`,
  arguments: (configuration) => ['run', '--adapter', 'caddyfile', '--config', configuration],
}

/** Starts the program with the file of deploy/, on a free port and with these ports behind it. */
export async function startEdgeServer(
  edge: EdgeProgram,
  ports: { node: number; centripush: number },
): Promise<EdgeServer> {
  const directory = await mkdtemp(join(tmpdir(), 'centripush-edge-'))
  const port = await findFreePort()
  const content = (await readFile(join(DEPLOY, edge.file), 'utf8'))
    .replace(edge.listens, edge.listenOn(port))
    .replaceAll('127.0.0.1:8001', `127.0.0.1:${ports.node}`)
    .replaceAll('127.0.0.1:8000', `127.0.0.1:${ports.centripush}`)
  const configuration = join(directory, edge.file)
  await writeFile(configuration, edge.wrap(content, directory))
  const PATH = `${process.env.PATH}:/usr/sbin`
  const env = { ...process.env, PATH, HOME: directory, XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory }
  const child = spawn(edge.program, edge.arguments(configuration), { stdio: ['ignore', 'ignore', 'pipe'], env })
  let output = ''
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  const closed = once(child, 'close')
  const stop = async () => {
    child.kill('SIGTERM')
    await closed
    await rm(directory, { recursive: true, force: true })
  }
  const deadline = Date.now() + START_TIMEOUT_MS
  while (
    !(await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    ))
  ) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop()
      throw new Error(`${edge.program} did not start: ${output}`)
    }
    await delay(POLL_MS)
  }
  return { port, stop }
}

/** Starts a server that answers with its name, and with what it received. */
export async function startNamedServer(name: string): Promise<{ port: number; stop(): Promise<void> }> {
  const server = createServer((incoming, outgoing) => {
    const { method, url, headers } = incoming
    incoming.resume()
    outgoing.end(JSON.stringify({ name, method, url, headers }))
  })
  server.on('upgrade', ({ url }, socket) => {
    socket.end(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n${name} ${url}`)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const stop = async () => {
    server.close()
    server.closeAllConnections()
  }
  return { port, stop }
}
