import { once } from 'node:events'
import { createServer } from 'node:net'
import { ConfigError } from '../config/config-error.ts'

/** An address to listen on; an empty `address` is all interfaces. */
export interface Listening {
  address: string
  port: number
}

/**
 * Checks that ports can be opened, before anything else is started. Another process may still take one of them later.
 * @throws ConfigError when a port can't be opened
 */
export async function checkPorts(ports: readonly Listening[]): Promise<void> {
  for (const { address, port } of ports) {
    const server = createServer().listen(port, address === '' ? undefined : address)
    try {
      await once(server, 'listening')
    } catch (error) {
      throw explainListenError({ address, port }, error)
    }
    server.close()
    await once(server, 'close')
  }
}

/** The error of a port that can't be opened, for the operator. */
export function explainListenError({ address, port }: Listening, error: unknown): ConfigError {
  const why = error instanceof Error ? error.message : 'unknown'
  return new ConfigError(`http_server: can't listen on ${address || '*'}:${port} (${why})`)
}
