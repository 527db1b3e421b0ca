/**
 * Parses JSON of another program, for a schema that decides about the result. A text that is not JSON, such as the page
 * of a load balancer in place of an answer, is undefined.
 */
export function parseJsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The schema refuses undefined, with its own error.
    return undefined
  }
}
