// Reads the templates and translations of a request. All errors of a template are found here, when the request is
// accepted, so that rendering never fails.
import type { ProviderName } from '../config/provider-names.ts'
import { compileHeader, compileJson } from '../personalise/template.ts'
import { TemplateError } from '../personalise/template-error.ts'
import { ApiError } from '../protocol/errors.ts'
import type { SendPushNotificationRequest } from '../protocol/requests/push.ts'
import type { Notification } from '../sends/notification.ts'
import type { Templating } from '../sends/send-content.ts'
import { JSON_FIELDS } from './notification.ts'

/** The most bytes of a translation, as of a device's meta. No provider accepts a longer notification. */
const MAX_TRANSLATION_BYTES = 4096
/** The most translations of a request, those of all locales together. */
const MAX_TRANSLATIONS = 100_000

type TemplatingRequest = Pick<SendPushNotificationRequest, 'use_templating' | 'use_meta' | 'localizations'>

/**
 * Reads the parts of a request that make its notifications differ from target to target. Undefined: all targets get the
 * same notification, because templating is off or no template contains an expression.
 * @throws ApiError badRequest with the position of the error
 */
export function readTemplating(
  request: TemplatingRequest,
  notifications: ReadonlyMap<ProviderName, Notification>,
): Templating | undefined {
  if (!request.use_templating && request.localizations.size === 0) return undefined
  checkCounts(request)
  const templates = [...notifications].flatMap(([provider, notification]) => compileAll(provider, notification))
  const localizations = readLocalizations(request)
  if (!templates.some(({ isPersonal }) => isPersonal)) return undefined
  return {
    usesMeta: request.use_meta && templates.some(({ meta }) => meta),
    localizations: templates.some(({ l10n }) => l10n) ? localizations : new Map(),
  }
}

function compileAll(provider: ProviderName, { json, headers }: Notification) {
  const field = `notification.${JSON_FIELDS[provider]}`
  return [
    compile(field, () => compileJson(json)),
    ...[...headers.values()].map((value) => compile(`notification.${provider}.headers`, () => compileHeader(value))),
  ]
}

function compile<T>(field: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof TemplateError) throw new ApiError('badRequest', `${field}: ${error.message}`)
    throw error
  }
}

function checkCounts({ localizations }: TemplatingRequest): void {
  const count = [...localizations.values()].reduce((sum, { translations }) => sum + translations.size, 0)
  if (count > MAX_TRANSLATIONS) {
    throw new ApiError('badRequest', `localizations: more than ${MAX_TRANSLATIONS} translations`)
  }
}

function readLocalizations({ localizations }: TemplatingRequest): Templating['localizations'] {
  return new Map(
    [...localizations].map(([locale, { translations }]) => {
      for (const text of translations.values()) {
        if (Buffer.byteLength(text) <= MAX_TRANSLATION_BYTES) continue
        throw new ApiError('badRequest', `localizations: a text is longer than ${MAX_TRANSLATION_BYTES} bytes`)
      }
      return [locale, translations]
    }),
  )
}
