// A Redis before 7.0, which packages of the tests do not have: a stand-in gives the answers of Redis 6.2.14.
import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { chooseRedis } from '../../src/config/check.ts'
import { parseConfig } from '../../src/config/load.ts'
import { checkAccess } from '../../src/redis/check-access.ts'
import { connectRedis } from '../../src/redis/connect.ts'
import { makeTestLogger } from '../support/run-log.ts'

const INFO = 'redis_version:6.2.14\r\nloading:0\r\n'
/** By the command; others are answered with OK. */
const ANSWERS: Record<string, string> = {
  INFO: `$${INFO.length}\r\n${INFO}\r\n`,
  PING: '+PONG\r\n',
  EVALSHA: '-NOSCRIPT No matching script. Please use EVAL.\r\n',
  EVAL: "-ERR Error compiling script (new function): user_script:1: unexpected symbol near '#'\r\n",
}

/** Answers the commands in the order of their names: a stand-in does not read their arguments. */
async function startOldRedis(): Promise<string> {
  const server = createServer((socket) => {
    socket.setEncoding('latin1').on('data', (text: string) => {
      const commands = text.matchAll(/\*\d+\r\n\$\d+\r\n(\w+)\r\n/g)
      for (const [, name = ''] of commands) socket.write(ANSWERS[name.toUpperCase()] ?? '+OK\r\n')
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the stand-in listens on no port')
  return `127.0.0.1:${address.port}`
}

test('a server that is older than Redis 7.0 is refused with the version that is needed', async () => {
  const address = await startOldRedis()
  const config = parseConfig({ push_notifications: { queue: { redis: { address } } } })
  const client = await connectRedis(chooseRedis(config), makeTestLogger())
  onTestFinished(() => client.disconnect())
  await expect(checkAccess(client, ['key'], 'channel')).rejects.toThrow(
    'the server is older than Redis 7.0; use Redis 7.0 or newer, or Valkey',
  )
})
