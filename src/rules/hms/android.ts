// The options of `android` in a message of Push Kit, from
// https://developer.huawei.com/consumer/en/doc/HMSCore-References/https-send-api-0000001050986197 and the checks of
// Huawei's own clients. Only values are refused that are wrong in every spelling.
import { isObject, type JsonObject, objectIn } from '../json-object.ts'
import { type IsOpen, type Problem, within } from '../problem.ts'

interface Rule {
  why: string
  /** @param text the value, a text or a number, as a text */
  isValid(text: string): boolean
}

/** "The value ranges from -1 to 100." */
const COLLAPSE_KEYS = [-1, 100] as const

const OPTIONS: Readonly<Record<string, Rule>> = {
  collapse_key: {
    why: `must be a whole number from ${COLLAPSE_KEYS[0]} to ${COLLAPSE_KEYS[1]}`,
    isValid: (text) => /^-?\d+$/.test(text) && Number(text) >= COLLAPSE_KEYS[0] && Number(text) <= COLLAPSE_KEYS[1],
  },
  urgency: { why: 'must be HIGH or NORMAL', isValid: (text) => /^(?:high|normal)$/i.test(text) },
  ttl: {
    why: 'must be a duration in seconds such as "86400s"',
    isValid: (text) => /^\d{1,12}(?:\.\d{1,9})?s?$/i.test(text),
  },
  fast_app_target: { why: 'must be 1 or 2', isValid: (text) => /^[12]$/.test(text) },
}

const NOTIFICATION_OPTIONS: Readonly<Record<string, Rule>> = {
  color: { why: 'must be a color such as "#RRGGBB"', isValid: (text) => /^#[0-9a-f]{6}$/i.test(text) },
  importance: { why: 'must be LOW, NORMAL or HIGH', isValid: (text) => /^(?:low|normal|high)$/i.test(text) },
}

const CLICK_TYPE: Rule = { why: 'must be 1, 2, 3 or 4', isValid: (text) => /^[1-4]$/.test(text) }

/** The members of which a click action of a type needs one. */
const CLICK_MEMBERS: Readonly<Record<string, readonly string[]>> = {
  1: ['intent', 'action'],
  2: ['url'],
  4: ['rich_resource'],
}

/** The problem for which Huawei refuses the options of Android; undefined if none is known. */
export function findAndroidProblem(android: JsonObject, isOpen: IsOpen): Problem | undefined {
  const notification = objectIn(android, 'notification')
  const inside =
    notification &&
    (findOptionProblem(notification, NOTIFICATION_OPTIONS, isOpen) ?? findClickProblem(notification, isOpen))
  return findOptionProblem(android, OPTIONS, isOpen) ?? (inside && within('notification', inside))
}

function findOptionProblem(
  options: JsonObject,
  rules: Readonly<Record<string, Rule>>,
  isOpen: IsOpen,
): Problem | undefined {
  for (const [field, { why, isValid }] of Object.entries(rules)) {
    const value = options[field] ?? ''
    // An empty text is unset.
    if (value === '' || (typeof value === 'string' && isOpen(value))) continue
    const isScalar = typeof value === 'string' || typeof value === 'number'
    if (!isScalar || !isValid(String(value))) return { field, why }
  }
  return undefined
}

function findClickProblem(notification: JsonObject, isOpen: IsOpen): Problem | undefined {
  const action = notification.click_action ?? undefined
  if (action === undefined) return undefined
  if (!isObject(action)) return { field: 'click_action', why: 'must be an object' }
  const problem = findOptionProblem(action, { type: CLICK_TYPE }, isOpen)
  if (problem) return within('click_action', problem)
  const members = CLICK_MEMBERS[String(action.type)] ?? []
  const isComplete = members.length === 0 || members.some((name) => (action[name] ?? '') !== '')
  return isComplete ? undefined : { field: 'click_action', why: `of type ${action.type} needs ${members.join(' or ')}` }
}
