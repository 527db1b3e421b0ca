// Checks the names in a configuration, so that no misspelt option is ignored. A name is ours (the schema has it),
// Centrifugo's (it is in a list), or a mistake.
import { isTree } from '../config-tree.ts'
import { listSections } from '../options.ts'
import { ConfigSchema } from '../schema.ts'
import { findClosestName } from './closest-name.ts'
import { FOREIGN_FEATURES, isWanted } from './foreign-features.ts'
import { collectNames, joinPath, type KnownNames } from './known-names.ts'
import { findRenamed } from './renamed-options.ts'

/** A mistake: the path of the name in the configuration, and a text that follows it. */
export interface NameProblem {
  path: string
  text: string
}

/** The result of a check. */
export interface CheckedNames {
  problems: NameProblem[]
  /** Paths of options of Centrifugo that centripush does not have. Of a section only its own path is listed. */
  ignored: string[]
  /** Paths of features of Centrifugo that the configuration asks for, each with a sentence about it. */
  features: string[]
}

const NO_NAMES: ReadonlySet<string> = new Set()

/** The names of the schema, and those of Centrifugo. */
export function listKnownNames(): KnownNames {
  return collectNames(listSections(ConfigSchema))
}

/** Checks the names of a configuration. Values are not checked, except that sections must be sections. */
export function checkNames(tree: object, known = listKnownNames()): CheckedNames {
  const checked: CheckedNames = { problems: [], ignored: [], features: [] }
  checkSection(tree, '', known, checked)
  return checked
}

function checkSection(tree: object, section: string, known: KnownNames, checked: CheckedNames): void {
  const { options = NO_NAMES, sections = NO_NAMES } = known.ours.get(section) ?? {}
  for (const [name, value] of Object.entries(tree)) {
    const path = joinPath(section, name)
    if (sections.has(name) && isTree(value)) {
      checkSection(value, path, known, checked)
    } else if (sections.has(name) || options.has(name)) {
      const text = explainShape(path, value, sections.has(name), known)
      if (text !== undefined) checked.problems.push({ path, text })
    } else if (known.centrifugos.get(section)?.has(name)) {
      addForeign(path, value, checked)
    } else {
      checked.problems.push({ path, text: explainUnknown(section, name, value, known) })
    }
  }
}

/** Explains an empty option, or a section that is not an object; undefined if the shape is right. */
function explainShape(path: string, value: unknown, isSection: boolean, known: KnownNames): string | undefined {
  if (value === null) return `is empty: give it ${isSection ? 'options' : 'a value'}, or remove it`
  if (!isSection) return undefined
  if (Array.isArray(value)) return 'expected a section of options but found a list'
  const renamed = findRenamed(path, known.flat)
  const hint = renamed === undefined ? '' : `; did you mean ${renamed}?`
  return `expected a section of options but found ${describeValue(value)}${hint}`
}

/** A value for an error. A text may be a DSN with a password, so it is not shown. */
function describeValue(value: unknown): string {
  if (typeof value === 'string') return 'text'
  return value instanceof Date ? 'a date' : String(value)
}

function addForeign(path: string, value: unknown, checked: CheckedNames): void {
  const feature = Object.hasOwn(FOREIGN_FEATURES, path) ? FOREIGN_FEATURES[path] : undefined
  if (feature !== undefined && isWanted(value)) checked.features.push(`${path}: ${feature}`)
  else checked.ignored.push(path)
}

/** Explains a name that is neither ours nor Centrifugo's. */
function explainUnknown(section: string, name: string, value: unknown, known: KnownNames): string {
  const path = joinPath(section, name)
  const renamed = findRenamed(path, known.flat)
  if (renamed !== undefined) {
    return `is ${isTree(value) ? renamed.replace(/\.enabled$/, '') : renamed} since Centrifugo v6`
  }
  const { options = NO_NAMES, sections = NO_NAMES } = known.ours.get(section) ?? {}
  const siblings = [...options, ...sections]
  const closest = findClosestName(name, [...siblings, ...(known.centrifugos.get(section) ?? [])])
  if (closest !== undefined) return `unknown option, did you mean ${joinPath(section, closest)}?`
  const elsewhere = [...known.ours].flatMap(([other, { options, sections }]) =>
    options.has(name) || sections.has(name) ? [joinPath(other, name)] : [],
  )
  if (elsewhere.length > 0) return `unknown option, did you mean ${elsewhere.slice(0, 3).join(' or ')}?`
  return `unknown option; ${section === '' ? 'there are' : `${section} has`} ${siblings.join(', ')}`
}
