// The targets of an FCM message: `fid`, `token`, `topic` or `condition`, exactly one of them
// (https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages).

/** The members of a message that address it. */
export const FCM_TARGET_FIELDS = ['fid', 'token', 'topic', 'condition'] as const

/** A member of a message that addresses it. */
export type FcmTargetField = (typeof FCM_TARGET_FIELDS)[number]

/** The length of a Firebase installation id: 17 bytes in base64url, without the last character. */
const INSTALLATION_ID_LENGTH = 22
/** The first four bits of an installation id are 0111, so its first character is one of c to f. */
const INSTALLATION_ID = /^[c-f][\w-]{21}$/

/**
 * Whether a device token is a Firebase installation id. Registration tokens are never of this form: they have at least
 * 140 characters, and a colon.
 */
export function isInstallationId(token: string): boolean {
  return token.length === INSTALLATION_ID_LENGTH && INSTALLATION_ID.test(token)
}

/** The member of a message that addresses a device. */
export function fieldOfToken(token: string): 'fid' | 'token' {
  return isInstallationId(token) ? 'fid' : 'token'
}

const TOPIC = /^[a-zA-Z0-9-_.~%]+$/
/** The prefix of topics in the legacy API. "Note: /topics/ prefix should not be provided." */
const TOPIC_PREFIX = '/topics/'

/** The name of a topic without the prefix of the legacy API, which some libraries add. */
export function nameOfTopic(topic: string): string {
  return topic.startsWith(TOPIC_PREFIX) ? topic.slice(TOPIC_PREFIX.length) : topic
}

/** Why FCM refuses the name of a topic; undefined if it accepts it. */
export function findTopicProblem(topic: string): string | undefined {
  return TOPIC.test(topic) ? undefined : 'must be a topic name of letters, digits and -_.~%'
}

/** "You can include up to five topics in your conditional expression." */
const MAX_CONDITION_TOPICS = 5
/** A token of a condition: `'news' in topics`, an operator, or a parenthesis. */
const CONDITION_TOKEN = /\s*(?:'([a-zA-Z0-9-_.~%]+)'\s*in\s+topics\b|(&&|\|\||!|\(|\)))/y

/**
 * Why FCM refuses a condition, such as `'a' in topics && ('b' in topics || !('c' in topics))`; undefined if it accepts
 * it (https://firebase.google.com/docs/cloud-messaging/send-topic-messages).
 */
export function findConditionProblem(condition: string): string | undefined {
  const grammar = "must be of the form 'a' in topics && ('b' in topics || !('c' in topics))"
  const topics = new Set<string>()
  let depth = 0
  /** Whether the next token must begin a term; otherwise it continues or ends one. */
  let beginsTerm = true
  const rest = condition.trimEnd()
  CONDITION_TOKEN.lastIndex = 0
  while (CONDITION_TOKEN.lastIndex < rest.length) {
    const [, topic, mark] = CONDITION_TOKEN.exec(rest) ?? []
    if (topic !== undefined) topics.add(topic)
    const opens = topic !== undefined || mark === '!' || mark === '('
    if ((topic === undefined && mark === undefined) || opens !== beginsTerm) return grammar
    if (mark === '(') depth++
    if (mark === ')' && --depth < 0) return grammar
    if (topic !== undefined) beginsTerm = false
    else if (mark === '&&' || mark === '||') beginsTerm = true
  }
  if (beginsTerm || depth !== 0) return grammar
  return topics.size > MAX_CONDITION_TOPICS ? `has more than ${MAX_CONDITION_TOPICS} topics` : undefined
}
