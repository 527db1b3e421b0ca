import { expect, test } from 'vitest'
import { readEnvironment } from './environment.ts'
import { variableOf } from './names/check-variable.ts'
import { listOptions } from './options.ts'
import { ConfigSchema } from './schema.ts'

test('an empty variable has no effect and is told', () => {
  expect(readEnvironment({ CENTRIPUSH_HTTP_API_KEY: '', CENTRIPUSH_LOG_LEVEL_FILE: '' })).toMatchObject({
    tree: {},
    problems: [],
    notices: [
      'CENTRIPUSH_HTTP_API_KEY is empty and has no effect',
      'CENTRIPUSH_LOG_LEVEL_FILE is empty and has no effect',
    ],
  })
})

test('variables that Kubernetes sets for a service named centripush are no mistakes', () => {
  const environment = {
    CENTRIPUSH_SERVICE_HOST: '10.0.0.1',
    CENTRIPUSH_SERVICE_PORT: '8000',
    CENTRIPUSH_SERVICE_PORT_HTTP: '8000',
    CENTRIPUSH_PORT: 'tcp://10.0.0.1:8000',
    CENTRIPUSH_PORT_8000_TCP: 'tcp://10.0.0.1:8000',
    CENTRIPUSH_PORT_8000_TCP_PROTO: 'tcp',
    CENTRIPUSH_PORT_8000_TCP_PORT: '8000',
    CENTRIPUSH_PORT_8000_TCP_ADDR: '10.0.0.1',
    CENTRIPUSH_INTERNAL_SERVICE_HOST: '10.0.0.2',
  }
  expect(readEnvironment(environment)).toMatchObject({ tree: {}, problems: [], ignored: [], notices: [] })
})

test('options of Centrifugo that are not ours are ignored and named', () => {
  const environment = { CENTRIPUSH_CHANNEL_NAMESPACES: '[]', CENTRIPUSH_CHANNEL_NAMESPACES_NEWS_PRESENCE: 'true' }
  expect(readEnvironment(environment)).toMatchObject({ problems: [], ignored: Object.keys(environment) })
})

test('variables of Centrifugo are told in one sentence with our names, if ours are not set', () => {
  const environment = {
    CENTRIFUGO_HTTP_API_KEY: 'a',
    CENTRIFUGO_PORT: '8000',
    CENTRIFUGO_LOG_LEVEL: 'debug',
    CENTRIPUSH_LOG_LEVEL: 'info',
    CENTRIFUGO_CHANNEL_MAX_LENGTH: '100',
    CENTRIFUGO_SERVICE_HOST: '10.0.0.1',
  }
  expect(readEnvironment(environment).notices).toEqual([
    'variables of Centrifugo have no effect, names of centripush begin with CENTRIPUSH_: CENTRIFUGO_HTTP_API_KEY is ' +
      'CENTRIPUSH_HTTP_API_KEY, CENTRIFUGO_PORT is CENTRIPUSH_HTTP_SERVER_PORT',
  ])
})

test('a variable of every option with one wrong letter is refused, with the right suggestion for at least 95 %', () => {
  const names = listOptions(ConfigSchema).map(({ path }) => variableOf(path.join('.')))
  const known = new Set(names)
  const mistakes = names.flatMap((name, index) => {
    // Each variable has its mistakes at another letter.
    const at = index % (name.length - 1)
    const [before, letter = '', next = '', after] = [name.slice(0, at), name[at], name[at + 1], name.slice(at + 2)]
    const wrong = [before + next + after, before + letter + letter + next + after, `${before}X${next}${after}`]
    return [...wrong, before + next + letter + after]
      .filter((mistake) => !known.has(mistake))
      .map((mistake) => [mistake, name])
  })
  const { problems, ignored, tree } = readEnvironment(
    Object.fromEntries(mistakes.map(([mistake]) => [`CENTRIPUSH_${mistake}`, '1'])),
  )
  const right = mistakes.filter(([mistake, name]) =>
    problems.includes(`CENTRIPUSH_${mistake}: unknown variable, did you mean CENTRIPUSH_${name}?`),
  )
  const share = (100 * right.length) / mistakes.length
  console.log(`${names.length} variables, ${mistakes.length} mistakes: ${share.toFixed(2)} % with the right suggestion`)
  expect(tree).toEqual({})
  expect(ignored).toEqual([])
  expect(share).toBeGreaterThanOrEqual(95)
})
