import { describe, expect, test } from 'vitest'
import { listOptions, listSections } from '../options.ts'
import { ConfigSchema } from '../schema.ts'
import { checkNames, listKnownNames } from './check-names.ts'

/** A configuration in which the name at the end of `path` is spelled `name`. */
function spell(path: readonly string[], name: string): object {
  return [...path.slice(0, -1), name].reduceRight<unknown>((value, key) => ({ [key]: value }), '1') as object
}

/** The four mistakes at each letter of a name. */
function misspell(name: string): string[] {
  const mistakes = [...name].flatMap((letter, index) => {
    const [before, after] = [name.slice(0, index), name.slice(index + 1)]
    const next = name[index + 1]
    const other = letter === 'x' ? 'y' : 'x'
    return [
      before + after,
      before + letter + letter + after,
      before + other + after,
      ...(next === undefined || next === letter ? [] : [before + next + letter + after.slice(1)]),
    ]
  })
  return mistakes.filter((mistake) => mistake !== name && mistake !== '')
}

describe('every name of the schema with one wrong letter', () => {
  const paths = [
    ...listOptions(ConfigSchema).map(({ path }) => path),
    ...listSections(ConfigSchema).flatMap(({ path }) => (path.length === 0 ? [] : [path])),
  ]
  const known = listKnownNames()
  // A mistake can make another name that is known: those are not mistakes.
  const cases = paths.flatMap((path) => misspell(path.at(-1) ?? '').map((name) => ({ path, name })))

  test('is refused, and the right name is suggested for at least 95 %', () => {
    const results = cases.map(({ path, name }) => {
      const { problems, ignored } = checkNames(spell(path, name), known)
      const written = [...path.slice(0, -1), name].join('.')
      return { written, isRefused: problems.length > 0, isIgnored: ignored.length > 0, problems, right: path.join('.') }
    })
    const accepted = results.filter(({ isRefused }) => !isRefused)
    const right = results.filter(
      ({ problems, right }) => problems[0]?.text === `unknown option, did you mean ${right}?`,
    )
    const wrong = results.filter((result) => result.isRefused && !right.includes(result))
    const share = (100 * right.length) / results.length
    console.log(
      `${paths.length} names, ${results.length} mistakes: ${share.toFixed(2)} % with the right suggestion, ` +
        `${wrong.length} with another one, ${accepted.length} that are other known names: ` +
        accepted.map(({ written }) => written).join(', '),
    )
    expect(share).toBeGreaterThanOrEqual(95)
    expect(accepted).toEqual([])
  })
})
