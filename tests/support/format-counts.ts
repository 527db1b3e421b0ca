/** The last line of a run outside of vitest: how many tests passed and failed, in vitest's form. */
export function formatCounts(hasPassed: readonly boolean[]): string {
  const passed = hasPassed.filter(Boolean).length
  const failed = hasPassed.length - passed
  const parts = [...(failed > 0 ? [`${failed} failed`] : []), `${passed} passed`]
  return `Tests  ${parts.join(' | ')} (${hasPassed.length})\n`
}
