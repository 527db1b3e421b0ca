// All names that a configuration may have: those of the schema, which are ours, and those of Centrifugo.
import type { ConfigSection } from '../options.ts'
import { CENTRIFUGO_OPTIONS } from './centrifugo-options.ts'

/** The names of the options and sections in one section of the schema. */
export interface SectionNames {
  options: ReadonlySet<string>
  sections: ReadonlySet<string>
}

/** The names by the path of their section, with points; empty for the top. */
export interface KnownNames {
  ours: ReadonlyMap<string, SectionNames>
  centrifugos: ReadonlyMap<string, ReadonlySet<string>>
  /** Every path, by its flat name: `http_server_port`. An option of ours comes before one of Centrifugo. */
  flat: ReadonlyMap<string, string>
}

/** Collects the known names. @param sections the sections of the schema */
export function collectNames(sections: readonly ConfigSection[]): KnownNames {
  const ours = new Map(
    sections.map(({ path, options }) => {
      const inner = sections.filter((other) => other.path.length === path.length + 1 && isBelow(other.path, path))
      return [path.join('.'), { options: lastNames(options), sections: lastNames(inner) }]
    }),
  )
  const centrifugos = new Map(
    Object.entries(CENTRIFUGO_OPTIONS).map(([section, names]) => [section, new Set(names.split(' '))]),
  )
  const paths = [
    ...[...ours].flatMap(([section, { options }]) => [...options].map((name) => joinPath(section, name))),
    ...[...centrifugos].flatMap(([section, names]) => [...names].map((name) => joinPath(section, name))),
  ]
  // Of two entries with one key a Map keeps the last.
  const flat = new Map(paths.reverse().map((path) => [path.replaceAll('.', '_'), path]))
  return { ours, centrifugos, flat }
}

/** The path of `name` in `section`. */
export function joinPath(section: string, name: string): string {
  return section === '' ? name : `${section}.${name}`
}

function isBelow(path: readonly string[], section: readonly string[]): boolean {
  return section.every((name, index) => path[index] === name)
}

function lastNames(items: readonly { path: readonly string[] }[]): Set<string> {
  return new Set(items.flatMap(({ path }) => path.slice(-1)))
}
