/** A metric of an expression, and the labels that the expression selects or groups by. */
export interface PromqlNames {
  metrics: Set<string>
  labels: Set<string>
}

/** Words of PromQL that are followed by labels in parentheses, or stand alone. */
const WORDS = new Set(['by', 'without', 'on', 'ignoring', 'and', 'or', 'unless', 'group_left', 'group_right'])

/** Finds the metrics and labels of an expression. Functions are recognized by their parentheses. */
export function findPromqlNames(expression: string): PromqlNames {
  const text = expression.replace(/"(?:[^"\\]|\\.)*"/g, '""')
  const labels = new Set<string>()
  for (const [, list = ''] of text.matchAll(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g)) {
    for (const label of list.split(',')) if (label.trim() !== '') labels.add(label.trim())
  }
  for (const [, matchers = ''] of text.matchAll(/\{([^}]*)\}/g)) {
    for (const [, label = ''] of matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)) labels.add(label)
  }
  const rest = text.replace(/\{[^}]*\}|\[[^\]]*\]/g, ' ').replace(/\b(?:by|without|on|ignoring)\s*\([^)]*\)/g, ' ')
  const metrics = new Set<string>()
  for (const [, name = '', isCall] of rest.matchAll(/([a-zA-Z_:][\w:]*)\s*(\()?/g)) {
    if (isCall === undefined && !WORDS.has(name)) metrics.add(name)
  }
  return { metrics, labels }
}
