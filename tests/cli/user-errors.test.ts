// The commands tell the user what to mend, without a stack.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeDirectory, runCommand } from './command.ts'

const UNREACHABLE = 'postgresql://nobody@127.0.0.1:1/none'

function writeConfig(content: string): string {
  const file = join(makeDirectory(), 'centripush.yaml')
  writeFileSync(file, content)
  return file
}

test('a wrong configuration exits with 2 and prints a line for each problem, with the path of the option', async () => {
  const config = writeConfig('http_server: { port: 70000 }\nworker: 5\n')
  const { code, stderr } = await runCommand(UNREACHABLE, ['serve', '--config', config])
  expect({ code, lines: stderr.split('\n') }).toEqual({
    code: 2,
    lines: [
      'centripush serve: config: worker: expected a section of options but found 5',
      'centripush serve: config: http_server.port: expected a whole number from 0 to 65535 but found 70000',
      '',
    ],
  })
})

test('serve names all files and credentials that it can not use, before it opens its stores', async () => {
  const config = writeConfig(
    'log: { file: /no/such/a.log }\npush_notifications: { fcm: { credentials_file: /no/such.json } }\n',
  )
  const { code, stdout, stderr } = await runCommand(UNREACHABLE, ['serve', '--config', config])
  expect({ code, stdout, lines: stderr.split('\n') }).toEqual({
    code: 2,
    stdout: '',
    lines: [
      'centripush serve: config: log.file: /no/such does not exist',
      'centripush serve: config: push_notifications.fcm.credentials_file: /no/such.json does not exist',
      '',
    ],
  })
})

test('an unknown option of a command exits with 2', async () => {
  const { code, stderr } = await runCommand(UNREACHABLE, ['check-config', '--colour'])
  expect({ code, stderr }).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^centripush check-config: .*--colour/),
  })
})

test.each([['serve'], ['migrate'], ['export', 'devices'], ['queue', 'stats']])(
  'an unreachable database makes %s exit with 1 and one line that names the option',
  async (...command) => {
    const config = writeConfig('database: { connect_timeout: 0 }\n')
    const { code, stderr } = await runCommand(UNREACHABLE, [...command, '--config', config])
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^centripush \w+: database: can't be used: .*ECONNREFUSED.*database\.postgresql\.dsn.*\n$/,
      ),
    })
  },
)

test.each(['queue stats', 'push list', 'send'])(
  '%s does not wait for an unreachable database as a server does',
  async (command) => {
    const config = writeConfig('database: { connect_timeout: 1h }\n')
    const push = join(makeDirectory(), 'push.json')
    writeFileSync(push, '{"recipient":{"fcm_tokens":["t"]},"notification":{"fcm":{"message":{}}}}')
    const words = command === 'send' ? ['send', push] : command.split(' ')
    const { code, stderr } = await runCommand(UNREACHABLE, [...words, '--config', config])
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('ECONNREFUSED') })
  },
)

test('check-config prints the options in force and no secret, wherever it stands', async () => {
  const config = writeConfig(`
http_api: { key: s3cret-1 }
upstream: { address: http://127.0.0.1:8001, api_key: s3cret-2 }
push_notifications:
  queue: { redis: { address: 'redis://user:s3cret-3@127.0.0.1:6379', password: s3cret-4, tls: { key_pem: s3cret-5 } } }
  hms: { app_id: '42', app_secret: s3cret-6 }
`)
  const { code, stdout } = await runCommand('postgresql://user:s3cret-7@127.0.0.1:1/x', [
    'check-config',
    '--config',
    config,
  ])
  expect(code).toBe(0)
  expect(stdout).not.toContain('s3cret')
  expect(JSON.parse(stdout)).toMatchObject({
    http_api: { key: '(hidden)', handler_prefix: '/api' },
    push_notifications: { queue: { redis: { password: '(hidden)', sentinel_password: '' } }, hms: { app_id: '42' } },
    database: { postgresql: { dsn: '(hidden)', replica_dsn: [] } },
  })
})
