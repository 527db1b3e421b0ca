import { type Expression, MAP, TEXT, type Uses } from './expression.ts'
import { readText, type Scope, type Texts } from './scope.ts'

const MISSING: Expression = { kinds: TEXT, read: () => '' }

/**
 * Compiles a field such as `device.meta.first_name`. For a target without this field its value is an empty text.
 * @param uses notes the part of a target that the field reads
 * @returns undefined for a field of a text, because texts have no fields
 */
export function makeField(path: readonly string[], uses: Uses): Expression | undefined {
  const [root, name, ...rest] = path
  if (root === 'l10n') {
    uses.l10n = true
    return makeTexts(path.slice(1), (scope) => scope.l10n)
  }
  if (root !== 'device') return MISSING
  if (name === 'meta') {
    uses.meta = true
    return makeTexts(rest, (scope) => scope.meta)
  }
  if (name === 'id' || name === 'user') {
    return rest.length > 0 ? undefined : { kinds: TEXT, read: (scope) => scope[name] }
  }
  return name === undefined ? undefined : MISSING
}

function makeTexts(keys: readonly string[], read: (scope: Scope) => Texts): Expression | undefined {
  const [key] = keys
  if (key === undefined) return { kinds: MAP, read }
  return keys.length > 1 ? undefined : { kinds: TEXT, read: (scope) => readText(read(scope), key) }
}
