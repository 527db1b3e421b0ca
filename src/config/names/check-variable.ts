// Checks the names of environment variables that begin as ours do and name no option of ours.
import { findClosestName } from './closest-name.ts'
import type { KnownNames } from './known-names.ts'
import { findRenamed } from './renamed-options.ts'

/** The origin of a variable: Kubernetes, an option of Centrifugo, or a mistake with its explanation. */
export type VariableCheck = 'platform' | 'foreign' | { problem: string }

/**
 * Variables that Kubernetes sets in each container for each service of the namespace: for a service named `centripush`
 * they begin with CENTRIPUSH_.
 */
const SERVICE_VARIABLE = /_SERVICE_(HOST|PORT(_\w+)?)$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/
const SERVICE_VALUE = /^(tcp|udp|sctp):\/\//

/**
 * Checks a variable.
 * @param name without the prefix, `HTTP_SERVER_PROT`
 * @param ours the names of our options in the same form
 */
export function checkVariable(
  name: string,
  value: string,
  { prefix, ours, known }: { prefix: string; ours: readonly string[]; known: KnownNames },
): VariableCheck {
  if (SERVICE_VARIABLE.test(`_${name}`) || (/(^|_)PORT$/.test(name) && SERVICE_VALUE.test(value))) return 'platform'
  const flat = name.toLowerCase()
  const foreign = [...known.flat.keys()].filter((option) => !isOurs(option.toUpperCase(), ours))
  if (foreign.includes(flat)) return 'foreign'
  const renamed = findRenamed(flat, known.flat)
  if (renamed !== undefined) return { problem: `is ${renamed} since Centrifugo v6: ${prefix}${variableOf(renamed)}` }
  const closest = findClosestName(name, [...ours, ...ours.map((option) => `${option}_FILE`)])
  if (closest !== undefined) return { problem: `unknown variable, did you mean ${prefix}${closest}?` }
  if (foreign.some((option) => flat.startsWith(`${option}_`))) return 'foreign'
  return { problem: 'unknown variable; docs/configuration.md has the options' }
}

/** Whether a name is that of an option or section of ours. */
function isOurs(name: string, ours: readonly string[]): boolean {
  return ours.some((option) => option === name || option.startsWith(`${name}_`))
}

/** The variable of an option, without its prefix. @param path its path, which explanations may follow */
export function variableOf(path: string): string {
  const [option = ''] = path.split(' ')
  return option.replaceAll('.', '_').toUpperCase()
}
