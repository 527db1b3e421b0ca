import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright-core'

/** The rules of accessibility that a page breaks, with the elements. `colors` are the rules that a theme can break. */
export async function findViolations(
  page: Page,
  rules: 'all' | 'colors' = 'all',
): Promise<{ id: string; at: string[] }[]> {
  // Pages have no frames of other servers, so axe can run as a whole in the page. Otherwise it runs in a second page too.
  const axe = new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ['violations'] })
  if (rules === 'colors') axe.withRules(['color-contrast', 'link-in-text-block'])
  const { violations } = await axe.analyze()
  return violations.map(({ id, nodes }) => ({ id, at: nodes.map(({ html }) => html) }))
}
