import type { SendContent } from './send-content.ts'
import type { OptionalField } from './target-line.ts'

/** The optional device fields that a send uses, and that its target lines therefore contain. */
export function findUsedFields({
  templating,
  timeLimit,
}: Pick<SendContent, 'templating' | 'timeLimit'>): OptionalField[] {
  const used: OptionalField[] = []
  if (timeLimit) used.push('timezone')
  if (templating && templating.localizations.size > 0) used.push('locale')
  if (templating?.usesMeta) used.push('meta')
  return used
}
